"""Sending a request again: glue around the rule in `pipeflow.retrying`."""

from __future__ import annotations

import asyncio
import math
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from weakref import WeakSet

import aiohttp

from pipeflow.answers import Answer
from pipeflow.errors import TransportError
from pipeflow.failures import can_pass, error_from, failure_name, quotes_an_answer
from pipeflow.middleware.bodies import can_be_sent_again, read_body
from pipeflow.middleware.observe import details_of
from pipeflow.observing import Observer, RetryScheduled
from pipeflow.retrying import (
    IDEMPOTENT_METHODS,
    RetryPolicy,
    is_null,
    is_worth_retrying,
    needs_body,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

__all__ = ["RetryMiddleware"]

_REPEATED: WeakSet[ClientRequest] = WeakSet()
"""Requests that a `RetryMiddleware` is already repeating, so that one further in does not.

(A ContextVar would keep them: each timer and transport made meanwhile holds its context.)
"""


class RetryMiddleware:
    """Sends a request again when that can help, as its policy says.

    It does so after a `TransportError` or an error of aiohttp's own about the connection (but not
    about a wrong certificate or address); after 408, 425, a 429 of the burst limit, 500, 502, 503,
    504 and Cloudflare's 520 to 530; and after a GET that was answered with 200 and with JSON that
    breaks off or is `null`.

    It never does so after other answers, the daily 429, a block or a cancellation; for a method
    that is not idempotent (RFC 9110, 9.2.2), unless the request carries an `Idempotency-Key`; or
    for a request whose body can be sent only once, such as a generator's.

    It reads what it has to judge: the bodies of those refusals, and JSON up to 64 MiB, both of
    which can be read again and streamed by everyone after. Any other answer passes as it streams,
    a download of any size too; if that breaks in the middle, its reader sees it. Inside a second
    `RetryMiddleware` this one does nothing, so that their attempts do not multiply.

    The last answer is returned as it came. Without an answer a `TransportError` is raised, with
    the number of attempts: with aiohttp's own `ServerDisconnectedError` or `ClientOSError`,
    aiohttp would run all middlewares once more. Other errors pass as they are. Cancelling is safe
    at any moment.

    Args:
        policy: How often, and how long to wait. By default `RetryPolicy()`.
        random: The source of the jitter, from 0 to 1.
        sleep: Waits for so many seconds.
        most_nulls: How many answers of `null` are retried, over all requests that pass this
            middleware; None means only as many as there are attempts.
        observer: Whom to tell of each retry.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        random: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        most_nulls: int | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._policy = RetryPolicy() if policy is None else policy
        self._random = random
        self._sleep = sleep
        self._nulls_left = math.inf if most_nulls is None else most_nulls
        self._observer = Observer() if observer is None else observer

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends a request until it succeeds, or no further attempt is worth it."""
        if request in _REPEATED:
            return await handler(request)
        _REPEATED.add(request)
        try:
            return await self._repeat(request, handler)
        finally:
            _REPEATED.discard(request)

    async def _repeat(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        can_repeat = _can_repeat(request)
        attempt = 0
        while True:
            attempt += 1
            status = name = asked_wait = None
            try:
                response = await handler(request)
                refused = await self._refused(request, response) if can_repeat else None
            except (TransportError, aiohttp.ClientError) as failure:
                error = _in_our_words(failure, request.url.host)
                delay = None
                if can_repeat and isinstance(error, TransportError) and can_pass(error):
                    delay = self._policy.delay_seconds(attempt, None, self._random)
                if delay is None:
                    if isinstance(error, TransportError):
                        error.attempts = attempt
                    raise error from error.__cause__
                name = failure_name(error)
                del error
            else:
                if refused is None:
                    return response
                asked_wait = refused.requested_wait(datetime.now(UTC))
                status = response.status
                delay = self._policy.delay_seconds(attempt, asked_wait, self._random)
                if delay is None:
                    return response
                # A refused answer that kept its connection would leave none for the next attempt.
                response.release()
                del response, refused  # so that no traceback of the wait shows what it says
            self._observer.retry_scheduled(
                RetryScheduled(
                    request=details_of(request),
                    attempt=attempt,
                    delay=delay,
                    status=status,
                    error=name,
                )
            )
            await self._sleep(delay)

    async def _refused(self, request: ClientRequest, response: ClientResponse) -> Answer | None:
        """The answer, if a retry may bring a better one."""
        if not needs_body(
            request.method, response.status, response.headers.get("Content-Type", "")
        ):
            return None
        body = await read_body(response)
        if response.status == 200 and body is None:
            return None  # somebody else has taken a part of it, and judges it
        answer = Answer(response.status, response.headers, body or b"")
        if not is_worth_retrying(answer, datetime.now(UTC)):
            return None
        if is_null(answer):
            if self._nulls_left == 0:
                return None
            self._nulls_left -= 1
        return answer


def _in_our_words(failure: Exception, host: str | None) -> Exception:
    if not isinstance(failure, aiohttp.ClientError) or quotes_an_answer(failure):
        return failure
    error = error_from(failure, host=host)
    error.__cause__ = failure
    return error


def _can_repeat(request: ClientRequest) -> bool:
    is_idempotent = request.method in IDEMPOTENT_METHODS or "Idempotency-Key" in request.headers
    return is_idempotent and can_be_sent_again(request.body)
