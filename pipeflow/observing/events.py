"""What happens to requests, as frozen values that hold no secret.

No event holds a header, a body or a query, which is where credentials travel.
"""

from __future__ import annotations

import re
from typing import Literal

from attrs import frozen

__all__ = [
    "AttemptEnded",
    "BlockReason",
    "LimitWaited",
    "PageRead",
    "RequestDetails",
    "RequestSent",
    "RetryScheduled",
    "SendingStopped",
    "StopReason",
]

BlockReason = Literal["cloudflare", "daily_budget", "long_wait"]
"""Why a limiter refuses requests: a block by Cloudflare, a spent budget of the day, or a 429 of the
burst limit that asks to wait longer than `max_wait`."""

StopReason = Literal[BlockReason, "token_reserve"]
"""Why nothing more is sent: a block of the limiter, or the tokens that `reserve_tokens` keeps."""

_ID = re.compile(r"(?<=/)([0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=/|$)", re.IGNORECASE)


@frozen
class RequestDetails:
    """Which request an event is about.

    Attributes:
        method: Such as `"GET"`.
        host: The host's name, without user and password.
        port: The port.
        path: The path with the ids in it, such as `"/v1/persons/1101/flow"`, without the query.
    """

    method: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def url_template(self) -> str:
        """The path without ids, such as `"/v1/persons/{id}/flow"`: what metrics group by."""
        return _ID.sub("{id}", self.path)


@frozen(eq=False, kw_only=True)
class RequestSent:
    """An attempt begins: its wait for the limit is over. Each one equals only itself.

    Attributes:
        request: The request.
        attempt: 1 for the first attempt of a request; above it, it is sent again.
    """

    request: RequestDetails
    attempt: int


@frozen(kw_only=True)
class AttemptEnded:
    """An attempt ended: with an answer, an error or a cancellation.

    Attributes:
        sent: The very event that began this attempt; works as a key.
        seconds: From sending the request to the last byte of its answer.
        status: The HTTP status, or None without an answer.
        error: The name of the exception's class without an answer, such as `"TimeoutError"` or
            `"CancelledError"`; else None.
        tokens: What the attempt cost of the company's daily budget.
        daily_remaining: Tokens left of the day, if the answer told.
    """

    sent: RequestSent
    seconds: float
    status: int | None = None
    error: str | None = None
    tokens: int = 0
    daily_remaining: int | None = None


@frozen(kw_only=True)
class RetryScheduled:
    """A request failed and is sent again after a wait.

    Attributes:
        request: The request.
        attempt: The number of the attempt that failed; the first is 1.
        delay: Seconds until it is sent again.
        status: The HTTP status of the failed attempt, or None without an answer.
        error: The name of the exception's class without an answer, else None.
    """

    request: RequestDetails
    attempt: int
    delay: float
    status: int | None = None
    error: str | None = None


@frozen(kw_only=True)
class LimitWaited:
    """A request waited for its turn, because of the burst limit.

    Attributes:
        request: The request, which is about to be sent.
        seconds: How long it waited. A wait below a millisecond is not told.
    """

    request: RequestDetails
    seconds: float


@frozen(kw_only=True)
class SendingStopped:
    """From now on requests are refused without being sent.

    Attributes:
        reason: Why.
        seconds: For how long.
    """

    reason: StopReason
    seconds: float


@frozen(kw_only=True)
class PageRead:
    """A page is about to be given to the reader of a history.

    Attributes:
        owner_kind: `"person"`, `"deal"` or `"organization"`.
        owner_id: Whose history it is.
        start: The offset of the page.
        updates: How many updates it has that no earlier page of the walk had.
        more_items: Whether more pages follow.
    """

    owner_kind: str
    owner_id: int
    start: int
    updates: int
    more_items: bool
