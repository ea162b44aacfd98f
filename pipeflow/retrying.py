"""The retry rule: whether to try once more, and after how long. It neither waits nor sends.

`IDEMPOTENT_METHODS` says which requests may be sent twice, `is_worth_retrying` after which answers
that can help, and `RetryPolicy` how often, and after how long. Which failed connections are worth a
retry is said by `pipeflow.failures.can_pass`, the one place that knows aiohttp's errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from attrs import frozen

from pipeflow.arguments import check_int, check_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeflow.answers import Answer

__all__ = [
    "IDEMPOTENT_METHODS",
    "RETRIED_STATUSES",
    "RetryPolicy",
    "is_null",
    "is_worth_retrying",
    "needs_body",
]

RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 528), 529, 530})
"""Answers after which a retry may succeed (RFC 9110 and 8470; 429 only for the burst limit).

520 to 527, 529 and 530 are Cloudflare's words for "the origin does not answer".
"""

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods that may be sent twice without doing anything twice (RFC 9110, 9.2.2)."""

_MOST_DOUBLINGS = 60
"""2.0 ** 1024 is an OverflowError; long before, `max_delay` has cut the backoff."""

_JSON_BREAKS_OFF = "Input data was truncated"
"""How msgspec says that a text is the beginning of JSON."""


def needs_body(method: str, status: int, content_type: str) -> bool:
    """Whether an answer is read whole, so that `is_worth_retrying` can judge it.

    Every other answer passes as it streams, and is never retried.
    """
    if status == 200:
        media_type = content_type.partition(";")[0].strip().lower()
        is_json = media_type == "application/json" or media_type.endswith("+json")
        return method == "GET" and is_json
    return status in RETRIED_STATUSES


def is_worth_retrying(answer: Answer, now: datetime) -> bool:
    """Whether a request that was answered like this may be answered better the next time.

    It is after a status of `RETRIED_STATUSES`, unless that is a block or the daily budget; and
    after a 200 whose JSON breaks off or is `null`.

    Args:
        answer: The answer, for which `needs_body` holds.
        now: The aware local time.
    """
    if answer.status == 200:
        return is_null(answer) or _breaks_off(answer.body)
    return (
        answer.status in RETRIED_STATUSES
        and not answer.is_block()
        and not answer.is_daily_budget(now)
    )


def is_null(answer: Answer) -> bool:
    """Whether the body is `null`: a known fault of the flow endpoints, which mostly passes.

    It has been seen to go on for hours, so `RetryMiddleware` can count these.
    Source: singer-io/tap-pipedrive#131.
    """
    return answer.status == 200 and answer.body.strip() == b"null"


def _breaks_off(body: bytes) -> bool:
    """Whether it is the beginning of JSON and not the end."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return str(error) == _JSON_BREAKS_OFF
    except RecursionError:
        return False
    return False


@frozen
class RetryPolicy:
    """How often a request is attempted, and how long to wait in between: a value, safe to share.

    The waits are exponential backoff with full jitter: before the second attempt a random
    time between 0 and `base_delay` seconds, before the third up to twice that, and so on up to
    `max_delay` (AWS Architecture Blog, "Exponential Backoff And Jitter").

    Attributes:
        attempts: Every attempt at one request, the first included; 1 means no retry.
        base_delay: The longest first wait, in seconds.
        max_delay: The longest wait that pipeflow chooses itself, in seconds.
        max_wait: Seconds. If the server asks for a wait up to this, it is waited in full; if it
            asks for more, the request fails at once. It is never cut short.

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
        """Seconds to wait after attempt number `attempt`, from 1; `random` gives 0 to 1."""
        ceiling = self.base_delay * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS)
        return random() * min(self.max_delay, ceiling)

    def delay_seconds(
        self, attempt: int, asked_wait: float | None, random: Callable[[], float]
    ) -> float | None:
        """Seconds to wait after attempt number `attempt` failed; None if that was the last.

        Args:
            attempt: How many attempts have been made.
            asked_wait: Seconds the server asked for, or None.
            random: The source of the jitter, from 0 to 1.
        """
        if attempt >= self.attempts:
            return None
        if asked_wait is None:
            return self.backoff_seconds(attempt, random)
        return asked_wait if asked_wait <= self.max_wait else None
