"""The limiter of many processes: waiting by what a script inside Redis decides."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
import uuid
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar

from attrs import evolve, frozen
from redis.exceptions import RedisError

from pipeflow.arguments import check_int, check_seconds
from pipeflow.errors import TransportError
from pipeflow.limiting import BurstLimiter, block_error
from pipeflow.redis.script import BLOCKED, GRANTED, REASONS, SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from redis.asyncio import Redis, RedisCluster

    from pipeflow.answers import RateLimit
    from pipeflow.limiting import BlockReason, Slot

__all__ = ["RedisBurstLimiter"]

_T = TypeVar("_T")

_log = logging.getLogger("pipeflow")

PATIENCE: Final = 0.5
"""Seconds. Redis answers in about a millisecond; after so many, twice, it counts as away."""

RETRY_INTERVAL: Final = 0.5
"""Seconds between two attempts to reach a Redis that is away."""


class _RedisAwayError(Exception):
    """Redis did not answer, or with an error; the cause says which."""


class _Reply(NamedTuple):
    verdict: int
    microseconds: int
    number: int
    granted_at: int
    probe: int


class _Order(NamedTuple):
    """A pause or a block, as long as it lasts."""

    until: float
    reason: BlockReason | None


class RedisBurstLimiter:
    """At most `limit` requests in any `window` seconds, in all processes together.

    It is `BurstLimiter` for many processes with one token: first come, first served over all of
    them, by the clock of the Redis server. They share what the answers tell of the limit, pauses,
    blocks, and until when the day's tokens are used up; each other's requests are known and not
    taken for those of other programs.

    A request that need not wait costs one round trip to Redis before it is sent and one after,
    which nobody waits for. One that had to wait asks once more when its time has come (from far
    behind, at half of the way as well), because a pause or a lower limit may have come meanwhile.

    Cancelling is safe. A process that is killed gives back what it held by itself: its places
    after the time at which it should have asked again, its slots after a window and half a second.

    **When Redis does not answer** within a second there is a warning in the log, once, and it is
    tried again twice a second. Until it answers `when_away` decides:

    - `"fallback"`: each process keeps to `fallback_share` of the limit by itself. Choose a share
      of one divided by the number of your processes.
    - `"wait"`: requests wait.
    - `"raise"`: requests raise a `TransportError` without being sent.

    A Redis that comes back without its data has forgotten the last window and all blocks but
    those of this process.

    Works with a cluster (all keys share a hash tag), and after `SCRIPT FLUSH`. Use it in the event
    loop that its client belongs to. It never closes the client. `aclose` it first.

    Args:
        redis: An asyncio client of redis-py 5 or newer. Whether it decodes responses is the same.
        key: What all these processes have in common and no others: best the API token itself, or
            the client id and company of an OAuth app. Only its hash goes to Redis.
        limit: Requests allowed per window until an answer tells the token's real limit.
        window: Seconds. The same in all processes.
        when_away: What to do while Redis does not answer.
        fallback_share: The part of the limit that this process uses by itself meanwhile.

    Raises:
        ValueError: An argument is out of bounds, or `key` is empty.
        TypeError: One is of another type.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        *,
        key: str,
        limit: int = 20,
        window: float = 2.0,
        when_away: Literal["fallback", "wait", "raise"] = "fallback",
        fallback_share: float = 0.25,
    ) -> None:
        check_int("limit", limit, least=1)
        check_seconds("window", window)
        if not key:
            raise ValueError("key must not be empty: it tells one token's limit from another's")
        if when_away not in {"fallback", "wait", "raise"}:
            raise ValueError(f"when_away must be 'fallback', 'wait' or 'raise', not {when_away!r}")
        if not 0.0 < fallback_share <= 1.0:
            raise ValueError(f"fallback_share must be above 0 and at most 1, not {fallback_share}")
        tag = hashlib.sha256(key.encode()).hexdigest()[:24]
        self._keys = [f"pipeflow:{{{tag}}}:{name}" for name in ("waiting", "due", "sent", "state")]
        self._script = redis.register_script(SCRIPT)
        self._first_limit = limit
        self._limit = limit
        self._window = window
        self._when_away = when_away
        self._share = fallback_share
        self._away = False
        self._retry_at = -math.inf
        self._in_process = BurstLimiter(limit, window)
        self._sent_alone: list[float] = []  # when, while Redis was away
        self._orders: list[_Order] = []
        self._untold: list[_Order] = []
        self._telling: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        self._naps: set[asyncio.Event] = set()

    def __repr__(self) -> str:
        away = ", Redis is away" if self._away else ""
        return f"<RedisBurstLimiter {self._limit} per {self._window:g} s{away}>"

    @property
    def limit(self) -> int:
        """Requests allowed per window by all processes, as last heard."""
        return self._limit

    @property
    def window(self) -> float:
        """Seconds."""
        return self._window

    async def acquire(self) -> Slot:
        """Waits for a slot. Cancelling is safe: the place goes to the next.

        Raises:
            BlockedError: Cloudflare has blocked one of the processes.
            DailyBudgetExhaustedError: The day's tokens are used up.
            RateLimitError: The server asked to wait longer than a session's `max_wait`.
            TransportError: Redis is away, and `when_away` is `"raise"`.
        """
        while True:
            cause: BaseException | None = None
            if not self._away or time.monotonic() >= self._retry_at:
                self._retry_at = time.monotonic() + RETRY_INTERVAL  # one at a time, if it is away
                try:
                    return await self._acquire_shared()
                except _RedisAwayError as error:
                    cause = error.__cause__
            if self._when_away == "fallback":
                return await self._acquire_alone()
            if self._when_away == "raise":
                raise TransportError(
                    "nothing was sent: the Redis of the limiter does not answer"
                ) from cause
            await asyncio.sleep(max(0.0, self._retry_at - time.monotonic()))

    def pause(self, seconds: float | None) -> None:
        """Grants no slot in any process for so many seconds, or for one window."""
        self._order(self._window if seconds is None else seconds, None)

    def block(self, seconds: float, reason: BlockReason) -> None:
        """Refuses all requests for so many seconds, in this process also those that wait.

        Those that wait in other processes hear of it when they look again.
        """
        self._order(seconds, reason)

    async def aclose(self) -> None:
        """Waits until Redis has heard all that it was to be told, for some seconds at most."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    # ---- with Redis

    async def _acquire_shared(self) -> Slot:
        request = uuid.uuid4().hex
        probe = 0
        call: asyncio.Task[_Reply] | None = None
        try:
            while True:
                await self._tell_orders()
                spent = self._spent_alone()
                # Redis carries out what was sent also when its sender is cancelled: so it is not.
                call = self._spawn(self._call("take", request, spent, probe))
                reply = await asyncio.shield(call)
                call = None
                del self._sent_alone[:spent]
                if reply.verdict == BLOCKED:
                    reason = REASONS[reply.number - 1]
                    raise block_error(reason, reply.microseconds / 1e6)
                probe = reply.probe
                await self._nap(reply.microseconds / 1e6, awake=reply.verdict == GRANTED)
                if reply.verdict == GRANTED:
                    return _Slot(
                        partial(self._answered, request, reply),
                        partial(self._not_sent, request, probe),
                    )
        except asyncio.CancelledError:
            self._spawn(self._give_back(request, probe, call))
            raise

    async def _nap(self, seconds: float, *, awake: bool) -> None:
        """Waits; until there is a block to hear of, at most, unless the slot is there already."""
        if awake:
            if seconds:
                await asyncio.sleep(seconds)
            return
        news = asyncio.Event()
        self._naps.add(news)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await news.wait()
        finally:
            self._naps.discard(news)

    async def _give_back(
        self, request: str, probe: int, call: asyncio.Task[_Reply] | None = None
    ) -> None:
        with suppress(_RedisAwayError):
            if call is not None:
                probe = (await call).probe
            await self._call("cancel", request, probe)

    def _not_sent(self, request: str, probe: int) -> None:
        self._spawn(self._give_back(request, probe))

    def _answered(self, request: str, granted: _Reply, told: RateLimit | None) -> None:
        if told is not None and not self._away:
            self._spawn(self._release(request, granted, told))

    async def _release(self, request: str, granted: _Reply, told: RateLimit) -> None:
        reset = -1 if told.reset_seconds is None else round(told.reset_seconds * 1e6)
        limit = -1 if told.limit is None else told.limit
        remaining = -1 if told.remaining is None else told.remaining
        with suppress(_RedisAwayError):
            reply = await self._call(
                "release",
                request,
                granted.number,
                granted.granted_at,
                granted.probe,
                limit,
                remaining,
                reset,
            )
            self._limit = reply.number

    async def _call(self, operation: str, request: str, *values: int) -> _Reply:
        window = round(self._window * 1e6)
        args: list[str | int] = [operation, request, window, self._first_limit, *values]
        try:
            try:
                reply = await self._ask(args)
            except TimeoutError:  # a process that was stopped for a while hears its answer too late
                reply = await self._ask(args)
        except (RedisError, OSError) as error:
            self._note_away(error)
            raise _RedisAwayError from error
        if self._away:
            self._away = False
            _log.info("the Redis of the limiter answers again: one limit for all processes")
        return reply

    async def _ask(self, args: list[str | int]) -> _Reply:
        async with asyncio.timeout(PATIENCE):
            return _Reply(*await self._script(keys=self._keys, args=args))

    def _spawn(self, work: Coroutine[object, object, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ---- pauses and blocks

    def _order(self, seconds: float, reason: BlockReason | None) -> None:
        now = time.monotonic()
        order = _Order(now + seconds, reason)
        self._orders = [other for other in self._orders if other.until > now] + [order]
        self._untold.append(order)
        self._give_order(order, self._in_process)
        if not self._away:
            task = self._spawn(self._tell_at_once())
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell_at_once(self) -> None:
        with suppress(_RedisAwayError):
            await self._tell_untold()
        for news in self._naps:
            news.set()

    async def _tell_orders(self) -> None:
        """Nothing is asked before Redis knows what this process knows."""
        if self._telling:
            await asyncio.wait(self._telling)
        await self._tell_untold()

    async def _tell_untold(self) -> None:
        while self._untold:
            order = self._untold[0]
            left = round((order.until - time.monotonic()) * 1e6)
            if left > 0:
                if order.reason is None:
                    await self._call("pause", "", left)
                else:
                    await self._call("block", "", left, REASONS.index(order.reason) + 1)
            with suppress(ValueError):  # another task was faster
                self._untold.remove(order)

    # ---- without Redis

    def _note_away(self, error: BaseException) -> None:
        if self._away:
            return
        self._away = True
        self._retry_at = time.monotonic() + RETRY_INTERVAL
        share = self._share_of(self._limit)
        self._in_process = BurstLimiter(share, self._window)
        for order in self._orders:
            self._give_order(order, self._in_process)
        what = {
            "fallback": f"this process keeps to {share} requests per {self._window:g} s by itself",
            "wait": "requests wait for it",
            "raise": "requests fail without being sent",
        }[self._when_away]
        _log.warning(
            "the Redis of the limiter does not answer (%s): %s", type(error).__name__, what
        )

    def _share_of(self, limit: int) -> int:
        return max(1, int(limit * self._share))

    async def _acquire_alone(self) -> Slot:
        slot = await self._in_process.acquire()
        self._sent_alone.append(time.monotonic())
        return _Slot(partial(self._answered_alone, slot), slot.cancel)

    def _answered_alone(self, slot: Slot, told: RateLimit | None) -> None:
        if told is not None:
            share = None if told.limit is None else self._share_of(told.limit)
            told = evolve(told, limit=share, remaining=None)  # the remaining is for all of us
        slot.release(told)

    def _spent_alone(self) -> int:
        """How many requests of the last window Redis does not know of; it is told."""
        since = time.monotonic() - self._window
        self._sent_alone = [moment for moment in self._sent_alone if moment > since]
        return len(self._sent_alone)

    @staticmethod
    def _give_order(order: _Order, limiter: BurstLimiter) -> None:
        left = order.until - time.monotonic()
        if left > 0 and order.reason is None:
            limiter.pause(left)
        elif left > 0 and order.reason is not None:
            limiter.block(left, order.reason)


@frozen(eq=False)
class _Slot:
    """A slot, and whom it tells what became of it."""

    on_release: Callable[[RateLimit | None], None]
    on_cancel: Callable[[], None]

    def release(self, rate_limit: RateLimit | None) -> None:
        self.on_release(rate_limit)

    def cancel(self) -> None:
        self.on_cancel()
