"""What a token may still ask: the arithmetic of the burst limit, with the time as an argument.

Pipedrive counts over a rolling window of two seconds; gateways of other makes count over fixed
ones. Source: pipedrive.readme.io, "Rate limiting".
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from attrs import define, field

__all__ = ["BurstWindow", "FixedWindow", "RollingWindow"]


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
