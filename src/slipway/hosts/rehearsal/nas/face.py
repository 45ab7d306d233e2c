"""The module that programs on the host import: ``truenas_api_client``."""

from __future__ import annotations

from . import ejson
from .client import CALL_TIMEOUT, Client, Job
from .exc import CallTimeout, ClientException, ErrorExtra, ValidationErrors
from .midclt import main

__all__ = [
    "CALL_TIMEOUT",
    "CallTimeout",
    "Client",
    "ClientException",
    "ErrorExtra",
    "Job",
    "ValidationErrors",
    "ejson",
    "main",
]
