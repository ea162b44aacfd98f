"""Waiting for the burst limit, and stopping after a block: glue around `BurstLimiter`."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import asdict, evolve

from pipeflow.answers import Answer, RateLimit
from pipeflow.errors import BlockedError, RateLimitError
from pipeflow.limiting import BurstLimiter
from pipeflow.middleware.observe import details_of
from pipeflow.observing import LimitWaited, Observer, SendingStopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow.limiting.burst import Ticket

__all__ = ["RateLimitMiddleware"]

SHORTEST_WAIT = 0.001
"""Seconds. A shorter wait is none: the time that the limiter itself takes."""


class RateLimitMiddleware:
    """Sends a request when the burst limit has room for it, first come, first served.

    It learns the limit from each answer's headers. After a burst 429 everyone waits as long as the
    server asks or, where that is longer than `max_wait`, fails with `RateLimitError`. After
    Cloudflare's 403 page nothing is sent for `cooldown` seconds: requests, also those that wait,
    fail with `BlockedError` at once. Cancelling one that waits is safe: its place goes to the next.

    Args:
        limiter: Given to several middlewares, it is shared by them. By default a new one.
        cooldown: Seconds without a request after a block.
        max_wait: Seconds. The longest wait after a 429 that a request waits for.
        clock: A monotonic clock in seconds.
        observer: Whom to tell of waits, and of why nothing more is sent.

    Attributes:
        rate_limit: What the answers told last, field by field.
    """

    def __init__(
        self,
        limiter: BurstLimiter | None = None,
        *,
        cooldown: float = 300.0,
        max_wait: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        observer: Observer | None = None,
    ) -> None:
        self._limiter = BurstLimiter() if limiter is None else limiter
        self._cooldown = cooldown
        self._max_wait = max_wait
        self._clock = clock
        self._observer = Observer() if observer is None else observer
        self.rate_limit: RateLimit = RateLimit()

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request in its turn."""
        asked_at = self._clock()
        ticket = await self._granted_ticket()
        waited = self._clock() - asked_at
        if waited >= SHORTEST_WAIT:
            self._observer.limit_waited(LimitWaited(request=details_of(request), seconds=waited))
        rate_limit = None
        try:
            response = await handler(request)
            rate_limit = Answer(response.status, response.headers, b"").rate_limit()
            self._take_note(rate_limit)
            await self._heed_refusal(response)
        finally:
            self._limiter.settle(ticket, self._clock(), rate_limit)
        return response

    def _take_note(self, rate_limit: RateLimit) -> None:
        told = {name: value for name, value in asdict(rate_limit).items() if value is not None}
        self.rate_limit = evolve(self.rate_limit, **told)

    async def _granted_ticket(self) -> Ticket:
        loop = asyncio.get_running_loop()
        awake = asyncio.Event()

        def wake() -> bool:
            if loop.is_closed():
                return False
            awake.set()
            return True

        self._refuse_in_vain()
        ticket = self._limiter.join(wake, self._clock())
        try:
            while (delay := self._limiter.delay_seconds(ticket, self._clock())) != 0.0:
                awake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await awake.wait()
                self._refuse_in_vain()
        except BaseException:
            self._limiter.hand_back(ticket, self._clock())
            raise
        return ticket

    def _refuse_in_vain(self) -> None:
        """Refuses a request for which waiting would be in vain or too long."""
        paused_seconds = self._limiter.paused_seconds(self._clock())
        if paused_seconds > self._max_wait:
            raise RateLimitError(
                "nothing was sent: after a 429 the server has asked to wait, and "
                f"{paused_seconds:.0f} s of it are left, which is more than max_wait",
                status=429,
                retry_after=paused_seconds,
            )
        seconds = self._limiter.blocked_seconds(self._clock())
        if seconds:
            raise BlockedError(
                "nothing was sent: Cloudflare has blocked this client, and the cool-down ends in "
                f"{seconds:.0f} s",
                status=403,
                retry_after=seconds,
            )

    async def _heed_refusal(self, response: ClientResponse) -> None:
        if response.status not in {403, 429}:
            return
        answer = Answer(response.status, response.headers, await response.read())
        now = datetime.now(UTC)
        if answer.is_block():
            seconds = answer.requested_wait(now) or self._cooldown
            self._limiter.block(self._clock(), seconds)
            self._observer.sending_stopped(SendingStopped(reason="block", seconds=seconds))
        elif answer.status == 429 and not answer.is_daily_budget(now):
            self._limiter.pause(self._clock(), answer.requested_wait(now))
