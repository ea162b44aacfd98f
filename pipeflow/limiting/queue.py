"""When each request may be sent: the arithmetic of the burst limit, without clock or waiting."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.answers import RateLimit

__all__ = ["Reservation", "SlotQueue"]

LONGEST_TRAVEL = 0.5
"""Seconds. A request counts from when it reaches the server, at the latest this long after it was
sent. (A gateway counts it on arrival, not when its answer is ready.)"""

BURST_SHARE = 0.5
"""The part of the allowance that may be sent at once; the rest is spread evenly. Should the
allowance change, few requests are on their way unaware."""

MEMORY = 10.0
"""Seconds for which it is remembered how much others can use between two answers."""


@define(eq=False, repr=False)
class Reservation:
    """One request's place in the queue and, once granted, its slot.

    Attributes:
        wake: Called when the waiter should ask for its delay again. It returns False if the waiter
            is gone, with its event loop; the reservation then leaves the queue.
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


class SlotQueue:
    """At most `limit` requests in any `window` seconds, first come, first served.

    Half of them may be sent at once, and the others follow evenly spaced; while the whole allowance
    is in use, and beside other programs, all are. See `BurstLimiter`, which waits by it.

    In all methods `now` is seconds of one monotonic clock.

    Args:
        limit: Requests allowed per window until an answer tells the real limit.
        window: Seconds.
    """

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._waiting: OrderedDict[Reservation, None] = OrderedDict()
        self._granted = 0
        self._slots_free_at: list[float] = []  # sorted; of our requests, some past ones too
        self._evenly_at = -math.inf  # when the next would be granted if all were evenly spaced
        self._others = _NO_CLAIM  # what they have used of the window
        self._reserve = _NO_CLAIM  # what they may use before we hear of it
        self._heard_at = -math.inf
        self._saturated_until = -math.inf  # a window from when there was room again, after none
        self._paused_until = -math.inf

    @property
    def limit(self) -> int:
        """Requests allowed per window, as last learned."""
        return self._limit

    @property
    def window(self) -> float:
        """Seconds."""
        return self._window

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot."""
        return len(self._waiting)

    # ---- the queue

    def reserve(self, wake: Callable[[], bool], now: float) -> Reservation:
        """Takes a place at the end of the queue; the slot is granted at once if one is free."""
        reservation = Reservation(wake)
        self._waiting[reservation] = None
        self._grant_slots(now)
        return reservation

    def delay_seconds(self, reservation: Reservation, now: float) -> float | None:
        """0.0 if the request may be sent; else seconds to wait, or None to wait to be woken."""
        self._grant_slots(now)
        if reservation.slot_free_at is not None:
            return 0.0
        if next(iter(self._waiting), None) is not reservation:
            return None
        return self._next_slot_at(now) - now

    def cancel(self, reservation: Reservation, now: float) -> None:
        """Gives the place or the slot to the next in the queue: nothing was sent."""
        self._waiting.pop(reservation, None)
        if reservation.slot_free_at is not None:
            self._free_slot(reservation.slot_free_at)
            self._evenly_at -= self._gap
        self._grant_slots(now)

    def release(
        self, reservation: Reservation, now: float, rate_limit: RateLimit | None = None
    ) -> None:
        """The request is over; `rate_limit` is what the answer told, None without an answer.

        What was answered was counted by now. What was not may still be on its way.
        """
        if rate_limit is not None:
            if (
                reservation.slot_free_at is not None
                and now + self._window < reservation.slot_free_at
            ):
                self._free_slot(reservation.slot_free_at)
                reservation.slot_free_at = now + self._window
                insort(self._slots_free_at, reservation.slot_free_at)
            self._learn(rate_limit, reservation, now)
        self._grant_slots(now)

    def pause(self, now: float, seconds: float | None) -> None:
        """The server refused a request: no slot is granted for `seconds`; None is one window."""
        wait = self._window if seconds is None else seconds
        self._paused_until = max(self._paused_until, now + wait)

    def wake_all(self) -> None:
        """Wakes all that wait, because of something other than their turn."""
        for reservation in self._waiting:
            reservation.wake()

    # ---- slots

    @property
    def _gap(self) -> float:
        return self._window / self._limit

    def _grant_slots(self, now: float) -> None:
        """Gives free slots to those that waited longest, and wakes the new head of the queue."""
        while self._waiting and now >= self._next_slot_at(now):
            reservation, _ = self._waiting.popitem(last=False)
            if reservation.wake():
                self._granted += 1
                reservation.number = self._granted
                reservation.granted_at = now
                reservation.slot_free_at = now + LONGEST_TRAVEL + self._window
                insort(self._slots_free_at, reservation.slot_free_at)
                self._evenly_at = max(self._evenly_at, now) + self._gap
        while self._waiting and not next(iter(self._waiting)).wake():
            self._waiting.popitem(last=False)
        if self._waiting and (room_at := self._room_at(now)) > now:
            self._saturated_until = room_at + self._window

    def _next_slot_at(self, now: float) -> float:
        """The moment at which to grant or, at the latest, to look again."""
        self._forget_past(now)
        return max(self._room_at(now), self._evenly_at - self._ahead(now), self._paused_until)

    def _ahead(self, now: float) -> float:
        """Seconds by which a slot may be granted before its even place.

        0.0 beside others, so that few of our requests meet theirs. Little once the whole allowance
        was in use, or it would go in bursts for ever; and little at first after a refusal.
        """
        if now < self._reserve.until:
            return 0.0
        most = BURST_SHARE * self._window
        if now < self._saturated_until:
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

    def _learn(self, rate_limit: RateLimit, reservation: Reservation, now: float) -> None:
        if rate_limit.limit is not None and rate_limit.limit != self._limit:
            self._evenly_at = now + (self._evenly_at - now) * self._limit / rate_limit.limit
            self._limit = rate_limit.limit
            self._saturated_until = -math.inf
        if rate_limit.remaining is None or now - reservation.granted_at > LONGEST_TRAVEL:
            return  # too old an answer to tell others' requests from our own
        self._forget_past(now)
        used = self._limit - rate_limit.remaining
        sent_since = self._granted - reservation.number
        ours = self._held_at(reservation.granted_at)
        if used > ours or now < self._reserve.until:
            # Another program sends too. When in doubt, count it as theirs: a server that counts
            # over fixed windows has forgotten some of ours.
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
