"""One HTTP answer, and what it means for the one who asked."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import field, frozen

from pipeflow.answers.headers import RateLimit, retry_after_seconds
from pipeflow.answers.reasons import Reason
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
    from datetime import datetime

__all__ = ["REQUEST_TOKENS", "Answer"]

REQUEST_TOKENS = 40
"""What one flow request costs of the daily budget (`x-token-cost` in the published OpenAPI)."""

LONGEST_BURST_WAIT = 600.0
"""Seconds. The burst window is 2 s, so an answer that asks for more means the daily budget."""

_CLOUDFLARE_CODES = range(1000, 1100)
"""Cloudflare's own error codes, such as 1020 (access denied) and 1015 (its own rate limit)."""

_CLOUDFLARE_TEXT = re.compile(rb"\s*error code: (1[0-9]{3})\s*")

_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
}


@frozen(eq=False)
class Answer:
    """One answer, whole. Its JSON is parsed when first needed, and once.

    Attributes:
        status: The HTTP status.
        headers: The headers; names are looked up in lower case or case-insensitively.
        body: The whole body, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON object that the body is; empty if it is anything else."""
        try:
            document = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    @cached_property
    def reason(self) -> Reason:
        """Why it says no; empty if it gives no reason."""
        return Reason.from_document(self.document)

    def rate_limit(self) -> RateLimit:
        """The limits that the headers tell."""
        return RateLimit.from_headers(self.headers)

    def requested_wait(self, now: datetime) -> float | None:
        """Seconds that the server asks to wait before a retry, or None if it does not ask.

        `Retry-After` comes first. `x-ratelimit-reset` counts after a 429 of the burst limit
        alone: it tells when the burst window ends, not the day or a block.

        Args:
            now: The aware local time.
        """
        wait = retry_after_seconds(self.headers, now)
        if wait is None and self.status == 429:
            if self.is_block() or self.is_daily_budget(now):
                return None
            wait = self.rate_limit().reset_seconds or None
        return wait

    def is_block(self) -> bool:
        """Whether Cloudflare blocks this client.

        Cloudflare says so with 403 (or 429 for its own rate limit, 1015) as a web page, as JSON,
        as problem details or as the text `error code: 1020`, whichever `Accept` asks for. A 403
        with `success` in its JSON is Pipedrive's own. `cf-ray` and `server: cloudflare` come with
        every answer and prove nothing.

        Source: Cloudflare's documentation, "Cloudflare 1xxx errors".
        """
        if self.status not in {403, 429}:
            return False
        if self._is_web_page():
            return self.status == 403 or b"1015" in self.body or b"cloudflare" in self.body.lower()
        if _CLOUDFLARE_TEXT.fullmatch(self.body):
            return True
        if "success" in self.document:
            return False
        code = self.document.get("error_code")
        return self.document.get("cloudflare_error") is True or (
            type(code) is int and code in _CLOUDFLARE_CODES
        )

    def is_daily_budget(self, now: datetime) -> bool:
        """Whether a 429 means the company's budget of the day, not the burst limit.

        Any one of these says so: the reason's text; fewer daily tokens left than a request costs;
        burst requests still remaining; a wait far longer than the burst window.

        Args:
            now: The aware local time.
        """
        if self.status != 429 or self.is_block():
            return False
        limits = self.rate_limit()
        wait = retry_after_seconds(self.headers, now) or limits.reset_seconds or 0.0
        return (
            self.reason.names_daily_budget()
            or (limits.daily_remaining is not None and limits.daily_remaining < REQUEST_TOKENS)
            or bool(limits.remaining)
            or wait > LONGEST_BURST_WAIT
        )

    def error(self, now: datetime, *, cooldown: float | None = None) -> ApiError:
        """The error that a status other than 200 stands for, with all that the server said.

        Args:
            now: The aware local time.
            cooldown: Seconds for which nothing more is sent, should this be a block that does not
                say for how long.
        """
        said = self._said()
        if self.is_block():
            seconds = self.requested_wait(now) or cooldown
            until = f"; nothing is sent for {seconds:.0f} s" if seconds else ""
            return BlockedError(
                f"{self.status}: Cloudflare blocks this client{until}",
                retry_after=seconds,
                **said,
            )
        if self.status == 429:
            return self._limit_error(now, said)
        if self.status in {404, 410}:
            return self._not_found_error(said)
        if 300 <= self.status < 400:
            return ApiError(
                f"{self.status}: a redirect, which pipeflow does not follow; check base_url", **said
            )
        by_class = ServerError if self.status >= 500 else ApiError
        return _BY_STATUS.get(self.status, by_class)(self._message(), **said)

    def _limit_error(self, now: datetime, said: dict[str, Any]) -> RateLimitError:
        wait = self.requested_wait(now)
        asked = f"; the server asks to wait {wait:g} s" if wait else ""
        if self.is_daily_budget(now):
            return DailyBudgetExhaustedError(
                f"{self._message()}: the company's tokens of this day are used up{asked}",
                retry_after=wait,
                **said,
            )
        return RateLimitError(
            f"{self._message()}: the burst limit{asked}", retry_after=wait, **said
        )

    def _not_found_error(self, said: dict[str, Any]) -> NotFoundError:
        if self.status == 410 or self.reason.names_record():
            return NotFoundError(self._message(), missing_record=True, **said)
        if self.document and not self.reason.names_address():
            hint = "either there is no such record, or base_url is wrong (it ends with /v1)"
        else:
            hint = "there is nothing at this address; check base_url (it ends with /v1)"
        return NotFoundError(f"{self._message()}: {hint}", missing_record=False, **said)

    def _is_web_page(self) -> bool:
        is_html = "html" in self.headers.get("content-type", "").lower()
        return is_html or self.body.lstrip()[:1] == b"<"

    def _said(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "error": self.reason.error,
            "error_info": self.reason.error_info,
            "error_code": self.reason.error_code,
            "correlation_id": self.headers.get("x-correlation-id"),
        }

    def _message(self) -> str:
        message = f"{self.status} {self.reason.error or 'without a reason'}"
        if self.reason.error_info:
            message += f" ({self.reason.error_info})"
        if correlation_id := self.headers.get("x-correlation-id"):
            message += f" [correlation id {correlation_id}]"
        return message
