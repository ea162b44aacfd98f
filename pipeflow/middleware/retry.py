"""Trying again: glue around `RetryPolicy`."""

from __future__ import annotations

import asyncio
import math
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeflow.answers import Answer
from pipeflow.failures import FAILURES, is_worth_retrying, transport_error
from pipeflow.middleware.observe import details_of
from pipeflow.observing import Observer, RetryScheduled
from pipeflow.retrying import IDEMPOTENT_METHODS, RETRIED_STATUSES, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

__all__ = ["RetryMiddleware"]


class RetryMiddleware:
    """Tries a request again when that can help, as its policy says.

    Tried again: connection errors, timeouts, bodies that break off (the body is read here; JSON
    that does not end as JSON broke off too), 408, 425, a burst 429, 500, 502, 503, 504, and a 200
    whose body is `null`. Never: other answers, the
    daily 429, a cancellation, and methods that are not idempotent (RFC 9110, 9.2.2), unless the
    request carries an `Idempotency-Key`.

    The last answer is returned as it came, its body read. Without an answer a `TransportError`
    is raised: with aiohttp's own `ServerDisconnectedError` or `ClientOSError`, aiohttp would run
    all middlewares once more. Cancelling is safe at any moment.

    Args:
        policy: How often, and how long to wait. By default `RetryPolicy()`.
        random: The source of the jitter, from 0 to 1.
        sleep: Waits for so many seconds.
        most_nulls: How many answers of `null` are tried again, over all requests that pass this
            middleware; None is no bound but that of the attempts.
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
        """Sends one request until it is answered well, or finally not."""
        may_repeat = _may_repeat(request)
        attempt = 0
        while True:
            attempt += 1
            status = error = None
            try:
                response = await handler(request)
                await response.read()
            except FAILURES as failure:
                delay, error = None, type(failure).__name__
                if may_repeat and is_worth_retrying(failure):
                    delay = self._policy.delay_seconds(attempt, None, self._random)
                if delay is None:
                    raise transport_error(
                        failure, host=request.url.host, attempts=attempt
                    ) from failure
            else:
                if not may_repeat or not await self._may_get_better(response):
                    return response
                answer = Answer(response.status, response.headers, await response.read())
                asked_wait = answer.requested_wait(datetime.now(UTC))
                status = response.status
                delay = self._policy.delay_seconds(attempt, asked_wait, self._random)
                if delay is None:
                    return response
                # Reading it whole gave its connection back to the pool; a refused answer that
                # kept it would leave none for the next try.
                response.release()
                del response, answer  # a traceback of the wait shall not show what it says
            self._observer.retry_scheduled(
                RetryScheduled(
                    request=details_of(request),
                    attempt=attempt,
                    delay=delay,
                    status=status,
                    error=error,
                )
            )
            await self._sleep(delay)

    async def _may_get_better(self, response: ClientResponse) -> bool:
        body = await response.read()
        if response.status == 200 and _breaks_off(response, body):
            return True
        if response.status == 200:
            # A known fault of the flow endpoints (singer-io/tap-pipedrive#131): it mostly passes,
            # but has been seen to go on for hours.
            if body.strip() != b"null" or self._nulls_left == 0:
                return False
            self._nulls_left -= 1
            return True
        return response.status in RETRIED_STATUSES and not Answer(
            response.status, response.headers, body
        ).is_daily_budget(datetime.now(UTC))


def _may_repeat(request: ClientRequest) -> bool:
    return request.method in IDEMPOTENT_METHODS or "Idempotency-Key" in request.headers


def _breaks_off(response: ClientResponse, body: bytes) -> bool:
    """Whether it claims to be JSON, and neither an object nor an array nor `null` ends there."""
    return "json" in response.headers.get("Content-Type", "").lower() and not (
        body.rstrip().endswith((b"}", b"]", b"null"))
    )
