"""What the server answered: the limits it tells, the wait it asks for, and why it says no.

Nothing in a header is trusted: what is not a plain, plausible number counts as not said.
"""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import field, frozen

from pipeflow.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    BlockedError,
    DailyBudgetExhaustedError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REQUEST_TOKENS", "Answer", "RateLimit"]

REQUEST_TOKENS = 40
"""What one flow request costs of the daily budget (`x-token-cost` in the published OpenAPI)."""

LONGEST_BURST_WAIT = 600.0
"""Seconds. The burst window is 2 s, so whoever asks for more than this means the daily budget."""

LONGEST_RESET = 86_400.0
"""Seconds. An `x-ratelimit-reset` above it is an epoch or garbage, not a number of seconds left."""

HIGHEST_LIMIT = 100_000
"""Requests per window. The highest published burst limit is 480; far above it is garbage."""

_NUMBER = r"[0-9]{1,15}(\.[0-9]{1,9})?"


@frozen
class RateLimit:
    """What the `x-ratelimit-*` and `x-daily-ratelimit-*` headers of one answer say.

    Every field is None where its header is missing or no plausible number.
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


@frozen(eq=False)
class Answer:
    """One answer, whole.

    Attributes:
        status: The HTTP status.
        headers: The headers; names are looked up case-insensitively.
        body: The whole body, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def rate_limit(self) -> RateLimit:
        """The limits that the headers tell."""
        return _read_rate_limit(self.headers)

    def requested_wait(self, now: datetime) -> float | None:
        """Seconds that the server asks to wait before a retry; None when it does not ask."""
        return _asked_wait_seconds(self.status, self.headers, now)

    def is_block(self) -> bool:
        """Whether Cloudflare blocks this client."""
        return _is_blocked(self.status, self.headers, self.body)

    def is_daily_budget(self, now: datetime) -> bool:
        """Whether a 429 means the company's budget of the day, not the burst limit."""
        return _is_daily_budget_exhausted(self.status, self.headers, self.body, now)

    def error(self, now: datetime, *, cooldown: float | None = None) -> ApiError:
        """The error that a status other than 200 stands for, with all that the server said."""
        return _refusal(self.status, self.headers, self.body, now, cooldown=cooldown)


def _read_rate_limit(headers: Mapping[str, str]) -> RateLimit:
    """The limits that an answer's headers tell."""
    limit = _count(headers.get("x-ratelimit-limit"))
    reset_seconds = _number(headers.get("x-ratelimit-reset"))
    return RateLimit(
        limit=limit if limit is not None and 1 <= limit <= HIGHEST_LIMIT else None,
        remaining=_count(headers.get("x-ratelimit-remaining")),
        reset_seconds=(
            reset_seconds if reset_seconds is not None and reset_seconds <= LONGEST_RESET else None
        ),
        daily_limit=_count(headers.get("x-daily-ratelimit-token-limit")),
        daily_remaining=_count(headers.get("x-daily-ratelimit-token-remaining")),
    )


def _asked_wait_seconds(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks to wait before the next try; None when it does not ask.

    `Retry-After`, in seconds or as an HTTP date (RFC 9110, 10.2.3), comes before
    `x-ratelimit-reset`, which counts for a 429 alone. A date is measured against the answer's own
    `Date` header where there is one, so that a wrong local clock does no harm. A time in the past
    asks for nothing.

    Args:
        status: The HTTP status.
        headers: The answer's headers; names are looked up in lower case or case-insensitively.
        now: The aware local time.
    """
    asked = _retry_after_seconds(headers, now)
    if asked is None and status == 429:
        asked = _read_rate_limit(headers).reset_seconds
    return asked or None


def _is_blocked(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether this is the 403 page of Cloudflare, which follows on going on after 429s."""
    if status != 403:
        return False
    return "html" in headers.get("content-type", "").lower() or body.lstrip()[:1] == b"<"


def _is_daily_budget_exhausted(
    status: int, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Whether a 429 means the company's budget of the day, not the burst limit of two seconds.

    Any one of these says so: the error's text; fewer daily tokens left than a request costs;
    burst requests still remaining; a wait far longer than the burst window.
    """
    if status != 429:
        return False
    rate_limit = _read_rate_limit(headers)
    wait = _asked_wait_seconds(status, headers, now)
    return (
        "daily" in (_text(_json_object(body).get("error")) or "").lower()
        or (rate_limit.daily_remaining is not None and rate_limit.daily_remaining < REQUEST_TOKENS)
        or bool(rate_limit.remaining)
        or (wait is not None and wait > LONGEST_BURST_WAIT)
    )


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    410: NotFoundError,
}


def _refusal(
    status: int, headers: Mapping[str, str], body: bytes, now: datetime, *, cooldown: float | None
) -> ApiError:
    """The error that a status other than 200 stands for, with all that the server said.

    Args:
        status: The HTTP status, which decides; every part of the body may be missing.
        headers: The answer's headers.
        body: The answer's body.
        now: The aware local time.
        cooldown: Seconds for which nothing more is sent, should this be a block.
    """
    answer = _json_object(body)
    error = _text(answer.get("error"))
    error_info = _text(answer.get("error_info"))
    error_code = answer.get("errorCode")
    correlation_id = headers.get("x-correlation-id")
    said: dict[str, Any] = {
        "status": status,
        "error": error,
        "error_info": error_info,
        "error_code": error_code if type(error_code) is int else None,
        "correlation_id": correlation_id,
    }
    message = f"{status} {error or 'without a reason'}"
    if error_info:
        message += f" ({error_info})"
    if correlation_id:
        message += f" [correlation id {correlation_id}]"

    if _is_blocked(status, headers, body):
        until = f"; nothing is sent for {cooldown:.0f} s" if cooldown else ""
        return BlockedError(
            f"403 with an HTML page: Cloudflare blocks this client{until}",
            retry_after=cooldown,
            **said,
        )
    if status == 429:
        wait = _asked_wait_seconds(status, headers, now)
        asked = f"; the server asks to wait {wait:g} s" if wait else ""
        if _is_daily_budget_exhausted(status, headers, body, now):
            return DailyBudgetExhaustedError(
                f"{message}: the company's tokens of this day are used up{asked}",
                retry_after=wait,
                **said,
            )
        return RateLimitError(f"{message}: the burst limit{asked}", retry_after=wait, **said)
    if 300 <= status < 400:
        return ApiError(
            f"{status}: a redirect, which pipeflow does not follow; check base_url", **said
        )
    by_class = ServerError if status >= 500 else ApiError
    return _BY_STATUS.get(status, by_class)(message, **said)


def _retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    said = headers.get("retry-after")
    if said is None:
        return None
    seconds = _number(said)
    if seconds is not None:
        return seconds
    until = _http_date(said)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(headers.get("date")) or now)).total_seconds())


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


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _text(value: object) -> str | None:
    """A reason as the server gave it, cut where it stops being one."""
    return value[:500] if isinstance(value, str) and value else None
