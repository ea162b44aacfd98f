"""An event loop whose clock jumps to whatever comes next, so that nothing is waited for."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class _Jumping(selectors.DefaultSelector):
    """Advances the clock by a time-out instead of waiting for it."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everything waits for ever"
        self.now += max(0.0, timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """asyncio's loop on a clock of its own; for tasks and timers, not for sockets."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return float(self._jumping.now)


def run(main: Coroutine[Any, Any, None], *, debug: bool = False) -> None:
    """Runs it to its end, in no time."""
    with asyncio.Runner(debug=debug, loop_factory=VirtualTimeLoop) as runner:
        runner.run(main)
