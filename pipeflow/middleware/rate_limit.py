"""Sending each request in its turn, and none that would be refused: glue around a `Limiter`."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import asdict, evolve

from pipeflow.answers import Answer, RateLimit
from pipeflow.cost import request_tokens
from pipeflow.errors import DailyBudgetExhaustedError
from pipeflow.limiting import BurstLimiter, Limiter
from pipeflow.limiting.daily_budget import TokenReserve, seconds_until_midnight
from pipeflow.middleware.bodies import read_body
from pipeflow.middleware.observe import details_of
from pipeflow.observing import LimitWaited, Observer, SendingStopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow.observing.events import BlockReason, StopReason

__all__ = ["RateLimitMiddleware"]

SHORTEST_WAIT = 0.001
"""Seconds. A shorter wait is not told of: it is the time that the limiter itself takes."""


class RateLimitMiddleware:
    """Sends a request when its limiter grants it a slot, and stops where sending is useless.

    It passes each answer's headers to the limiter. After a burst 429 the limiter pauses for as
    long as the server asks. In three cases it blocks, and all requests, the waiting ones included,
    fail at once without being sent:

    - with `BlockedError` after a block by Cloudflare, for the time it states or `cooldown` seconds,
    - with `DailyBudgetExhaustedError` after a daily 429, until the time that `Retry-After` states,
      else until the next midnight (UTC is assumed),
    - with `RateLimitError` after a burst 429 that asks to wait longer than `max_wait`.

    You can cancel a waiting request: its place goes to the next.

    Args:
        limiter: Shared by all middlewares it is given to. By default a new `BurstLimiter`.
        cooldown: Seconds without a request after a block that does not say how long it lasts.
        max_wait: Seconds. The longest wait that the server can ask for before requests fail.
        reserve_tokens: How many of the day's tokens to leave to others. Below it requests fail with
            `DailyBudgetExhaustedError`; the answers' headers say how many are left. None means
            that all may be spent.
        clock: A monotonic clock in seconds.
        wall_clock: Seconds since 1970 in UTC.
        observer: Whom to tell of waits, and of why nothing more is sent.

    Attributes:
        rate_limit: What the answers told last, field by field.

    Raises:
        TypeError: `limiter` is not a limiter.
    """

    def __init__(
        self,
        limiter: Limiter | None = None,
        *,
        cooldown: float = 300.0,
        max_wait: float = 60.0,
        reserve_tokens: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        observer: Observer | None = None,
    ) -> None:
        if limiter is None:
            limiter = BurstLimiter(clock=clock, wall_clock=wall_clock)
        elif not isinstance(limiter, Limiter):
            raise TypeError(
                f"limiter must have the methods of pipeflow.limiting.Limiter, not be {limiter!r}"
            )
        self._limiter = limiter
        self._cooldown = cooldown
        self._max_wait = max_wait
        self._reserve = TokenReserve(reserve_tokens)
        self._clock = clock
        self._wall_clock = wall_clock
        self._observer = Observer() if observer is None else observer
        self._told_until: dict[StopReason, float] = {}
        self.rate_limit: RateLimit = RateLimit()

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request in its turn."""
        cost = request_tokens(request.url.path)
        self._check_reserve(cost)
        asked_at = self._clock()
        slot = await self._limiter.acquire()
        try:
            self._check_reserve(cost)  # others may have spent tokens meanwhile
            self._tell_waited(request, self._clock() - asked_at)
        except BaseException:
            slot.cancel()
            raise
        number = self._reserve.send(cost)
        rate_limit = None
        try:
            response = await handler(request)
            if response.status in {403, 429}:
                await self._note_refusal(response)
            rate_limit = Answer(response.status, response.headers, b"").rate_limit()
        finally:
            told = RateLimit() if rate_limit is None else rate_limit
            self._reserve.end(number, cost, told.daily_remaining, self._now())
            slot.release(rate_limit)
        self._note_limits(told)
        return response

    def _tell_waited(self, request: ClientRequest, seconds: float) -> None:
        if seconds >= SHORTEST_WAIT:
            self._observer.limit_waited(LimitWaited(request=details_of(request), seconds=seconds))

    def _check_reserve(self, cost: int) -> None:
        try:
            self._reserve.check(cost, self._now())
        except DailyBudgetExhaustedError as error:
            self._tell_stopped("token_reserve", error.retry_after or 0.0)
            raise

    def _note_limits(self, rate_limit: RateLimit) -> None:
        told = {name: value for name, value in asdict(rate_limit).items() if value is not None}
        self.rate_limit = evolve(self.rate_limit, **told)

    async def _note_refusal(self, response: ClientResponse) -> None:
        answer = Answer(response.status, response.headers, await read_body(response) or b"")
        now = self._now()
        wait = answer.requested_wait(now)
        if answer.is_block():
            self._block(wait or self._cooldown, "cloudflare")
        elif answer.is_daily_budget(now):
            self._block(wait or seconds_until_midnight(now), "daily_budget")
        elif answer.status == 429 and wait is not None and wait > self._max_wait:
            self._block(wait, "long_wait")
        elif answer.status == 429:
            self._limiter.pause(wait)

    def _block(self, seconds: float, reason: BlockReason) -> None:
        self._limiter.block(seconds, reason)
        self._tell_stopped(reason, seconds)

    def _tell_stopped(self, reason: StopReason, seconds: float) -> None:
        """Tells it once, however many requests are refused for the same reason."""
        now = self._clock()
        if now >= self._told_until.get(reason, -math.inf):
            self._told_until[reason] = now + seconds
            self._observer.sending_stopped(SendingStopped(reason=reason, seconds=seconds))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall_clock(), UTC)
