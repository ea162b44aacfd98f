"""Whether to try once more, and how long to wait before: the rule, without the waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from pipeflow.arguments import check_int, check_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["IDEMPOTENT_METHODS", "RETRIED_STATUSES", "RetryPolicy"]

RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 528), 529, 530})
"""Answers after which a retry may succeed (RFC 9110 and 8470; 429 only for the burst limit).

520 to 527, 529 and 530 are Cloudflare's words for "the origin does not answer".
"""

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods that may be sent twice without doing anything twice (RFC 9110, 9.2.2)."""

_MOST_DOUBLINGS = 60
"""2.0 ** 1024 is an OverflowError; long before, `max_delay` has cut the backoff."""


@frozen
class RetryPolicy:
    """How often one request is tried and how long it waits between: a value, safe to share.

    The waits are exponential backoff with full jitter: before the second try a random time
    between 0 and `base_delay` seconds, before the third up to twice that, and so on up to
    `max_delay` (AWS Architecture Blog, "Exponential Backoff And Jitter").

    Attributes:
        attempts: Every try of one request, the first one counted; 1 means no retry.
        base_delay: Seconds; the upper bound of the first wait.
        max_delay: Seconds; the upper bound of any wait of our own choice.
        max_wait: Seconds. A wait that the server asks for is waited in full up to this, and
            never cut short: above it the request fails at once.

    Raises:
        ValueError: A value is out of bounds.
        TypeError: A value is not a number.
    """

    attempts: int = 5
    base_delay: float = 0.5
    max_delay: float = 30.0
    max_wait: float = 60.0

    def __attrs_post_init__(self) -> None:
        check_int("attempts", self.attempts, least=1)
        for name in ("base_delay", "max_delay", "max_wait"):
            check_seconds(name, getattr(self, name), zero=True)

    def backoff_seconds(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds to wait after try number `attempt` (the first is 1); `random` gives 0 to 1."""
        ceiling = self.base_delay * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS)
        return random() * min(self.max_delay, ceiling)

    def delay_seconds(
        self, attempt: int, asked_wait: float | None, random: Callable[[], float]
    ) -> float | None:
        """Seconds to wait after try number `attempt` failed; None when that was the last.

        Args:
            attempt: The number of tries made so far.
            asked_wait: Seconds the server asked for, or None.
            random: The source of the jitter, from 0 to 1.
        """
        if attempt >= self.attempts:
            return None
        if asked_wait is None:
            return self.backoff_seconds(attempt, random)
        return asked_wait if asked_wait <= self.max_wait else None
