"""What a token may still ask: burst limit and daily budget, with the time as an argument.

Pipedrive counts bursts over a rolling window of two seconds; gateways of other makes count over
fixed ones. The daily budget starts anew at midnight; in which zone is not published, so it is UTC
here. Source: pipedrive.readme.io, "Rate limiting".
"""

from __future__ import annotations

import math
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

if TYPE_CHECKING:
    from datetime import date, datetime

__all__ = ["BurstWindow", "DailyBudget", "FixedWindow", "RollingWindow"]


class BurstWindow(Protocol):
    """A burst limit of `limit` requests in every `seconds`."""

    limit: int
    seconds: float

    def remaining(self, now: float) -> int:
        """How many requests may still come at `now`."""
        ...

    def use(self, count: int, now: float) -> int:
        """Use up to `count` requests of the allowance; how many there were to use."""
        ...

    def seconds_left(self, now: float) -> float:
        """Seconds until the allowance grows again."""
        ...


@define
class RollingWindow:
    """At most `limit` requests within any `seconds`."""

    limit: int
    seconds: float
    _used: deque[float] = field(factory=deque, init=False)

    def remaining(self, now: float) -> int:
        """How many requests may still come at `now`."""
        while self._used and self._used[0] <= now - self.seconds:
            self._used.popleft()
        return max(0, self.limit - len(self._used))

    def use(self, count: int, now: float) -> int:
        """Use up to `count` requests of the allowance; how many there were to use."""
        granted = min(count, self.remaining(now))
        self._used.extend([now] * granted)
        return granted

    def seconds_left(self, now: float) -> float:
        """Seconds until the allowance grows again; the whole window when nothing is used."""
        self.remaining(now)
        if not self._used:
            return self.seconds
        # After the limit was lowered, more than one request has to leave the window first.
        leaving = max(0, len(self._used) - self.limit)
        return self._used[leaving] + self.seconds - now


@define
class FixedWindow:
    """At most `limit` requests between two beats of a clock that ticks every `seconds`."""

    limit: int
    seconds: float
    _window: int = field(default=-1, init=False)
    _used: int = field(default=0, init=False)

    def remaining(self, now: float) -> int:
        """How many requests may still come at `now`."""
        window = math.floor(now / self.seconds)
        if window != self._window:
            self._window, self._used = window, 0
        return max(0, self.limit - self._used)

    def use(self, count: int, now: float) -> int:
        """Use up to `count` requests of the allowance; how many there were to use."""
        granted = min(count, self.remaining(now))
        self._used += granted
        return granted

    def seconds_left(self, now: float) -> float:
        """Seconds until the next window begins."""
        return (math.floor(now / self.seconds) + 1) * self.seconds - now


@define
class DailyBudget:
    """The tokens that may be spent on each day; `tokens` None means no limit."""

    tokens: int | None = None
    _day: date | None = field(default=None, init=False)
    _spent: int = field(default=0, init=False)

    def spent(self, now: datetime) -> int:
        """How many were spent on the day of `now`."""
        if now.date() != self._day:
            self._day, self._spent = now.date(), 0
        return self._spent

    def remaining(self, now: datetime) -> int | None:
        """How many are left on the day of `now`."""
        return None if self.tokens is None else max(0, self.tokens - self.spent(now))

    def use(self, cost: int, now: datetime) -> bool:
        """Spend `cost` tokens, if so many are left."""
        remaining = self.remaining(now)
        granted = remaining is None or cost <= remaining
        if granted:
            self._spent = self.spent(now) + cost
        return granted

    def refund(self, cost: int, now: datetime) -> None:
        """Take back what was spent just now."""
        self._spent = max(0, self.spent(now) - cost)

    def seconds_left(self, now: datetime) -> float:
        """Seconds until the budget starts anew."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return (midnight - now).total_seconds()
