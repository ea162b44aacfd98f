"""What a session has done so far, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from pipeflow.observing.observer import Observer

if TYPE_CHECKING:
    from pipeflow.observing.events import (
        AttemptEnded,
        LimitWaited,
        PageRead,
        RequestSent,
        RetryScheduled,
    )

__all__ = ["SessionStats"]


@define
class SessionStats(Observer):
    """Counters of one session, which only grow. You may set them to 0 at any time.

    Attributes:
        requests: Requests sent, every attempt counted.
        retries: Those of them that were not the first attempt.
        waited_seconds: Seconds spent waiting for the burst limit and between attempts, added up
            over all walks.
        tokens: Tokens spent of the company's daily budget: 40 for every request that was answered
            and not refused (401, 403, 429).
        updates: Updates in the pages that were read.
    """

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    tokens: int = 0
    updates: int = 0

    def request_sent(self, event: RequestSent) -> None:
        """Counts a request."""
        self.requests += 1
        if event.attempt > 1:
            self.retries += 1

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Counts its tokens."""
        self.tokens += event.tokens

    def retry_scheduled(self, event: RetryScheduled) -> None:
        """Counts the wait."""
        self.waited_seconds += event.delay

    def limit_waited(self, event: LimitWaited) -> None:
        """Counts the wait."""
        self.waited_seconds += event.seconds

    def page_read(self, event: PageRead) -> None:
        """Counts the page's updates."""
        self.updates += event.updates
