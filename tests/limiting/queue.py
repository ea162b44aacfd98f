"""What the tests of the slot queue look at it with."""

from __future__ import annotations

from itertools import islice, takewhile

from pipeflow.answers import RateLimit
from pipeflow.limiting.queue import LONGEST_TRAVEL, Reservation, SlotQueue

ANSWERED = RateLimit()
HELD = 2.0 + LONGEST_TRAVEL  # an unanswered request's slot, in a window of 2 s


class Queue:
    """A slot queue, its reservations in order of arrival, and who was woken."""

    def __init__(self, limit: int = 2, window: float = 2.0) -> None:
        self.slots = SlotQueue(limit, window)
        self.reservations: list[Reservation] = []
        self.woken: list[int] = []
        self.gone: set[int] = set()
        self._counted = 0

    def join(self, now: float) -> Reservation:
        number = len(self.reservations)

        def wake() -> bool:
            self.woken.append(number)
            return number not in self.gone

        self.reservations.append(self.slots.reserve(wake, now))
        return self.reservations[-1]

    def granted(self, now: float) -> list[int]:
        granted = [self.is_granted(reservation, now) for reservation in self.reservations]
        return [number for number, is_granted in enumerate(granted) if is_granted]

    def granted_by(self, until: float, since: float) -> list[int]:
        """Who was granted in the end, when all keep asking from one moment to another."""
        granted = self.granted(since)
        while since < until:
            since += 0.0625
            granted = self.granted(since)
        return granted

    def granted_count(self, now: float) -> int:
        """How many were granted, first come first served."""
        not_counted = islice(self.reservations, self._counted, None)
        self._counted += len(list(takewhile(lambda each: self.is_granted(each, now), not_counted)))
        return self._counted

    def is_granted(self, reservation: Reservation, now: float) -> bool:
        return self.slots.delay_seconds(reservation, now) == 0.0
