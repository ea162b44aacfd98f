"""Many persons at the burst limit, simulated: the limiter, a server that counts, and the time.

The server counts with the fake's own windows. Nothing waits, and the same arguments give the same
result, so that many phases of two clocks can be tried where a run on sockets shows one.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field, frozen

from pipeflow.answers import RateLimit
from pipeflow.limiting.queue import Reservation, SlotQueue

if TYPE_CHECKING:
    from pipeflow.testing.limits import BurstWindow

ANSWER_SECONDS = 0.05
TRAVEL_SECONDS = 0.001
LATENESS = 0.0003
"""Seconds by which an event loop wakes too late."""


@frozen
class Others:
    """Another program with the same token: so many requests, again and again."""

    requests: int
    every_seconds: float
    first_after: float


Event: TypeAlias = Callable[[], None]


@define
class Simulation:
    """Persons of one page each, walked at once.

    Attributes:
        window: The server's.
        persons: How many are to be walked.
        concurrency: Walks at the same time.
        others: Who else uses the allowance.
        lowered: After how many requests the server lowers its limit, and to what.
        begins_at: The time at the beginning, which says where in a fixed window it is.
    """

    window: BurstWindow
    persons: int
    concurrency: int
    others: Others | None = None
    lowered: tuple[int, int] | None = None
    begins_at: float = 1000.0
    slots: SlotQueue = field(factory=lambda: SlotQueue(20, 2.0))
    requests: list[float] = field(factory=list)
    refusals: int = 0
    _done: int = 0
    _begun: int = 0
    _now: float = 0.0
    _events: list[tuple[float, int, Event]] = field(factory=list)
    _numbers: count[int] = field(factory=count)
    _chance: Random = field(factory=lambda: Random(4))

    def run(self) -> None:
        """Walks all of them."""
        self._now = self.begins_at
        if self.others is not None:
            self._later(self.others.first_after, self._let_others_use)
        for _ in range(self.concurrency):
            self._walk_next()
        while self._done < self.persons:
            self._now, _, event = heapq.heappop(self._events)
            event()

    @property
    def share_refused(self) -> float:
        return self.refusals / len(self.requests)

    @property
    def seconds(self) -> float:
        """From the first request to the last."""
        return self.requests[-1] - self.requests[0]

    def _later(self, seconds: float, event: Event) -> None:
        heapq.heappush(self._events, (self._now + seconds, next(self._numbers), event))

    def _let_others_use(self) -> None:
        assert self.others is not None
        self.window.use(self.others.requests, self._now)
        self._later(self.others.every_seconds, self._let_others_use)

    def _walk_next(self) -> None:
        if self._begun < self.persons:
            self._begun += 1
            _Request(self).begin()

    def _count(self) -> tuple[bool, RateLimit]:
        """What the server makes of a request that comes now."""
        if self.lowered is not None and len(self.requests) == self.lowered[0]:
            self.window.limit = self.lowered[1]
        self.requests.append(self._now)
        granted = self.window.use(1, self._now) == 1
        return granted, RateLimit(
            limit=self.window.limit,
            remaining=self.window.remaining(self._now),
            reset_seconds=float(math.ceil(self.window.seconds_left(self._now))),
        )


@define(eq=False)
class _Request:
    """One request, as the middlewares lead it: wait, send, hear, and after a refusal again."""

    of: Simulation
    _reservation: Reservation = field(init=False)
    _woken: bool = False
    _sent: bool = False

    def begin(self) -> None:
        self._reservation = self.of.slots.reserve(self._wake, self.of._now)
        self._ask()

    def _wake(self) -> bool:
        self._woken = True
        self.of._later(0.0, self._hear)
        return True

    def _hear(self) -> None:
        if self._woken:
            self._ask()

    def _ask(self) -> None:
        if self._sent:
            return
        delay = self.of.slots.delay_seconds(self._reservation, self.of._now)
        self._woken = False
        if delay == 0.0:
            self._sent = True
            self.of._later(TRAVEL_SECONDS * (1 + self.of._chance.random()), self._arrive)
        elif delay is not None:
            self.of._later(delay + LATENESS, self._ask)

    def _arrive(self) -> None:
        granted, told = self.of._count()
        self.of._later(ANSWER_SECONDS, lambda: self._be_answered(granted, told))

    def _be_answered(self, granted: bool, told: RateLimit) -> None:  # noqa: FBT001
        if not granted:
            self.of.refusals += 1
            self.of.slots.pause(self.of._now, told.reset_seconds)
        self.of.slots.release(self._reservation, self.of._now, told)
        if granted:
            self.of._done += 1
            self.of._walk_next()
        else:
            self.of._later(told.reset_seconds or 0.0, _Request(self.of).begin)
