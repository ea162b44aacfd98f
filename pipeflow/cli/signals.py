"""Being told to end: Ctrl-C, `kill`, and a terminal that closes.

The signals are handled even where they were ignored before, as SIGINT is in a command that a script
starts in the background. Only an ignored SIGHUP stays so: that is what `nohup` is for.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from types import FrameType
    from typing import Any

    Handler = Callable[[int, FrameType | None], None]

__all__ = ["Interrupted", "interruptible", "run"]

_T = TypeVar("_T")


class Interrupted(KeyboardInterrupt):
    """A signal came. asyncio lets it through as it does Ctrl-C's own exception.

    Attributes:
        signal: Its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Runs `main` in an event loop of its own.

    The first signal cancels it, so that it can clean up and say how to go on; a second one ends
    it at once.

    Raises:
        Interrupted: A signal ended it.
    """
    return asyncio.run(_cancelled_by_signals(main))


async def _cancelled_by_signals(main: Coroutine[Any, Any, _T]) -> _T:
    caught: list[int] = []
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)

    def cancel(number: int, _frame: FrameType | None) -> None:
        caught.append(number)
        if len(caught) > 1:
            raise Interrupted(number)
        # Also wakes the loop, which may be waiting for a socket.
        loop.call_soon_threadsafe(task.cancel)

    with _handling(cancel):
        try:
            return await task
        except asyncio.CancelledError:
            if len(caught) == 1:
                raise Interrupted(caught[0]) from None
            raise


@contextmanager
def interruptible() -> Generator[None, None, None]:
    """Makes every signal an `Interrupted` at once, where the event loop cannot act on it.

    Writing to a pipe whose reader has stopped is such a place: it can last for ever.
    """
    with _handling(_interrupt):
        yield


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


@contextmanager
def _handling(handler: Handler) -> Generator[None, None, None]:
    numbers = [signal.SIGINT, signal.SIGTERM]
    # Windows has no SIGHUP.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, was in former.items():
            signal.signal(number, was)
