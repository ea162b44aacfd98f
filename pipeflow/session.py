"""The session: one connection pool, one credential, and the histories behind them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, TypedDict

from pipeflow.addresses import FlowOwner, base_url_from
from pipeflow.arguments import check_int, check_seconds
from pipeflow.connection import Connection
from pipeflow.middleware import AttemptMiddleware, AuthMiddleware, RateLimitMiddleware
from pipeflow.middleware.attempt import LARGEST_ANSWER
from pipeflow.queries import FlowQuery
from pipeflow.reader import FlowReader
from pipeflow.retrying import RetryPolicy
from pipeflow.secrets import ApiToken, hiding_arguments
from pipeflow.stats import SessionStats

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from types import TracebackType
    from typing import Self, Unpack

    from aiohttp import ClientMiddlewareType, ClientSession

    from pipeflow.answers import RateLimit
    from pipeflow.limiting import BurstLimiter
    from pipeflow.many_walks import OnError
    from pipeflow.queries import FlowOptions, WalkOptions
    from pipeflow.records import FlowPage, FlowUpdate

__all__ = ["PipedriveSession", "SessionOptions"]

_TOKEN_VARIABLE = "PIPEDRIVE_API_TOKEN"  # noqa: S105 - the variable's name, not a token
_COMPANY_VARIABLE = "PIPEDRIVE_COMPANY_DOMAIN"


class SessionOptions(TypedDict, total=False):
    """The keyword arguments of `PipedriveSession`, which says what they mean."""

    company_domain: str | None
    base_url: str | None
    session: ClientSession | None
    retry: RetryPolicy | None
    limiter: BurstLimiter | None
    attempt_timeout: float | None
    deadline: float | None
    max_page_bytes: int
    block_cooldown: float
    middlewares: Sequence[ClientMiddlewareType]
    strict: bool


class PipedriveSession:
    """Reads the histories of persons, deals and organizations: an async context manager.

    ```python
    async with PipedriveSession(api_token="…", company_domain="acme") as pipedrive:
        async for update in pipedrive.iter_person_flow(1101):
            print(update.timestamp, update.summary())
    ```

    Any number of walks may run at once on one session; they share its connections and its burst
    limit. A session belongs to the event loop of its first request.

    Every request costs 40 tokens of the company's daily budget. Failed requests are tried again
    as `retry` says; the burst limit is waited out; the daily budget never is.

    Args:
        api_token: The token from Pipedrive's personal preferences. It is sent in a header, to the
            base URL's origin only.
        company_domain: `"acme"` for acme.pipedrive.com.
        base_url: Another base than `https://api.pipedrive.com/v1`; https, or http to loopback.
        session: An `aiohttp.ClientSession` to borrow. It is never closed here, and its own
            middlewares, headers and cookies stay as they are for its other requests. Its
            middlewares do not see the requests made here (see `middlewares`). Without it a
            session is made on first use and closed with this one.
        retry: How often a request is tried; by default `RetryPolicy()`.
        limiter: The burst limit to share with other sessions of the same token; by default a new
            `BurstLimiter()`, which assumes 20 requests per 2 s until the server says more.
        attempt_timeout: Seconds for each try of a request, from sending it to the last byte of
            its answer; waits for the limit or between tries do not count. None is no bound.
        deadline: Seconds for a whole page, with all tries and all waits. None, the default, is no
            bound. Both end in a `RequestTimeoutError` that says which it was.
        max_page_bytes: The most bytes that an answer may have, after decompression; more is a
            `DecodeError`. A page of 500 updates has some 700 kB.
        block_cooldown: Seconds for which nothing is sent after Cloudflare has blocked this client.
        middlewares: aiohttp client middlewares of your own, for logging or tracing. They see every
            try of every request, without the token.
        strict: Whether a record that breaks its shape is a `DecodeError`, instead of an update
            whose `data` is the plain dict.

    Raises:
        ValueError: An argument is missing or cannot be right; the message names it and the fix.
        TypeError: An argument is of another type.
    """

    @hiding_arguments
    def __init__(
        self,
        api_token: str | None = None,
        *,
        company_domain: str | None = None,
        base_url: str | None = None,
        session: ClientSession | None = None,
        retry: RetryPolicy | None = None,
        limiter: BurstLimiter | None = None,
        attempt_timeout: float | None = 30.0,
        deadline: float | None = None,
        max_page_bytes: int = LARGEST_ANSWER,
        block_cooldown: float = 300.0,
        middlewares: Sequence[ClientMiddlewareType] = (),
        strict: bool = False,
    ) -> None:
        if api_token is None:
            raise ValueError(
                "api_token is missing: pass it, or set PIPEDRIVE_API_TOKEN and use "
                "PipedriveSession.from_env()"
            )
        if attempt_timeout is not None:
            check_seconds("attempt_timeout", attempt_timeout)
        if deadline is not None:
            check_seconds("deadline", deadline)
        check_seconds("block_cooldown", block_cooldown, zero=True)
        check_int("max_page_bytes", max_page_bytes, least=1)
        token = ApiToken(api_token)
        self._base_url = base_url_from(base_url, company_domain)
        self._stats = SessionStats()
        retry = RetryPolicy() if retry is None else retry
        self._rate_limit = RateLimitMiddleware(
            limiter, cooldown=block_cooldown, max_wait=retry.max_wait, stats=self._stats
        )
        self._connection = Connection(
            session,
            [
                self._rate_limit,
                AttemptMiddleware(attempt_timeout, max_bytes=max_page_bytes),
                *middlewares,
                AuthMiddleware(token, base_url=str(self._base_url)),
            ],
            deadline=deadline,
        )
        self._reader = FlowReader(
            self._connection,
            base_url=self._base_url,
            api_token=token,
            retry=retry,
            cooldown=block_cooldown,
            strict=strict,
            stats=self._stats,
        )

    @classmethod
    def from_env(cls, **options: Unpack[SessionOptions]) -> Self:
        """A session with the token in `PIPEDRIVE_API_TOKEN`.

        `PIPEDRIVE_COMPANY_DOMAIN`, where it is set, is the `company_domain`.

        Args:
            **options: Everything else that `PipedriveSession` takes. `company_domain` or
                `base_url` given here comes before the variable.

        Raises:
            ValueError: `PIPEDRIVE_API_TOKEN` is not set or empty.
        """
        if not os.environ.get(_TOKEN_VARIABLE):
            raise ValueError(f"the environment variable {_TOKEN_VARIABLE} is not set")
        if not options.keys() & {"company_domain", "base_url"}:
            options["company_domain"] = os.environ.get(_COMPANY_VARIABLE) or None
        return cls(os.environ[_TOKEN_VARIABLE], **options)

    def __repr__(self) -> str:
        if not hasattr(self, "_connection"):
            return "<PipedriveSession unfinished>"
        return f"<PipedriveSession {self._base_url}{' closed' if self._connection.closed else ''}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, unless they are borrowed. Closing twice does nothing."""
        await self._connection.close()

    @property
    def stats(self) -> SessionStats:
        """What this session has done so far: requests, retries, seconds waited, tokens, updates."""
        return self._stats

    @property
    def rate_limit(self) -> RateLimit:
        """The limits that the answers told last; None in every field that none has told."""
        return self._rate_limit.rate_limit

    # ---- persons

    def iter_person_flow(
        self, id: int, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[FlowUpdate, None]:
        """Yields all that happened to a person, as the API orders it.

        That is newest first, except that activities not yet done come before everything else. A
        page is requested when the loop needs it and not before: one request per page, 40 tokens
        each. Leaving the loop early is safe, and so is cancelling; `contextlib.aclosing` around
        the generator makes the end prompt.

        Args:
            id: The person's id.
            **options: `items`, `all_changes`, `start`, `page_size`, `max_items` and `prefetch`, as
                in `WalkOptions`.

        Raises:
            ValueError: At the call, for an argument that cannot be right.
            TypeError: At the call, for an argument of another type.
            PipeflowError: While iterating; `start=error.resume_start` goes on from there.
        """
        return self._reader.updates(FlowQuery.checked(FlowOwner.PERSON, id, **options))

    def iter_person_flow_pages(
        self, id: int, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[FlowPage, None]:
        """As `iter_person_flow`, yielding whole pages; pages without a new update are left out."""
        return self._reader.pages(FlowQuery.checked(FlowOwner.PERSON, id, **options))

    async def get_person_flow(self, id: int, **options: Unpack[FlowOptions]) -> FlowPage:
        """One page of what happened to a person: one request, 40 tokens.

        Args:
            id: The person's id.
            **options: `items`, `all_changes`, `start` and `page_size`, as in `FlowOptions`.

        Raises:
            ValueError: An argument cannot be right.
            TypeError: An argument is of another type.
            PipeflowError: No page came.
        """
        return await self._reader.page(FlowQuery.checked(FlowOwner.PERSON, id, **options))

    def iter_person_flows(
        self,
        ids: Iterable[int] | AsyncIterable[int],
        *,
        concurrency: int = 8,
        on_error: OnError = "collect",
        skip_missing: bool = False,
        on_done: Callable[[int], object] | None = None,
        **options: Unpack[WalkOptions],
    ) -> AsyncGenerator[tuple[int, FlowUpdate], None]:
        """Yields `(person_id, update)` over many persons: each one's in order, all as they come.

        Ids are taken one by one, so a million of them need no list. While the loop is busy, at
        most two pages per walk are held. One request per page, 40 tokens each, at the pace of the
        burst limit. Leaving the loop early is safe, and so is cancelling.

        Args:
            ids: The persons' ids, each once, from any iterable, sync or async.
            concurrency: Persons walked at the same time. More than the burst limit lets through
                does nothing; answers slower than `concurrency` / limit want more.
            on_error: `"collect"`: a person that fails stops neither the others nor the loop; all
                failures are raised at the end. `"raise"`: the first failure stops everything.
            skip_missing: Whether a person that does not exist (404, 410) is passed over.
            on_done: Called with the id of each person whose last update was consumed.
            **options: As in `WalkOptions`, for each of the persons.

        Raises:
            ValueError: At the call, for an argument that cannot be right; while iterating, for
                such an id.
            TypeError: The same, for one of another type.
            ExceptionGroup: At the end, of all failures, each with `person_id` and `resume_start`.
            PipeflowError: At once, for the daily budget, a block, or with `on_error="raise"` the
                first. The first `begun` ids were begun; those of them that are not done stand in
                `unfinished`, with the offset to go on from, or in `failures`.
        """
        check_int("concurrency", concurrency, least=1)
        if on_error not in {"collect", "raise"}:
            raise ValueError(f"on_error must be 'collect' or 'raise', not {on_error!r}")
        if not isinstance(ids, Iterable | AsyncIterable):
            raise TypeError(f"ids must be an iterable of ints, not {ids!r}")
        start = FlowQuery.checked(FlowOwner.PERSON, 1, **options).start
        return self._reader.updates_of_many(
            ids,
            lambda person_id: FlowQuery.checked(FlowOwner.PERSON, person_id, **options),
            start=start,
            concurrency=concurrency,
            on_error=on_error,
            skip_missing=skip_missing,
            on_done=on_done,
        )

    # ---- deals

    def iter_deal_flow(
        self, id: int, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[FlowUpdate, None]:
        """As `iter_person_flow`, for a deal."""
        return self._reader.updates(FlowQuery.checked(FlowOwner.DEAL, id, **options))

    def iter_deal_flow_pages(
        self, id: int, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[FlowPage, None]:
        """As `iter_person_flow_pages`, for a deal."""
        return self._reader.pages(FlowQuery.checked(FlowOwner.DEAL, id, **options))

    async def get_deal_flow(self, id: int, **options: Unpack[FlowOptions]) -> FlowPage:
        """As `get_person_flow`, for a deal."""
        return await self._reader.page(FlowQuery.checked(FlowOwner.DEAL, id, **options))

    # ---- organizations

    def iter_organization_flow(
        self, id: int, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[FlowUpdate, None]:
        """As `iter_person_flow`, for an organization."""
        return self._reader.updates(FlowQuery.checked(FlowOwner.ORGANIZATION, id, **options))

    def iter_organization_flow_pages(
        self, id: int, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[FlowPage, None]:
        """As `iter_person_flow_pages`, for an organization."""
        return self._reader.pages(FlowQuery.checked(FlowOwner.ORGANIZATION, id, **options))

    async def get_organization_flow(self, id: int, **options: Unpack[FlowOptions]) -> FlowPage:
        """As `get_person_flow`, for an organization."""
        return await self._reader.page(FlowQuery.checked(FlowOwner.ORGANIZATION, id, **options))
