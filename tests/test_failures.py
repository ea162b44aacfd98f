from __future__ import annotations

import asyncio
import errno
import os
import ssl
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http import HttpProcessingError

from pipeflow.errors import DecodeError, RequestTimeoutError, ServerError, TransportError
from pipeflow.failures import can_pass, error_from, failure_name, quotes_an_answer

if TYPE_CHECKING:
    from tests.conftest import Wrong

KEY = ConnectionKey("acme.invalid", 443, True, True, None, None, None)
INFO: Wrong = None


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (aiohttp.ServerDisconnectedError(), "Server disconnected"),
        (aiohttp.ClientPayloadError("400, message:\n  broken"), "400, message: broken"),
        (aiohttp.ClientPayloadError(), "ClientPayloadError"),
        (
            aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connection refused")),
            "cannot connect to acme.invalid:443: Connection refused",
        ),
        (
            aiohttp.ClientConnectorError(
                KEY, OSError(errno.EHOSTUNREACH, "Connect call failed ('192.0.2.1', 443)")
            ),
            f"cannot connect to acme.invalid:443: {os.strerror(errno.EHOSTUNREACH)}",
        ),
        (
            aiohttp.ClientConnectorError(KEY, OSError("several addresses failed")),
            "cannot connect to acme.invalid:443: several addresses failed",
        ),
    ],
)
def test_the_words_say_what_went_wrong(failure: aiohttp.ClientError, words: str) -> None:
    error = error_from(failure, host="acme.invalid")
    assert type(error) is TransportError
    assert str(error) == f"no whole answer from acme.invalid: {words}"


@pytest.mark.parametrize("kind", [aiohttp.SocketTimeoutError, aiohttp.ConnectionTimeoutError])
def test_a_timeout_of_aiohttps_own_is_a_timeout(kind: type[aiohttp.ServerTimeoutError]) -> None:
    assert type(error_from(kind("too slow"), host="h")) is RequestTimeoutError


def test_an_encoding_without_a_library_is_no_failure_of_the_network() -> None:
    message = "Can not decode content-encoding: brotli (br). Please install `Brotli`"
    failure = aiohttp.ClientResponseError(INFO, (), status=400, message=message)
    error = error_from(failure, host="h")
    assert type(error) is DecodeError
    assert "brotli" in str(error)


@pytest.mark.parametrize(
    ("failure", "is_worth"),
    [
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError()), False),
        (aiohttp.ServerFingerprintMismatch(b"a", b"b", "h", 443), False),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "alert")), True),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-3, "try again")), True),
        (None, True),
    ],
)
def test_only_a_wrong_certificate_is_final(
    failure: BaseException | None, *, is_worth: bool
) -> None:
    error = TransportError("no answer")
    error.__cause__ = failure
    assert can_pass(error) == is_worth


@pytest.mark.parametrize(
    ("failure", "cause", "quotes"),
    [
        (aiohttp.ClientResponseError(INFO, (), status=500), None, True),
        (aiohttp.ContentTypeError(INFO, ()), None, True),
        (aiohttp.ClientHttpProxyError(INFO, (), status=407), None, False),
        (aiohttp.ClientResponseError(INFO, (), status=400), HttpProcessingError(), False),
        (aiohttp.ServerDisconnectedError(), None, False),
    ],
)
def test_a_complaint_about_an_answer_is_told_from_none(
    failure: aiohttp.ClientError, cause: Exception | None, *, quotes: bool
) -> None:
    failure.__cause__ = cause
    assert quotes_an_answer(failure) == quotes


def test_a_failure_is_named_by_its_cause() -> None:
    error = TransportError("no answer")
    assert failure_name(error) == "TransportError"
    error.__cause__ = aiohttp.ServerDisconnectedError()
    assert failure_name(error) == "ServerDisconnectedError"
    refused = ServerError("no", status=500)
    refused.__cause__ = ValueError()
    assert failure_name(refused) == "ServerError"
    assert failure_name(asyncio.CancelledError()) == "CancelledError"
