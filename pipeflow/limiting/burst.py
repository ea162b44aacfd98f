"""The limiter of one process: waiting by the arithmetic of `SlotQueue`."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import frozen

from pipeflow.arguments import check_int, check_seconds
from pipeflow.limiting.blocks import Block, DailyBlock, block_error
from pipeflow.limiting.queue import Reservation, SlotQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.answers import RateLimit
    from pipeflow.limiting.protocol import Slot
    from pipeflow.observing.events import BlockReason

__all__ = ["BurstLimiter"]


class BurstLimiter:
    """At most `limit` requests in any `window` seconds, first come, first served.

    Half of them may be sent at once, and the others follow evenly spaced; while the whole allowance
    is in use, and beside other programs, all are.

    The limit given here is assumed until an answer's `x-ratelimit-*` headers tell the token's real
    one; from then on the server's word counts. The answers also show how much of the allowance
    other programs use. That much is left to them, and some more is kept free for a while.

    One limiter given to several sessions is shared by them, which is right if they use the same
    token: one's pause or block holds for all. After a daily 429 every 15 minutes one request may
    ask whether there are new tokens.

    It works in one event loop after another, and is not thread-safe: used in two threads at the
    same time it raises a `RuntimeError`.

    Source: Pipedrive's guide, "Rate limiting" (`core-api-concepts-rate-limiting`): 20 requests
    per rolling 2 s on the smallest plan.

    Args:
        limit: Requests allowed per window until the server tells its own limit.
        window: Seconds.
        clock: A monotonic clock in seconds.
        wall_clock: Seconds since some fixed moment, also while the computer sleeps: the day's
            budget is there again at a time of day.

    Raises:
        ValueError: `limit` is below 1 or `window` is not positive.
        TypeError: One of them is not a number.
    """

    def __init__(
        self,
        limit: int = 20,
        window: float = 2.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        check_int("limit", limit, least=1)
        check_seconds("window", window)
        self._clock = clock
        self._wall_clock = wall_clock
        self._queue = SlotQueue(limit, window)
        self._cloudflare = Block()
        self._long_wait = Block()
        self._daily = DailyBlock()
        self._owner: tuple[int, asyncio.AbstractEventLoop] | None = None
        self._owner_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<BurstLimiter {self.limit} per {self.window:g} s, {self._queue.waiting} waiting>"

    @property
    def limit(self) -> int:
        """Requests allowed per window, as last learned."""
        return self._queue.limit

    @property
    def window(self) -> float:
        """Seconds."""
        return self._queue.window

    async def acquire(self) -> Slot:
        """Waits for a slot. Cancelling is safe: the place goes to the next.

        Raises:
            BlockedError: Cloudflare has blocked this client.
            DailyBudgetExhaustedError: The day's tokens are used up.
            RateLimitError: The server asked to wait longer than a session's `max_wait`.
            RuntimeError: The limiter is used in another thread, too.
        """
        loop = asyncio.get_running_loop()
        self._claim(loop)
        self._check_blocks()
        probe = self._daily.take_probe(self._wall_clock())
        if probe is None:
            self._check_daily_block()
        awake = asyncio.Event()

        def wake() -> bool:
            if loop.is_closed():
                return False
            awake.set()
            return True

        reservation = self._queue.reserve(wake, self._clock())
        slot = _BurstSlot(reservation, probe, self._queue, self._daily, self._clock)
        try:
            while (delay := self._queue.delay_seconds(reservation, self._clock())) != 0.0:
                awake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await awake.wait()
                self._check_blocks()
                if probe is None:
                    self._check_daily_block()
        except BaseException:
            slot.cancel()
            raise
        return slot

    def pause(self, seconds: float | None) -> None:
        """Grants no slot for so many seconds, or for one window."""
        self._queue.pause(self._clock(), seconds)

    def block(self, seconds: float, reason: BlockReason) -> None:
        """Refuses all requests for so many seconds, those that wait as well."""
        if reason == "daily_budget":
            self._daily.begin(self._wall_clock(), seconds)
        else:
            block = self._cloudflare if reason == "cloudflare" else self._long_wait
            block.begin(self._clock(), seconds)
        self._queue.wake_all()

    def _claim(self, loop: asyncio.AbstractEventLoop) -> None:
        """Makes this thread's loop the one that uses the limiter, if no other thread's does.

        Waiters are woken by each other's tasks, which reaches no loop of another thread: they
        would wait for ever.
        """
        thread = threading.get_ident()
        with self._owner_lock:
            if self._owner is not None:
                other_thread, other_loop = self._owner
                if other_thread != thread and not other_loop.is_closed():
                    raise RuntimeError(
                        "this BurstLimiter is used by the event loop of another thread, and it is "
                        "not thread-safe: give the sessions of each thread a limiter of their own"
                    )
            self._owner = (thread, loop)

    def _check_blocks(self) -> None:
        now = self._clock()
        if seconds := self._cloudflare.seconds_left(now):
            raise block_error("cloudflare", seconds)
        if seconds := self._long_wait.seconds_left(now):
            raise block_error("long_wait", seconds)

    def _check_daily_block(self) -> None:
        if seconds := self._daily.seconds_left(self._wall_clock()):
            raise block_error("daily_budget", seconds)


@frozen(eq=False)
class _BurstSlot:
    """A slot of a `BurstLimiter`, or a place in its queue that is not granted yet."""

    reservation: Reservation
    probe: int | None
    queue: SlotQueue
    daily: DailyBlock
    clock: Callable[[], float]

    def release(self, rate_limit: RateLimit | None) -> None:
        self.queue.release(self.reservation, self.clock(), rate_limit)
        if self.probe is not None and rate_limit is not None:
            self.daily.lift(self.probe)

    def cancel(self) -> None:
        self.queue.cancel(self.reservation, self.clock())
        if self.probe is not None:
            self.daily.give_probe_back(self.probe)
