"""The server itself: its life, its memory, and the way of a request through it."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from pipeflow.testing.answers import Ending, PageShape, error_answer
from pipeflow.testing.api import Api
from pipeflow.testing.clock import Clock
from pipeflow.testing.collection import Pace
from pipeflow.testing.controls import Controls
from pipeflow.testing.delivery import deliver
from pipeflow.testing.faults import Fault
from pipeflow.testing.gateway import Gateway
from pipeflow.testing.histories import generate_names
from pipeflow.testing.limits import DailyBudget, FixedWindow, RollingWindow
from pipeflow.testing.listener import Listener
from pipeflow.testing.requests import SeenRequest, cost_of, whose_history
from pipeflow.testing.store import demo_store, given_store
from pipeflow.testing.threads import LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from aiohttp import web

    from pipeflow.testing.histories.naming import AccountNames
    from pipeflow.testing.oauth import FakeOAuth

__all__ = ["FakePipedrive"]


class FakePipedrive(Controls):
    """Pipedrive's flow endpoints, and the lists beside them, on a loopback port.

    It serves as long as the `async with` lasts. Without async, `with FakePipedrive() as fake:` runs
    it in a thread of its own; everything about it may be asked for and changed from any thread.

    ```python
    async with FakePipedrive() as fake:
        ...  # ask fake.base_url + "/persons/1101/flow" with the header x-api-token: fake.api_token
    ```

    As it comes it holds person 1101 with some 1,200 updates, deal 11011 and organization 5101.
    Given histories take their place.

    Args:
        persons: The history of each person by id: records `{"object", "timestamp", "data"}` in
            the order in which they are served. Any other JSON value is served as it is, too.
        deals: The same for deals.
        organizations: The same for organizations.
        related: The related objects by kind and id, such as `{"user": {11: {"id": 11, …}}}`. A
            page names those that its records refer to. `generate_related()` makes those of
            generated histories.
        names: The entries of the lists `users`, `personFields`, `dealFields`,
            `organizationFields`, `stages` and `pipelines`, by these names; what is left out is
            that of `generate_names()`.
        api_token: The token to accept, in `x-api-token`, as `Authorization: Bearer` or in the old
            `api_token` query parameter. A random one by default.
        port: The port; 0 is any free one.
        default_page_size: Updates on a page when the request has no `limit`.
        max_page_size: A greater `limit` is clamped to it.
        pagination: `"nested"` under `additional_data.pagination`, as in reality, or `"flat"` on
            `additional_data`, as in the published schema.
        next_start: Whether pages say where the next one begins, when there is one.
        related_objects: `"plain"` as in reality, `"published"` as in the published example
            (`{"allOf": […]}`), or `"missing"`.
        empty_as_null: Whether an empty page's data is `null` or `[]`.
        burst_limit: Requests in every `burst_window` seconds; one more is refused with 429.
        burst_window: Seconds.
        burst_kind: `"rolling"`: any `burst_window` seconds; `"fixed"`: between the beats of a
            clock.
        announces_limits: Whether answers carry the `x-ratelimit-*` headers.
        block_after: After so many refusals in a row every request gets Cloudflare's 403, until
            `fake.blocked = False`. None never blocks.
        daily_budget: Tokens of a day, which starts at midnight UTC; each request let through
            costs 40, or less for the lists of names and persons. None means no limit.
        daily_retry_after: What a 429 of the daily budget says in `Retry-After`: so many seconds,
            those left until `"midnight"`, or nothing.
        clock: What days, webhooks and the account's life go by; the real time by default.
        answer_delay: Seconds from each request to its answer.
        oauth: An OAuth server at the same address, whose access tokens are accepted, too. Its
            requests are in `oauth.token_requests`, and not among those counted here.

    Attributes:
        answer_delay: May be changed at any time.
        on_request: Called with each `SeenRequest` for which nothing is scripted, in the fake's
            own thread if it has one; returns the fault for it, or None.
    """

    def __init__(
        self,
        *,
        persons: Mapping[int, Iterable[Any]] | None = None,
        deals: Mapping[int, Iterable[Any]] | None = None,
        organizations: Mapping[int, Iterable[Any]] | None = None,
        related: Mapping[str, Mapping[int, Any]] | None = None,
        names: AccountNames | None = None,
        api_token: str | None = None,
        port: int = 0,
        default_page_size: int = 50,
        max_page_size: int = 500,
        pagination: Literal["nested", "flat"] = "nested",
        next_start: bool = True,
        related_objects: Literal["plain", "published", "missing"] = "plain",
        empty_as_null: bool = True,
        burst_limit: int = 100,
        burst_window: float = 2.0,
        burst_kind: Literal["rolling", "fixed"] = "rolling",
        announces_limits: bool = True,
        block_after: int | None = None,
        daily_budget: int | None = None,
        daily_retry_after: int | Literal["midnight"] | None = None,
        clock: Clock | None = None,
        answer_delay: float = 0.0,
        oauth: FakeOAuth | None = None,
    ) -> None:
        self.answer_delay = answer_delay
        self._oauth = oauth
        self.on_request: Callable[[SeenRequest], Fault | None] | None = None
        given = {"person": persons, "deal": deals, "organization": organizations}
        histories = {kind: by_id for kind, by_id in given.items() if by_id is not None}
        pace = Pace(clock or Clock())
        window = RollingWindow if burst_kind == "rolling" else FixedWindow
        super().__init__(
            Api(
                token=secrets.token_hex(20) if api_token is None else api_token,
                store=(given_store(histories, related, pace) if histories else demo_store(pace)),
                names=generate_names() | dict(names or {}),
                gateway=Gateway(
                    window(burst_limit, burst_window),
                    daily=DailyBudget(daily_budget),
                    daily_retry_after=daily_retry_after,
                    block_after=block_after,
                    announces_limits=announces_limits,
                    clock=pace.clock,
                ),
                shape=PageShape(pagination, related_objects, empty_as_null),
                next_start=next_start,
                default_page_size=default_page_size,
                max_page_size=max_page_size,
                oauth=oauth,
            )
        )
        self._port = port
        self._thread: LoopThread | None = None
        self._script: deque[Fault | None] = deque()
        self._errors: list[Exception] = []

    async def __aenter__(self) -> Self:
        self._listener = await Listener.start(self._handle, self._port)
        if self._oauth is not None:
            self._oauth.origin = self._listener.origin
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection at once. Raises what `on_request` or a fault raised, if it did."""
        try:
            await self._end_webhooks()
            await self._running().close()
        finally:
            self._listener = None
        if self._errors and exc is None:
            raise self._errors[0]

    def __enter__(self) -> Self:
        thread = LoopThread()
        try:
            thread.run(self.__aenter__())
        except BaseException:
            thread.stop()
            raise
        self._thread = thread
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """As the end of an `async with`."""
        if self._thread is None:
            raise RuntimeError("the fake was entered with `async with`; leave it the same way")
        try:
            self._thread.run(self.__aexit__(exc_type, exc, traceback))
        finally:
            self._thread.stop()
            self._thread = None

    @property
    def base_url(self) -> str:
        """Such as `http://127.0.0.1:4321/v1`; `/api/v1` leads to the same."""
        return f"{self._running().origin}/v1"

    @property
    def api_token(self) -> str:
        """The token that it accepts."""
        return self._api.token

    @property
    def oauth(self) -> FakeOAuth:
        """Its OAuth server.

        Raises:
            RuntimeError: It has none.
        """
        if self._oauth is None:
            raise RuntimeError("the fake has no OAuth: FakePipedrive(oauth=FakeOAuth())")
        return self._oauth

    # Faults

    def script(self, *faults: Fault | None) -> None:
        """Apply these to the next requests, one each, after what is scripted already.

        None answers as usual.
        """
        self._script.extend(faults)

    # The way of a request

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._oauth is not None and request.path.startswith("/oauth/"):
            body = await request.read()
            answer = self._oauth.answer(
                request.method, request.path, request.query, request.headers, body
            )
            await asyncio.sleep(answer.delay)
            return await deliver(request, answer)
        seen = SeenRequest(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=request.headers,
            at=time.monotonic(),
            correlation_id=str(uuid.uuid4()),
            whose=whose_history(request.path),
            cost=cost_of(request.path),
        )
        self._log.begin(seen)
        try:
            with self.lock:
                fault = self._next_fault(seen)
                fault.act(self, seen)
                answer = self._api.answer(seen, ask=fault.ask, change=fault.answer)
        except Exception as error:  # noqa: BLE001 - a test's own fault; raised again at the end
            self._errors.append(error)
            answer = error_answer(500, f"the fake failed: {error!r}")
        delay = self.answer_delay + answer.delay
        if delay:
            await asyncio.sleep(delay)
        has_status = answer.ending is Ending.WHOLE or answer.cut is not None
        if has_status:
            self._log.end(seen, answer.status)
        return await deliver(request, answer)

    def _next_fault(self, seen: SeenRequest) -> Fault:
        if self._script:
            return self._script.popleft() or Fault()
        return (self.on_request and self.on_request(seen)) or Fault()
