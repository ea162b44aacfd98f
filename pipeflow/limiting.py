"""The burst limit: who may send when. Arithmetic only; the waiting is the middleware's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field

from pipeflow.arguments import check_int, check_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.answers import RateLimit

__all__ = ["BurstLimiter", "Ticket"]

LONGEST_TRAVEL = 0.5
"""Seconds. A request counts from when it reaches the server, at the latest this long after it was
sent. (A gateway counts it on arrival, not when its answer is ready.)"""


@define(eq=False)
class Ticket:
    """One request's place in the queue and, once granted, its slot.

    Attributes:
        wake: Called when the ticket's holder should ask for its delay again. False says that the
            holder is gone, with its event loop; the ticket then leaves the queue.
        slot_free_at: The moment at which the granted slot is free again; None while waiting.
    """

    wake: Callable[[], bool] = field(repr=False)
    slot_free_at: float | None = None


class BurstLimiter:
    """At most `limit` requests in any `window` seconds, first come, first served.

    The limit given here is what is assumed until an answer's `x-ratelimit-*` headers tell the
    token's own; from then on the server's word counts, and what other programs use of it too.

    One limiter given to several sessions is shared by them, which is right when they use the same
    token. It belongs to one event loop at a time and is not thread-safe.

    In all methods `now` is seconds of one monotonic clock.

    Source: Pipedrive's guide, "Rate limiting" (`core-api-concepts-rate-limiting`): 20 requests
    per rolling 2 s on the smallest plan.

    Args:
        limit: Requests allowed per window until the server names its own limit.
        window: Seconds.

    Raises:
        ValueError: `limit` is below 1 or `window` is not positive.
        TypeError: One of them is not a number.
    """

    def __init__(self, limit: int = 20, window: float = 2.0) -> None:
        check_int("limit", limit, least=1)
        check_seconds("window", window)
        self._limit = limit
        self._window = window
        self._waiting: OrderedDict[Ticket, None] = OrderedDict()
        self._slots_free_at: list[float] = []  # sorted; of all requests that still count
        self._paused_until = 0.0
        self._blocked_until = 0.0

    def __repr__(self) -> str:
        return f"<BurstLimiter {self._limit} per {self._window:g} s, {len(self._waiting)} waiting>"

    @property
    def limit(self) -> int:
        """Requests allowed per window, as last learned."""
        return self._limit

    @property
    def window(self) -> float:
        """Seconds."""
        return self._window

    def join(self, wake: Callable[[], bool], now: float) -> Ticket:
        """Takes a place at the end of the queue; the slot is granted at once if one is free."""
        ticket = Ticket(wake)
        self._waiting[ticket] = None
        self._grant_slots(now)
        return ticket

    def delay_seconds(self, ticket: Ticket, now: float) -> float | None:
        """0.0 when the request may be sent; else seconds to wait, or None: until woken."""
        self._grant_slots(now)
        if ticket.slot_free_at is not None:
            return 0.0
        if next(iter(self._waiting), None) is not ticket:
            return None
        return self._next_slot_at() - now

    def hand_back(self, ticket: Ticket, now: float) -> None:
        """Leaves the queue or returns the slot, to the next in the queue: nothing was sent."""
        self._waiting.pop(ticket, None)
        if ticket.slot_free_at is not None:
            self._free_slot(ticket.slot_free_at)
        self._grant_slots(now)

    def settle(self, ticket: Ticket, now: float, rate_limit: RateLimit | None = None) -> None:
        """The request is over: the server counted it by now, and may have told its limits."""
        if ticket.slot_free_at is not None and now + self._window < ticket.slot_free_at:
            self._free_slot(ticket.slot_free_at)
            ticket.slot_free_at = now + self._window
            insort(self._slots_free_at, ticket.slot_free_at)
        if rate_limit is not None:
            self._learn(rate_limit, now)
        self._grant_slots(now)

    def pause(self, now: float, seconds: float | None) -> None:
        """The server refused a request: no slot is granted for `seconds`; None is one window."""
        wait = self._window if seconds is None else seconds
        self._paused_until = max(self._paused_until, now + wait)

    def block(self, now: float, seconds: float) -> None:
        """Nothing may be sent for `seconds`; those who wait are woken to hear it."""
        self._blocked_until = max(self._blocked_until, now + seconds)
        for ticket in self._waiting:
            ticket.wake()

    def blocked_seconds(self, now: float) -> float:
        """Seconds until a block ends, 0.0 without one."""
        return max(0.0, self._blocked_until - now)

    def _grant_slots(self, now: float) -> None:
        """Gives each free slot to whoever has waited longest, and wakes the queue's new head."""
        del self._slots_free_at[: bisect_right(self._slots_free_at, now)]
        while self._waiting and now >= self._next_slot_at():
            ticket, _ = self._waiting.popitem(last=False)
            if ticket.wake():
                ticket.slot_free_at = now + LONGEST_TRAVEL + self._window
                insort(self._slots_free_at, ticket.slot_free_at)
        while self._waiting and not next(iter(self._waiting)).wake():
            self._waiting.popitem(last=False)

    def _next_slot_at(self) -> float:
        excess = len(self._slots_free_at) - self._limit
        return max(self._slots_free_at[excess] if excess >= 0 else 0.0, self._paused_until)

    def _free_slot(self, slot_free_at: float) -> None:
        place = bisect_left(self._slots_free_at, slot_free_at)
        if self._slots_free_at[place : place + 1] == [slot_free_at]:
            del self._slots_free_at[place]

    def _learn(self, rate_limit: RateLimit, now: float) -> None:
        if rate_limit.limit is not None:
            self._limit = rate_limit.limit
        if rate_limit.remaining is None:
            return
        # Ours that are still on their way count as used here, though the server may not have seen
        # them when it answered: what is used beyond them, others have used.
        del self._slots_free_at[: bisect_right(self._slots_free_at, now)]
        used_by_others = self._limit - rate_limit.remaining - len(self._slots_free_at)
        reset = self._window if rate_limit.reset_seconds is None else rate_limit.reset_seconds
        for _ in range(used_by_others):
            insort(self._slots_free_at, now + min(reset, self._window))
