"""The log: `logging.getLogger("pipeflow")`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pipeflow.observing.observer import Observer

if TYPE_CHECKING:
    from pipeflow.observing.events import (
        AttemptEnded,
        LimitWaited,
        RetryScheduled,
        SendingStopped,
        StopReason,
    )

__all__ = ["LogObserver"]

LONG_WAIT = 1.0
"""Seconds. A longer wait for the burst limit is INFO, a shorter one DEBUG."""

_LOG = logging.getLogger("pipeflow")
# Without it Python writes warnings to stderr in programs that never asked for a log.
_LOG.addHandler(logging.NullHandler())

_REASONS: dict[StopReason, str] = {
    "cloudflare": "Cloudflare blocks this client",
    "daily_budget": "the company's tokens of this day are used up",
    "long_wait": "the server asks to wait longer than max_wait",
    "token_reserve": "only the tokens that reserve_tokens keeps are left of the day",
}


class LogObserver(Observer):
    """Writes the log: WARNING when sending stops, INFO for retries and long waits, else DEBUG.

    Each session has one. Silence it with `logging.getLogger("pipeflow").setLevel(…)`.
    """

    __slots__ = ()

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Logs the attempt."""
        _LOG.debug(
            "%s: %s in %.3f s (attempt %d, %d tokens)",
            event.sent.request,
            event.error if event.status is None else event.status,
            event.seconds,
            event.sent.attempt,
            event.tokens,
        )

    def retry_scheduled(self, event: RetryScheduled) -> None:
        """Logs the failure and the wait."""
        _LOG.info(
            "%s: %s in attempt %d; it is sent again in %.2f s",
            event.request,
            event.error if event.status is None else event.status,
            event.attempt,
            event.delay,
        )

    def limit_waited(self, event: LimitWaited) -> None:
        """Logs the wait."""
        _LOG.log(
            logging.INFO if event.seconds > LONG_WAIT else logging.DEBUG,
            "%s: waited %.2f s for the burst limit",
            event.request,
            event.seconds,
        )

    def sending_stopped(self, event: SendingStopped) -> None:
        """Logs why, and for how long."""
        _LOG.warning("nothing is sent for %.0f s: %s", event.seconds, _REASONS[event.reason])
