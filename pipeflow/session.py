"""The session: how it is made, and how it ends. What it reads stands in `pipeflow.flows`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypedDict
from weakref import WeakSet

from pipeflow.arguments import check_flag, check_int, check_seconds
from pipeflow.codec import page_decoder
from pipeflow.connection import Connection
from pipeflow.credentials import hiding_arguments
from pipeflow.credentials.choice import credential_of
from pipeflow.flows import FlowMethods
from pipeflow.middleware import AttemptMiddleware, RateLimitMiddleware
from pipeflow.middleware.bodies import LARGEST_ANSWER
from pipeflow.middleware.stack import Stack
from pipeflow.observing import LogObserver, Observers, SessionStats
from pipeflow.reader import FlowReader
from pipeflow.retrying import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self, Unpack

    from aiohttp import ClientMiddlewareType, ClientSession
    from cattrs import BaseConverter

    from pipeflow.answers import RateLimit
    from pipeflow.credentials import OAuthApp, OAuthTokens, TokenStore
    from pipeflow.limiting import Limiter
    from pipeflow.observing import Observer
    from pipeflow.watching import FlowWatch

__all__ = ["PipedriveSession", "SessionOptions"]

_TOKEN_VARIABLE = "PIPEDRIVE_API_TOKEN"  # noqa: S105 - the variable's name, not a token
_COMPANY_VARIABLE = "PIPEDRIVE_COMPANY_DOMAIN"


class SessionOptions(TypedDict, total=False):
    """The keyword arguments of `PipedriveSession`, which says what they mean."""

    company_domain: str | None
    base_url: str | None
    session: ClientSession | None
    trust_env: bool
    middlewares: Sequence[ClientMiddlewareType]
    observers: Iterable[Observer]
    retry: RetryPolicy | None
    attempt_timeout: float | None
    deadline: float | None
    limiter: Limiter | None
    reserve_tokens: int | None
    block_cooldown: float
    max_page_bytes: int
    strict: bool
    payloads: Mapping[str, type] | None
    converter: BaseConverter | None


class PipedriveSession(FlowMethods):
    """Reads the histories of persons, deals and organizations: an async context manager.

    ```python
    async with PipedriveSession(api_token="…", company_domain="acme") as pipedrive:
        async for update in pipedrive.iter_person_flow(1101):
            print(update.timestamp, update.summary())
    ```

    Any number of walks may run at once on one session; they share its connections and its burst
    limit. A session belongs to the event loop of its first request.

    Every request costs 40 tokens of the company's daily budget. Failed requests are sent again as
    `retry` says; the burst limit is waited out; the daily budget never is.

    Args:
        api_token: The token from Pipedrive's personal preferences. It is sent in a header, and only
            to the base URL's origin.
        oauth: Instead of `api_token`, an app of the marketplace, with the `tokens` of one company.
        tokens: With `oauth`: `OAuthTokens`, or the `TokenStore` that holds them and saves new ones
            before they are used. Requests go to the tokens' `api_domain` only.
        company_domain: Such as `"acme"`, for acme.pipedrive.com.
        base_url: An address other than `https://api.pipedrive.com/v1`: https, or http to loopback.
        session: An `aiohttp.ClientSession` to borrow. It is never closed here, and its middlewares,
            headers and cookies stay as they are for its other requests. Its own middlewares do not
            see the requests made here (see `middlewares`). Without it, a session is made on first
            use and closed with this one.
        trust_env: Whether to use the proxies in `HTTP_PROXY` and `HTTPS_PROXY`, as aiohttp's own
            `trust_env` does. Not together with `session`, which has a setting of its own.
        middlewares: aiohttp client middlewares of your own, for logging or tracing. They see every
            attempt of every request, without the token.
        observers: Objects to tell of every attempt, wait, retry and page, derived from
            `pipeflow.observing.Observer`.
        retry: How often a request is attempted; by default `RetryPolicy()`.
        attempt_timeout: Seconds for each attempt, from sending the request to the last byte of its
            answer. Waits for the limit and between attempts do not count. None means no limit.
        deadline: Seconds for a whole page, with all attempts and all waits. None means no limit.
            Both end in a `RequestTimeoutError` that says which it was.
        limiter: Decides when each request may be sent. Give one to all sessions of the same token,
            so that they share its limits and stop together after a block or once the daily
            budget is spent. By default a new `BurstLimiter()`, which assumes 20 requests per 2 s
            until the server says otherwise. Any `pipeflow.limiting.Limiter` will do.
        reserve_tokens: Stops, with a `DailyBudgetExhaustedError`, before the last so many tokens of
            the company's day are spent, by what the answers' headers say. None, the default, means
            that all may be spent.
        block_cooldown: Seconds in which nothing is sent after Cloudflare has blocked this client.
        max_page_bytes: The most bytes that an answer may have, after decompression. A larger
            one is a `DecodeError`. A page of 500 updates has about 700 kB.
        payloads: Classes of your own for `update.data` by `object`, such as
            `{"follower": Follower}`: attrs classes, beside ours or instead of them.
        converter: The `cattrs.Converter` with your hooks that structures them.
        strict: Whether a record that breaks its shape is a `DecodeError`, instead of an update
            whose `data` is the plain dict.

    Raises:
        ValueError: An argument is missing or out of bounds; the message names it and the fix.
        TypeError: An argument is of another type.
    """

    @hiding_arguments
    def __init__(
        self,
        api_token: str | None = None,
        *,
        oauth: OAuthApp | None = None,
        tokens: OAuthTokens | TokenStore | None = None,
        company_domain: str | None = None,
        base_url: str | None = None,
        session: ClientSession | None = None,
        trust_env: bool = False,
        middlewares: Sequence[ClientMiddlewareType] = (),
        observers: Iterable[Observer] = (),
        retry: RetryPolicy | None = None,
        attempt_timeout: float | None = 30.0,
        deadline: float | None = None,
        limiter: Limiter | None = None,
        reserve_tokens: int | None = None,
        block_cooldown: float = 300.0,
        max_page_bytes: int = LARGEST_ANSWER,
        strict: bool = False,
        payloads: Mapping[str, type] | None = None,
        converter: BaseConverter | None = None,
    ) -> None:
        check_flag("trust_env", trust_env)
        if trust_env and session is not None:
            raise ValueError(
                "trust_env is for the session that is made here; a borrowed one has its own: "
                "aiohttp.ClientSession(trust_env=True)"
            )
        if attempt_timeout is not None:
            check_seconds("attempt_timeout", attempt_timeout)
        if deadline is not None:
            check_seconds("deadline", deadline)
        check_seconds("block_cooldown", block_cooldown, zero=True)
        check_int("max_page_bytes", max_page_bytes, least=1)
        if reserve_tokens is not None:
            check_int("reserve_tokens", reserve_tokens, least=0)
        self._credential = credential_of(
            api_token,
            oauth=oauth,
            tokens=tokens,
            base_url=base_url,
            company_domain=company_domain,
            client=self._http_client,
        )
        self._stats = SessionStats()
        self._watches: WeakSet[FlowWatch] = WeakSet()
        observer = Observers([self._stats, LogObserver(), *observers])
        retry = RetryPolicy() if retry is None else retry
        self._rate_limit = RateLimitMiddleware(
            limiter,
            cooldown=block_cooldown,
            max_wait=retry.max_wait,
            reserve_tokens=reserve_tokens,
            observer=observer,
        )
        self._connection = Connection(
            session,
            self._credential,
            Stack(
                credential=self._credential,
                rate_limit=self._rate_limit,
                users=middlewares,
                observer=observer,
                attempt=AttemptMiddleware(attempt_timeout, max_bytes=max_page_bytes),
            ),
            deadline=deadline,
            trust_env=trust_env,
        )
        self._reader = FlowReader(
            self._connection,
            credential=self._credential,
            retry=retry,
            cooldown=block_cooldown,
            strict=strict,
            decoder=page_decoder(payloads, converter),
            observer=observer,
        )

    @classmethod
    def from_env(cls, **options: Unpack[SessionOptions]) -> Self:
        """Makes a session with the token in the environment variable `PIPEDRIVE_API_TOKEN`.

        `PIPEDRIVE_COMPANY_DOMAIN`, if it is set, is the `company_domain`.

        Args:
            **options: All other arguments of `PipedriveSession`. A `company_domain` or `base_url`
                given here takes precedence over the variable.

        Raises:
            ValueError: `PIPEDRIVE_API_TOKEN` is not set or empty.
        """
        if not os.environ.get(_TOKEN_VARIABLE):
            raise ValueError(f"the environment variable {_TOKEN_VARIABLE} is not set")
        if not options.keys() & {"company_domain", "base_url"}:
            options["company_domain"] = os.environ.get(_COMPANY_VARIABLE) or None
        return cls(os.environ[_TOKEN_VARIABLE], **options)

    def _http_client(self) -> ClientSession:
        return self._connection.client()

    def __repr__(self) -> str:
        if not hasattr(self, "_connection"):
            return "<PipedriveSession unfinished>"
        where = self._credential.base_url or "with OAuth"
        return f"<PipedriveSession {where}{' closed' if self._connection.closed else ''}>"

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
        """Ends the requests under way and closes the connections, unless they are borrowed.

        Code that waits for one of these requests gets a `TransportError`. A refresh of OAuth tokens
        that is under way is waited for, so that its tokens are saved. Closing twice does nothing.

        Raises:
            TokenStoreError: New OAuth tokens could not be saved, and are lost.
        """
        try:
            await self._credential.close()
        finally:
            await self._connection.close()
            for watch in list(self._watches):
                watch.session_closed()

    async def aclose(self) -> None:
        """Does the same as `close`, for `contextlib.aclosing` and exit stacks."""
        await self.close()

    @property
    def stats(self) -> SessionStats:
        """What this session has done so far: requests, retries, seconds waited, tokens, updates."""
        return self._stats

    @property
    def rate_limit(self) -> RateLimit:
        """The limits that the answers named last. A field that no answer has named is None."""
        return self._rate_limit.rate_limit
