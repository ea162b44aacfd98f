"""aiohttp's errors in our words: the one place that knows what went wrong on the way."""

from __future__ import annotations

import asyncio

import aiohttp

from pipeflow.errors import RequestTimeoutError, TransportError

__all__ = ["FAILURES", "is_worth_retrying", "transport_error"]

FAILURES = (aiohttp.ClientError, OSError, asyncio.TimeoutError)
"""What a request can raise when no whole answer came."""

_FINAL = (
    aiohttp.InvalidURL,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ClientConnectorSSLError,
)


def is_worth_retrying(failure: BaseException) -> bool:
    """Whether another try could end otherwise: not with a wrong address or certificate."""
    return not isinstance(failure, _FINAL)


def transport_error(failure: BaseException, *, host: str | None, attempts: int) -> TransportError:
    """The error for a request that got no whole answer, to be raised from `failure`.

    It is none of the errors on which aiohttp runs all middlewares once more by itself
    (`ServerDisconnectedError`, `ClientOSError`), which would double every attempt.
    """
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    if isinstance(failure, TimeoutError):
        return RequestTimeoutError(f"no whole answer from {host} in time, in {tries}: {failure}")
    reason = str(failure) or type(failure).__name__
    return TransportError(f"no whole answer from {host} in {tries}: {reason}")
