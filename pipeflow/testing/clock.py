"""The time of the fake: real, faster, or standing still until a test moves it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta

__all__ = ["Clock"]


class Clock:
    """A clock to give to `FakePipedrive(clock=…)`.

    Days, webhooks and the life of an account go by it. The burst limit and the delays of answers
    do not: the client under test really waits for those.

    ```python
    clock = Clock(datetime(2026, 11, 26, 23, 59, tzinfo=UTC), speed=0)
    clock.advance(60)  # the next day has begun
    ```

    Args:
        now: What it shows at first, aware; the real time by default.
        speed: How many of its seconds pass in a real one. At 0 it only moves by `advance`.
    """

    def __init__(self, now: datetime | None = None, *, speed: float = 1.0) -> None:
        if speed < 0:
            raise ValueError("speed must not be negative")
        self.speed = speed
        self._began = datetime.now(UTC) if now is None else now.astimezone(UTC)
        self._began_at = time.monotonic()
        self._advanced = 0.0
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time it shows, UTC."""
        passed = (time.monotonic() - self._began_at) * self.speed
        return self._began + timedelta(seconds=passed + self._advanced)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once. May be called from any thread."""
        with self._lock:
            self._advanced += seconds
            sleepers = list(self._sleepers)
        for loop, moved in sleepers:
            # One whose loop is closed will not wake any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(moved.set)

    async def sleep(self, seconds: float) -> None:
        """Return when so many of its seconds have passed."""
        end = self.now() + timedelta(seconds=seconds)
        moved = asyncio.Event()
        loop = asyncio.get_running_loop()
        sleeper = (loop, moved)
        with self._lock:
            self._sleepers.add(sleeper)
        try:
            while (left := (end - self.now()).total_seconds()) > 0:
                moved.clear()
                alarm = loop.call_later(left / self.speed, moved.set) if self.speed else None
                await moved.wait()
                if alarm is not None:
                    alarm.cancel()
        finally:
            with self._lock:
                self._sleepers.discard(sleeper)

    @property
    def sleepers(self) -> int:
        """How many wait for it, for a test that is about to move it."""
        return len(self._sleepers)
