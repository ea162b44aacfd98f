"""What the limiter's tests look at it with."""

from __future__ import annotations

from itertools import islice, takewhile

from pipeflow.answers import RateLimit
from pipeflow.limiting.burst import LONGEST_TRAVEL, BurstLimiter, Ticket

ANSWERED = RateLimit()
HELD = 2.0 + LONGEST_TRAVEL  # an unanswered request's slot, in a window of 2 s


class Queue:
    """A limiter, its tickets in order of arrival, and who was woken."""

    def __init__(self, limit: int = 2, window: float = 2.0) -> None:
        self.limiter = BurstLimiter(limit, window)
        self.tickets: list[Ticket] = []
        self.woken: list[int] = []
        self.gone: set[int] = set()
        self._counted = 0

    def join(self, now: float) -> Ticket:
        number = len(self.tickets)

        def wake() -> bool:
            self.woken.append(number)
            return number not in self.gone

        self.tickets.append(self.limiter.join(wake, now))
        return self.tickets[-1]

    def granted(self, now: float) -> list[int]:
        granted = [self.is_granted(ticket, now) for ticket in self.tickets]
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
        not_counted = islice(self.tickets, self._counted, None)
        self._counted += len(list(takewhile(lambda each: self.is_granted(each, now), not_counted)))
        return self._counted

    def is_granted(self, ticket: Ticket, now: float) -> bool:
        return self.limiter.delay_seconds(ticket, now) == 0.0
