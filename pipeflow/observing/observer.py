"""Who is told what happens to requests."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeflow.observing.events import (
        AttemptEnded,
        LimitWaited,
        PageRead,
        RequestSent,
        RetryScheduled,
        SendingStopped,
    )

__all__ = ["Observer", "Observers"]

_LOG = logging.getLogger("pipeflow")


class Observer:
    """Derive from it and override what you want to be told; the methods here do nothing.

    They are called in the task that makes the request, in the middle of it, so they must be plain
    functions that return soon: hand what takes long to a queue or a task of your own. What they
    raise does the request no harm: it is logged, once for each observer. One observer may be given
    to several sessions.
    """

    __slots__ = ()

    def request_sent(self, event: RequestSent) -> None:
        """An attempt begins."""

    def attempt_ended(self, event: AttemptEnded) -> None:
        """An attempt ended; follows each `request_sent`, also when the attempt was cancelled."""

    def retry_scheduled(self, event: RetryScheduled) -> None:
        """A request failed and is sent again after a wait, which begins now."""

    def limit_waited(self, event: LimitWaited) -> None:
        """A request waited for its turn and is about to be sent."""

    def sending_stopped(self, event: SendingStopped) -> None:
        """Requests are refused without being sent, because of a block or a spent budget."""

    def page_read(self, event: PageRead) -> None:
        """A page was read."""


_METHODS = [name for name in vars(Observer) if not name.startswith("_")]


class Observers(Observer):
    """Tells several observers, in their order, and keeps their exceptions from the request.

    Args:
        observers: The observers.

    Raises:
        TypeError: One of them is not an `Observer`, or has a coroutine function for a method.
    """

    __slots__ = ("_failed", "_observers")

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self._failed: set[int] = set()
        for observer in self._observers:
            if not isinstance(observer, Observer):
                raise TypeError(
                    f"{observer!r} is not an observer: derive its class from "
                    "pipeflow.observing.Observer and pass an instance"
                )
            for name in _METHODS:
                if inspect.iscoroutinefunction(getattr(observer, name)):
                    raise TypeError(
                        f"{type(observer).__name__}.{name} is a coroutine function, but observers "
                        "are not awaited: make it a plain function that starts a task"
                    )

    def request_sent(self, event: RequestSent) -> None:
        """Tells each observer."""
        self._tell("request_sent", event)

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Tells each observer."""
        self._tell("attempt_ended", event)

    def retry_scheduled(self, event: RetryScheduled) -> None:
        """Tells each observer."""
        self._tell("retry_scheduled", event)

    def limit_waited(self, event: LimitWaited) -> None:
        """Tells each observer."""
        self._tell("limit_waited", event)

    def sending_stopped(self, event: SendingStopped) -> None:
        """Tells each observer."""
        self._tell("sending_stopped", event)

    def page_read(self, event: PageRead) -> None:
        """Tells each observer."""
        self._tell("page_read", event)

    def _tell(self, method: str, event: object) -> None:
        for number, observer in enumerate(self._observers):
            try:
                getattr(observer, method)(event)
            # Nothing is awaited here, so a CancelledError is not this task's: it comes from an
            # observer that looked at the result of a cancelled one.
            except (Exception, asyncio.CancelledError):  # noqa: BLE001 - an observer's own fault
                if number not in self._failed:
                    self._failed.add(number)
                    _LOG.exception(
                        "%s.%s failed, which does the request no harm; further failures of this "
                        "observer are not logged",
                        type(observer).__name__,
                        method,
                    )
