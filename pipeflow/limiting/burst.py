"""The burst limit: who may send when. Arithmetic only; the waiting is the middleware's."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from pipeflow.arguments import check_int, check_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.answers import RateLimit

__all__ = ["BurstLimiter", "Ticket"]

LONGEST_TRAVEL = 0.5
"""Seconds. A request counts from when it reaches the server, at the latest this long after it was
sent. (A gateway counts it on arrival, not when its answer is ready.)"""

BURST_SHARE = 0.5
"""The part of the allowance that may be sent at once; the rest is spread evenly. Should the
allowance change, few requests are on their way unaware."""

MEMORY = 10.0
"""Seconds for which the limiter remembers how much others can use between two answers."""


@define(eq=False, repr=False)
class Ticket:
    """One request's place in the queue and, once granted, its slot.

    Attributes:
        wake: Called when the ticket's holder should ask for its delay again. False says that the
            holder is gone, with its event loop; the ticket then leaves the queue.
        slot_free_at: The moment at which the granted slot is free again; None while waiting.
        number: How many slots had been granted up to this one; set when it is.
        granted_at: When the slot was granted; set when it is.
    """

    wake: Callable[[], bool]
    slot_free_at: float | None = None
    number: int = field(init=False)
    granted_at: float = field(init=False)


@frozen(eq=False)
class _Claim:
    """A part of the allowance that is left to others, up to a moment."""

    requests: int
    until: float

    def at(self, now: float) -> int:
        """Requests that are left to others now."""
        return self.requests if now < self.until else 0


_NO_CLAIM = _Claim(0, -math.inf)


class BurstLimiter:
    """At most `limit` requests in any `window` seconds, first come, first served.

    Half of them may be sent at once, and the others follow evenly spaced; while the whole allowance
    is in use, and beside other programs, all are.

    The limit given here is what is assumed until an answer's `x-ratelimit-*` headers tell the
    token's own; from then on the server's word counts. What other programs use of the allowance
    is seen in the answers too, left to them, and some more kept free for a while, so that they and
    this one do not meet at the limit.

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
        self._granted = 0
        self._slots_free_at: list[float] = []  # sorted; of our requests, some past ones too
        self._evenly_at = -math.inf  # when the next would be granted if all were evenly spaced
        self._others = _NO_CLAIM  # what they have used of the window
        self._reserve = _NO_CLAIM  # what they may use before we hear of it
        self._heard_at = -math.inf
        self._crowded_until = -math.inf  # a window from when there was room again, after none
        self._paused_until = -math.inf
        self._blocked_until = -math.inf

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

    # ---- the queue

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
        return self._next_slot_at(now) - now

    def hand_back(self, ticket: Ticket, now: float) -> None:
        """Leaves the queue or returns the slot, to the next in the queue: nothing was sent."""
        self._waiting.pop(ticket, None)
        if ticket.slot_free_at is not None:
            self._free_slot(ticket.slot_free_at)
            self._evenly_at -= self._gap
        self._grant_slots(now)

    def settle(self, ticket: Ticket, now: float, rate_limit: RateLimit | None = None) -> None:
        """The request is over; `rate_limit` is what the answer told, None without an answer.

        What was answered was counted by now. What was not may still be on its way.
        """
        if rate_limit is not None:
            if ticket.slot_free_at is not None and now + self._window < ticket.slot_free_at:
                self._free_slot(ticket.slot_free_at)
                ticket.slot_free_at = now + self._window
                insort(self._slots_free_at, ticket.slot_free_at)
            self._learn(rate_limit, ticket, now)
        self._grant_slots(now)

    def pause(self, now: float, seconds: float | None) -> None:
        """The server refused a request: no slot is granted for `seconds`; None is one window."""
        wait = self._window if seconds is None else seconds
        self._paused_until = max(self._paused_until, now + wait)

    def paused_seconds(self, now: float) -> float:
        """Seconds until a pause ends, 0.0 without one."""
        return max(0.0, self._paused_until - now)

    # ---- a block

    def block(self, now: float, seconds: float) -> None:
        """Nothing may be sent for `seconds`; those who wait are woken to hear it."""
        self._blocked_until = max(self._blocked_until, now + seconds)
        for ticket in self._waiting:
            ticket.wake()

    def blocked_seconds(self, now: float) -> float:
        """Seconds until a block ends, 0.0 without one."""
        return max(0.0, self._blocked_until - now)

    # ---- slots

    @property
    def _gap(self) -> float:
        return self._window / self._limit

    def _grant_slots(self, now: float) -> None:
        """Gives each free slot to whoever has waited longest, and wakes the queue's new head."""
        while self._waiting and now >= self._next_slot_at(now):
            ticket, _ = self._waiting.popitem(last=False)
            if ticket.wake():
                self._granted += 1
                ticket.number = self._granted
                ticket.granted_at = now
                ticket.slot_free_at = now + LONGEST_TRAVEL + self._window
                insort(self._slots_free_at, ticket.slot_free_at)
                self._evenly_at = max(self._evenly_at, now) + self._gap
        while self._waiting and not next(iter(self._waiting)).wake():
            self._waiting.popitem(last=False)
        if self._waiting and (room_at := self._room_at(now)) > now:
            self._crowded_until = room_at + self._window

    def _next_slot_at(self, now: float) -> float:
        """The moment at which to grant or, at the latest, to look again."""
        self._forget_past(now)
        return max(self._room_at(now), self._evenly_at - self._ahead(now), self._paused_until)

    def _ahead(self, now: float) -> float:
        """Seconds by which a slot may be granted before its even place.

        Beside others none, so that few of our requests meet theirs; little from when the whole
        allowance was in use, which would else go in bursts for ever; and at first after a refusal
        little, too.
        """
        if now < self._reserve.until:
            return 0.0
        most = BURST_SHARE * self._window
        if now < self._crowded_until:
            most = min(most, 2 * self._gap)
        return min(most, max(0.0, now - self._paused_until))

    def _room_at(self, now: float) -> float:
        others = self._others.at(now)
        reserve = min(self._reserve.at(now), (self._limit - others) // 2)
        held = self._held_at(now)
        excess = held + others + reserve - self._limit
        if excess < 0:
            return now
        changes = [self._others.until, self._reserve.until]
        if excess < held:
            changes.append(self._slots_free_at[excess - held])  # the last ones are those held
        return min(change for change in changes if change > now)

    def _held_at(self, moment: float) -> int:
        """How many of our requests count at a moment, as far as they are remembered."""
        return len(self._slots_free_at) - bisect_right(self._slots_free_at, moment)

    def _forget_past(self, now: float) -> None:
        # An answer that comes now was counted when it was sent, at the earliest.
        del self._slots_free_at[: bisect_right(self._slots_free_at, now - LONGEST_TRAVEL)]

    def _free_slot(self, slot_free_at: float) -> None:
        place = bisect_left(self._slots_free_at, slot_free_at)
        if self._slots_free_at[place : place + 1] == [slot_free_at]:
            del self._slots_free_at[place]

    # ---- what the answers tell

    def _learn(self, rate_limit: RateLimit, ticket: Ticket, now: float) -> None:
        if rate_limit.limit is not None and rate_limit.limit != self._limit:
            self._evenly_at = now + (self._evenly_at - now) * self._limit / rate_limit.limit
            self._limit = rate_limit.limit
            self._crowded_until = -math.inf
        if rate_limit.remaining is None or now - ticket.granted_at > LONGEST_TRAVEL:
            return  # too old an answer to tell others' requests from our own
        self._forget_past(now)
        used = self._limit - rate_limit.remaining
        sent_since = self._granted - ticket.number
        ours = self._held_at(ticket.granted_at)
        if used > ours or now < self._reserve.until:
            # Somebody else sends, too. So in doubt it is theirs: a server that counts over fixed
            # windows has forgotten some of ours.
            others = max(0, used - max(0, self._held_at(now) - sent_since))
        else:
            others = max(0, used - max(0, ours - sent_since))
        if used > ours:
            # As much as came between two answers can come again before the next.
            reserve = self._reserve.at(now)
            if now - self._heard_at < self._window / 4:
                reserve = max(reserve, others - self._others.requests)
            self._reserve = _Claim(reserve, now + MEMORY)
        self._heard_at = now
        reset = self._window if rate_limit.reset_seconds is None else rate_limit.reset_seconds
        self._others = _Claim(others, now + min(reset, self._window))
