"""aiohttp's errors, turned into pipeflow's: the one place that knows why a connection failed."""

from __future__ import annotations

import asyncio
import os

import aiohttp

from pipeflow.errors import DecodeError, RequestTimeoutError, TransportError

__all__ = ["can_pass", "error_from", "failure_name", "quotes_an_answer"]

_WRONG_CERTIFICATE = (
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ServerFingerprintMismatch,
)
"""Any other TLS alert may pass: servers send some while they restart or are overloaded."""

_NO_LIBRARY = "decode content-encoding"
"""aiohttp's words, as soon as it has read the headers, for what it has no library to decode."""


def error_from(failure: aiohttp.ClientError, *, host: str | None) -> TransportError | DecodeError:
    """The error for a request that got no whole answer, to be raised from `failure`.

    It is never a `ServerDisconnectedError` or `ClientOSError`: on those aiohttp runs all
    middlewares once more by itself, which would double every attempt.

    Args:
        failure: What aiohttp raised; `quotes_an_answer` is false of it.
        host: The host that was asked.
    """
    if isinstance(failure, aiohttp.ClientResponseError) and _NO_LIBRARY in failure.message:
        return DecodeError(f"the answer cannot be read: {failure.message}")
    message = f"no whole answer from {host}: {_reason(failure)}"
    if isinstance(failure, asyncio.TimeoutError):
        return RequestTimeoutError(message)
    return TransportError(message)


def can_pass(error: TransportError) -> bool:
    """Whether a retry may succeed: not after a wrong certificate."""
    return not isinstance(error.__cause__, _WRONG_CERTIFICATE)


def quotes_an_answer(failure: aiohttp.ClientError) -> bool:
    """Whether it was raised because of an answer, which did come.

    `response.json()` and `response.raise_for_status()` in somebody's middleware do; aiohttp itself
    does not, except for a proxy's refusal and for what is not HTTP.
    """
    return (
        isinstance(failure, aiohttp.ClientResponseError)
        and not isinstance(failure, aiohttp.ClientHttpProxyError)
        and not isinstance(failure.__cause__, aiohttp.http.HttpProcessingError)
    )


def failure_name(error: BaseException) -> str:
    """The name of the class that says most: the cause's, where we raised from one."""
    cause = error.__cause__ if isinstance(error, TransportError) else None
    return type(cause or error).__name__


def _reason(failure: aiohttp.ClientError) -> str:
    if isinstance(failure, aiohttp.ClientConnectorError):
        # aiohttp's own words tell of TLS where there is none.
        said = failure.strerror or str(failure.os_error)
        if failure.errno and said.startswith("Connect call failed"):  # asyncio's, with the address
            said = os.strerror(failure.errno)
        return f"cannot connect to {failure.host}:{failure.port}: {said}"
    return " ".join(str(failure).split()) or type(failure).__name__
