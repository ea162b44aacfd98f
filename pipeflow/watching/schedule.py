"""Which owner is polled next, and when. Those that were poked come first.

Pure arithmetic: `now` is seconds of one monotonic clock.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEBOUNCE", "FOLLOW_UP", "Schedule"]

DEBOUNCE = 1.0
"""Seconds from a poke to its poll, so that the many webhooks of one change are one poll."""

FOLLOW_UP = 10.0
"""Seconds from that poll to one more: a webhook can come before the flow shows what it is about."""

JITTER = 0.05
"""The part of an interval by which it varies, so that many watches do not fall into step."""

_GOLDEN_RATIO = 0.618033988749895


@define(eq=False)
class Schedule:
    """The times at which owners are due.

    Attributes:
        random: The source of the jitter, from 0 to 1.
    """

    random: Callable[[], float]
    _due: dict[int, float] = field(factory=dict)
    _queue: list[tuple[float, int]] = field(factory=list)
    _poked: dict[int, float] = field(factory=dict)
    _follow_up: set[int] = field(factory=set)
    _spread: set[int] = field(factory=set)
    _phase: float = 0.0

    def __len__(self) -> int:
        return len(self._due)

    def put(self, owner_id: int, due: float) -> None:
        """Polls an owner at a time, instead of the one before."""
        self._due[owner_id] = due
        heapq.heappush(self._queue, (due, owner_id))

    def take_out(self, owner_id: int) -> None:
        """Polls an owner only once `put` or `polled` has said when."""
        self._poked.pop(owner_id, None)
        self._due[owner_id] = math.inf

    def drop(self, owner_id: int) -> None:
        """Polls an owner no more."""
        self._due.pop(owner_id, None)
        self._poked.pop(owner_id, None)
        self._follow_up.discard(owner_id)
        self._spread.discard(owner_id)

    def poke(self, owner_id: int, now: float) -> None:
        """Polls an owner soon: one second after the first of many pokes."""
        if owner_id in self._due:
            self._poked[owner_id] = min(self._poked.get(owner_id, now + DEBOUNCE), now + DEBOUNCE)
            self._follow_up.add(owner_id)

    def next_due(self) -> float | None:
        """When the next owner is due; None when there is none."""
        self._forget_outdated()
        times = [*self._poked.values()]
        if self._queue:
            times.append(self._queue[0][0])
        return min(times, default=None)

    def take(self, now: float) -> int | None:
        """The owner to poll now, the longest poked one first; None when none is due."""
        self._forget_outdated()
        due = [(time, owner_id) for owner_id, time in self._poked.items() if time <= now]
        if due:
            owner_id = min(due)[1]
        elif self._queue and self._queue[0][0] <= now:
            owner_id = self._queue[0][1]
        else:
            return None
        self.take_out(owner_id)
        return owner_id

    def polled(self, owner_id: int, began: float, now: float, interval: float) -> None:
        """An owner was polled: the next time is an interval after this one began.

        After its first poll that interval is a part of one, so that many owners that were all
        polled at the beginning are evenly spread from then on.
        """
        if owner_id not in self._due:
            return
        part = 1.0 + JITTER * (2.0 * self.random() - 1.0)
        if owner_id not in self._spread and len(self._due) > 1:
            self._phase = (self._phase + _GOLDEN_RATIO) % 1.0
            part = self._phase
        self._spread.add(owner_id)
        self.put(owner_id, max(now, began + interval * part))
        if owner_id in self._follow_up and owner_id not in self._poked:
            self._follow_up.discard(owner_id)
            self._poked[owner_id] = now + FOLLOW_UP

    def _forget_outdated(self) -> None:
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heapq.heappop(self._queue)
