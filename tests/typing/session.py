"""What type checkers know of a session. Never run: `mypy` and `pyright` are the test."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, assert_type

from pipeflow import (
    BurstLimiter,
    FlowItem,
    FlowPage,
    FlowsFailed,
    FlowUpdate,
    PipedriveSession,
    PipeflowError,
    RateLimit,
    RetryPolicy,
    SessionStats,
)
from pipeflow.middleware import (
    AttemptMiddleware,
    AuthMiddleware,
    RateLimitMiddleware,
    RetryMiddleware,
)

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import ClientMiddlewareType


async def a_walk_yields_updates(pipedrive: PipedriveSession) -> None:
    assert_type(pipedrive.iter_person_flow(1), AsyncGenerator[FlowUpdate, None])
    assert_type(pipedrive.iter_deal_flow(1), AsyncGenerator[FlowUpdate, None])
    assert_type(pipedrive.iter_organization_flow(1), AsyncGenerator[FlowUpdate, None])
    async for update in pipedrive.iter_person_flow(1):
        assert_type(update, FlowUpdate)
    async with aclosing(pipedrive.iter_person_flow(1)) as updates:
        assert_type(await anext(updates), FlowUpdate)


async def a_walk_by_pages_yields_pages(pipedrive: PipedriveSession) -> None:
    assert_type(pipedrive.iter_person_flow_pages(1), AsyncGenerator[FlowPage, None])
    assert_type(pipedrive.iter_deal_flow_pages(1), AsyncGenerator[FlowPage, None])
    assert_type(pipedrive.iter_organization_flow_pages(1), AsyncGenerator[FlowPage, None])


async def one_page_is_awaited(pipedrive: PipedriveSession) -> None:
    assert_type(await pipedrive.get_person_flow(1), FlowPage)
    assert_type(await pipedrive.get_deal_flow(1), FlowPage)
    assert_type(await pipedrive.get_organization_flow(1), FlowPage)


async def many_persons_yield_each_update_with_its_person(pipedrive: PipedriveSession) -> None:
    async def ids() -> AsyncGenerator[int, None]:
        yield 1

    async def note(error: PipeflowError) -> None:
        assert_type(error.owner_id, int | None)

    walk = pipedrive.iter_person_flows([1, 2], on_error="raise", on_done=print, on_failure=note)
    assert_type(walk, AsyncGenerator[tuple[int, FlowUpdate], None])
    async for person_id, update in pipedrive.iter_person_flows(ids(), concurrency=2):
        assert_type(person_id, int)
        assert_type(update, FlowUpdate)
    try:
        await anext(walk)
    except FlowsFailed as failed:
        assert_type(failed.failures, tuple[PipeflowError, ...])
        assert_type(failed.failures[0].resume_start, int | None)
        assert_type(failed.stopped_by, Exception | None)
        assert_type(failed.unfinished, dict[int, int])
        pipedrive.iter_deal_flows(failed.remaining([1, 2]))
        pipedrive.iter_organization_flows(failed.unfinished.items())


async def a_session_tells_what_it_did(pipedrive: PipedriveSession) -> None:
    assert_type(pipedrive.stats, SessionStats)
    assert_type(pipedrive.stats.waited_seconds, float)
    assert_type(pipedrive.rate_limit, RateLimit)
    assert_type(pipedrive.rate_limit.remaining, int | None)
    async with pipedrive as entered:
        assert_type(entered, PipedriveSession)
    assert_type(PipedriveSession.from_env(strict=True, trust_env=True), PipedriveSession)


async def options_are_checked(pipedrive: PipedriveSession) -> None:
    items = [FlowItem.NOTE, "file"]
    pipedrive.iter_person_flow(1, items=items, all_changes=True, start=0, page_size=9, max_items=9)
    pipedrive.iter_person_flow(1, items=FlowItem.other("new"), prefetch=2)
    pipedrive.iter_person_flow("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pipedrive.iter_person_flow(1, limit=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pipedrive.iter_person_flow(1, items=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await pipedrive.get_person_flow(1, max_items=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pipedrive.iter_person_flows([1], on_error="stop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PipedriveSession.from_env(api_token="")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pipedrive.iter_person_flows(["1"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    PipedriveSession("token", "acme")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    PipedriveSession("token", retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def middlewares_are_those_of_aiohttp(session: aiohttp.ClientSession) -> None:
    limiter = BurstLimiter(limit=10, window=2.0)
    middlewares: Sequence[ClientMiddlewareType] = (
        RetryMiddleware(RetryPolicy(attempts=3)),
        RateLimitMiddleware(limiter),
        AttemptMiddleware(5.0),
        AuthMiddleware("token", company_domain="acme"),
    )
    PipedriveSession("token", session=session, limiter=limiter, middlewares=middlewares)
