"""Fixtures: a real sshd on loopback, with keys and a configuration of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.integration.hosts import sshd_server
from tests.integration.hosts.sshd_server import Sshd, StartSshd

from slipway.hosts.ssh import SshHost


@pytest.fixture(scope="module")
def start_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSshd]:
    """A function that starts a server, given more lines for its configuration."""
    with ExitStack() as stack:

        def start(*lines: str) -> Sshd:
            server = sshd_server.start(tmp_path_factory.mktemp("sshd"), lines)
            stack.callback(sshd_server.stop, server)
            return server

        yield start


@pytest.fixture(scope="module")
def sshd(start_sshd: StartSshd) -> Sshd:
    """One server for all tests of a module."""
    return start_sshd()


@pytest.fixture
def host(sshd: Sshd) -> Iterator[SshHost]:
    """A host at the other end of that server."""
    host = sshd.host()
    yield host
    host.close()
