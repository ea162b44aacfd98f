"""The headers of an answer that speak of limits and waits."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HIGHEST_LIMIT", "LONGEST_RESET", "RateLimit", "retry_after_seconds"]

LONGEST_RESET = 86_400.0
"""Seconds. An `x-ratelimit-reset` above it is an epoch or garbage, not a number of seconds left."""

HIGHEST_LIMIT = 100_000
"""Requests per window. The highest published burst limit is 480; far above it is garbage."""

_NUMBER = r"[0-9]{1,15}(\.[0-9]{1,9})?"


@frozen
class RateLimit:
    """What the `x-ratelimit-*` and `x-daily-ratelimit-*` headers of one answer say.

    Every field is None where its header is missing or not a plausible number.
    Source: Pipedrive's guide, "Rate limiting" (`core-api-concepts-rate-limiting`).

    Attributes:
        limit: Requests allowed per window.
        remaining: Requests left in the window.
        reset_seconds: Seconds until the window starts anew; seconds left, not an epoch.
        daily_limit: Tokens per day of the whole company.
        daily_remaining: Tokens left today.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None
    daily_limit: int | None = None
    daily_remaining: int | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RateLimit:
        """The limits that an answer's headers tell."""
        limit = _count(headers.get("x-ratelimit-limit"))
        reset_seconds = _number(headers.get("x-ratelimit-reset"))
        if limit is not None and not 1 <= limit <= HIGHEST_LIMIT:
            limit = None
        if reset_seconds is not None and reset_seconds > LONGEST_RESET:
            reset_seconds = None
        return cls(
            limit=limit,
            remaining=_count(headers.get("x-ratelimit-remaining")),
            reset_seconds=reset_seconds,
            daily_limit=_count(headers.get("x-daily-ratelimit-token-limit")),
            daily_remaining=_count(headers.get("x-daily-ratelimit-token-remaining")),
        )


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks to wait, or None if it asks for nothing.

    It is a number of seconds or an HTTP date (RFC 9110, 10.2.3). A date is measured against the
    answer's own `Date` header where there is one, so that a wrong local clock does no harm. A
    time in the past asks for nothing.

    Args:
        headers: The answer's headers.
        now: The aware local time.
    """
    said = headers.get("retry-after")
    if said is None:
        return None
    seconds = _number(said)
    if seconds is None:
        until = _http_date(said)
        if until is None:
            return None
        sent_at = _http_date(headers.get("date")) or now
        seconds = max(0.0, (until - sent_at).total_seconds())
    return seconds or None


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text or "")
    except (ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(_NUMBER, text.strip()) else None


def _count(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else int(number)
