"""What a registry's refusals and silences are called, and which hint each has."""

from __future__ import annotations

import socket
import ssl

import httpx
import pytest

from slipway.images.registry.address import Registry
from slipway.images.registry.refused import changed, refused, unreachable

WHERE = Registry("registry.example:5000", "home")


def _from(cause: BaseException) -> httpx.ConnectError:
    """As httpx raises it: the system's own error is somewhere below."""
    middle = OSError("all attempts failed")
    middle.__context__ = cause
    error = httpx.ConnectError("x")
    error.__cause__ = middle
    return error


def _certificate() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = "self-signed certificate"
    return error


def _said(code: str, status: int = 400) -> httpx.Response:
    errors = {"errors": [{"code": code, "message": "its words"}]}
    return httpx.Response(status, json=errors)


SILENT = [
    (_from(socket.gaierror(-2, "x")), "unknown-host", "no server is called registry.example:5000"),
    (_from(_certificate()), "certificate", "not to be believed: self-signed certificate"),
    (_from(ssl.SSLError(1, "wrong version number")), "no-tls", "it does not speak TLS"),
    (_from(ConnectionRefusedError()), "refused", "nothing listens there"),
    (httpx.ReadTimeout("x"), "silent", "it does not answer"),
    (httpx.RemoteProtocolError("cut"), "broken", "the connection broke: cut"),
    (httpx.ReadError(""), "broken", "the connection broke: ReadError"),
]
ANSWERS = [
    (httpx.Response(403), "denied", "this login has no right to the thing"),
    (_said("DENIED", 401), "denied", "this login has no right to the thing"),
    (httpx.Response(507), "full", "it has no room for the thing"),
    (httpx.Response(500, text='{"err":28}'), "full", "it has no room for the thing"),
    (httpx.Response(503, text="Quota exceeded"), "full", "it has no room for the thing"),
    (httpx.Response(413, text="<html>"), "large", "too large for what stands before it"),
    (httpx.Response(416), "range", "it wants other bytes of the thing"),
    (_said("DIGEST_INVALID"), "digest", "other bytes of the thing came there"),
    (_said("BLOB_UPLOAD_UNKNOWN", 404), "upload-lost", "it forgot the thing half-way"),
    (_said("BLOB_UPLOAD_INVALID"), "upload-lost", "it forgot the thing half-way"),
    (_said("MANIFEST_BLOB_UNKNOWN"), "blob-unknown", "it lost a part of the thing meanwhile"),
    (_said("NAME_UNKNOWN", 404), "not-found", "it knows no place for the thing"),
    (httpx.Response(429), "busy", "it was asked too often"),
    (httpx.Response(502, text="<html>"), "server", "it failed at the thing (502)"),
    (httpx.Response(405), "refused-request", "it does not take the thing (405)"),
]


@pytest.mark.parametrize(("error", "cause", "text"), SILENT)
def test_no_answer(error: Exception, cause: str, text: str) -> None:
    """By what is below httpx's error, wherever it stands in its chain."""
    found = unreachable(WHERE, error)
    assert found.cause == cause and text in found.message
    assert found.message.startswith("the registry registry.example:5000/home: ")
    assert found.message.endswith("; what runs still runs")
    assert (found.stage, found.exit_code) == ("registry", 4) and found.hint


@pytest.mark.parametrize(("answer", "cause", "text"), ANSWERS)
def test_an_answer_that_is_no_yes(answer: httpx.Response, cause: str, text: str) -> None:
    """By status and by the codes of the specification; its own words stand beside."""
    found = refused(WHERE, answer, "the thing")
    assert found.cause == cause and text in found.message
    assert found.message.endswith("; what runs still runs")
    assert (found.stage, found.exit_code) == ("registry", 4) and found.hint
    if b"its words" in answer.content:
        assert any("its words" in line for line in found.details)
    assert not any("<html>" in line for line in found.details)


def test_a_failure_whose_words_are_many() -> None:
    """Three are shown, and of a text the beginning."""
    many = {"errors": [{"code": "X", "message": str(number)} for number in range(9)]}
    assert refused(WHERE, httpx.Response(400, json=many), "x").details == ("X: 0", "X: 1", "X: 2")
    (long,) = refused(WHERE, httpx.Response(400, text="y" * 999), "x").details
    assert len(long) == 200
    odds: tuple[object, ...] = ([], {"errors": 3}, {"errors": ["x"]}, {"errors": [{}]}, None)
    for odd in odds:
        refused(WHERE, httpx.Response(400, json=odd), "x")


def test_a_chain_of_errors_without_end() -> None:
    """It is gone along once."""
    error = httpx.ReadError("x")
    error.__cause__ = inner = OSError()
    inner.__cause__ = error
    assert unreachable(WHERE, error).cause == "broken"
    assert changed(WHERE, "x").cause == "changed"
