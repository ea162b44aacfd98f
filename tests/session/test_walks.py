"""Whole walks, over a socket, against the fake Pipedrive."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from pipeflow import (
    ApiError,
    AuthenticationError,
    BlockedError,
    BurstLimiter,
    DailyBudgetExhaustedError,
    DecodeError,
    NotFoundError,
    PaginationError,
    PipedriveSession,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    TransportError,
)
from pipeflow.testing import (
    BadGateway,
    Block,
    ClampPages,
    DailyBudgetExceeded,
    Disconnect,
    FakePipedrive,
    GzipBomb,
    Headers,
    InsertRecord,
    MissingNextStart,
    NullBody,
    Redirect,
    RemoveRecord,
    Stall,
    Status,
    StuckPage,
    TooManyRequests,
)
from tests.session.conftest import QUICK, note, note_id, note_ids, notes, session_at

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow import PipeflowError
    from pipeflow.testing import Fault


@pytest.mark.parametrize("name", ["person", "deal", "organization"])
async def test_a_history_is_walked_to_its_end(name: str) -> None:
    histories: dict[str, Any] = {f"{name}s": {7: notes(1203)}}
    async with FakePipedrive(**histories) as fake, session_at(fake) as pipedrive:
        walk = getattr(pipedrive, f"iter_{name}_flow")(7)
        assert await note_ids(walk) == list(range(1203))
        pages = [page async for page in getattr(pipedrive, f"iter_{name}_flow_pages")(7)]
        assert [len(page.updates) for page in pages] == [500, 499, 204]
        assert [page.start for page in pages] == [0, 500, 999]
        page = await getattr(pipedrive, f"get_{name}_flow")(7, page_size=20)
        assert (len(page.updates), page.next_start) == (20, 20)


async def test_the_demo_history_is_typed_without_exception() -> None:
    async with FakePipedrive() as fake, session_at(fake, strict=True) as pipedrive:
        updates = [update async for update in pipedrive.iter_person_flow(1101, all_changes=True)]
    assert len(updates) > 1100
    assert [update.offset for update in updates] == list(range(len(updates)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"next_start": False},
        {"pagination": "flat"},
        {"pagination": "flat", "next_start": False},
        {"max_page_size": 100},
        {"max_page_size": 100, "next_start": False},
        {"related_objects": "published"},
        {"related_objects": "missing"},
        {"empty_as_null": False},
    ],
)
async def test_every_form_of_answer_yields_the_same_history(options: dict[str, Any]) -> None:
    async with (
        FakePipedrive(persons={7: notes(1000), 8: []}, **options) as fake,
        session_at(fake) as pipedrive,
    ):
        assert await note_ids(pipedrive.iter_person_flow(7)) == list(range(1000))
        assert await note_ids(pipedrive.iter_person_flow(8)) == []


async def test_a_clamp_in_the_middle_of_a_walk_loses_nothing() -> None:
    async with FakePipedrive(persons={7: notes(1300)}) as fake, session_at(fake) as pipedrive:
        fake.script(None, ClampPages(100) + MissingNextStart())
        assert await note_ids(pipedrive.iter_person_flow(7)) == list(range(1300))


async def test_an_update_that_appears_during_a_walk_shifts_nothing_out() -> None:
    async with FakePipedrive(persons={7: notes(30)}) as fake, session_at(fake) as pipedrive:
        fake.script(None, InsertRecord(note(99)))
        assert await note_ids(pipedrive.iter_person_flow(7, page_size=10)) == list(range(30))


async def test_a_stuck_page_ends_in_an_error() -> None:
    async with FakePipedrive(persons={7: notes(600)}) as fake, session_at(fake) as pipedrive:
        fake.on_request = lambda request: StuckPage()
        with pytest.raises(PaginationError, match="does not advance"):
            await note_ids(pipedrive.iter_person_flow(7))
        assert fake.request_count == 1 + 5


async def test_max_items_asks_for_no_more_than_is_wanted() -> None:
    async with FakePipedrive(persons={7: notes(100)}) as fake, session_at(fake) as pipedrive:
        walk = pipedrive.iter_person_flow(7, page_size=20, max_items=50)
        assert await note_ids(walk) == list(range(50))
        assert [request.query["limit"] for request in fake.requests] == ["20", "21", "11"]


async def test_an_early_break_wastes_no_request() -> None:
    async with FakePipedrive(persons={7: notes(100)}) as fake, session_at(fake) as pipedrive:
        async with aclosing(pipedrive.iter_person_flow(7, page_size=10)) as updates:
            async for _ in updates:
                break
        assert fake.request_count == 1


async def test_many_walks_share_one_session() -> None:
    persons = {person: notes(40) for person in range(1, 21)}
    async with (
        FakePipedrive(persons=persons, burst_limit=1000) as fake,
        session_at(fake) as pipedrive,
    ):
        walks = (note_ids(pipedrive.iter_person_flow(person, page_size=10)) for person in persons)
        assert await asyncio.gather(*walks) == [list(range(40))] * 20


async def test_the_burst_limit_is_kept() -> None:
    async with (
        FakePipedrive(persons={7: notes(60)}, burst_limit=5, burst_window=0.3) as fake,
        session_at(fake, limiter=BurstLimiter(limit=5, window=0.3)) as pipedrive,
    ):
        walks = (note_ids(pipedrive.iter_person_flow(7, page_size=20)) for _ in range(4))
        assert await asyncio.gather(*walks) == [list(range(60))] * 4
        assert fake.refused_count == 0
        assert fake.request_count == 12


# ---- what goes wrong


@pytest.mark.parametrize(
    "fault",
    [
        Disconnect(),
        Disconnect(after=100),
        NullBody(),
        Status(503),
        BadGateway(),
        TooManyRequests("0", {"x-ratelimit-reset": "0"}),
    ],
    ids=repr,
)
async def test_a_passing_fault_is_not_noticed(fault: Fault) -> None:
    async with FakePipedrive(persons={7: notes(30)}) as fake, session_at(fake) as pipedrive:
        fake.script(None, fault, fault)
        assert await note_ids(pipedrive.iter_person_flow(7, page_size=10)) == list(range(30))
        assert fake.request_count == 5


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(500), ServerError),
        (Disconnect(), TransportError),
        (NullBody(), DecodeError),
        (Block(), BlockedError),
        (DailyBudgetExceeded(), DailyBudgetExhaustedError),
        (TooManyRequests("61"), RateLimitError),
        (Redirect("http://127.0.0.1:1/"), ApiError),
    ],
    ids=repr,
)
async def test_a_walk_goes_on_from_where_it_broke(fault: Fault, kind: type[PipeflowError]) -> None:
    async with FakePipedrive(persons={7: notes(50)}) as fake:
        fake.on_request = lambda request: fault if request.query["start"] == "19" else None
        async with session_at(fake) as pipedrive:
            walk = pipedrive.iter_person_flow(7, page_size=10)
            seen = [note_id(await anext(walk)) for _ in range(20)]
            with pytest.raises(kind) as caught:
                await anext(walk)
        assert caught.value.resume_start == 20
        fake.on_request = None
        async with session_at(fake) as pipedrive:
            rest = pipedrive.iter_person_flow(7, start=caught.value.resume_start, page_size=10)
            seen += await note_ids(rest)
    assert seen == list(range(50))


async def test_a_redirect_is_not_followed() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake, FakePipedrive() as other:
        fake.script(Redirect(f"{other.base_url}/persons/1101/flow"))
        async with session_at(fake) as pipedrive:
            with pytest.raises(ApiError, match="redirect"):
                await pipedrive.get_person_flow(7)
        assert other.request_count == 0


async def test_after_a_block_the_session_sends_nothing() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake, session_at(fake) as pipedrive:
        fake.script(Block())
        with pytest.raises(BlockedError, match="300 s") as caught:
            await pipedrive.get_person_flow(7)
        assert caught.value.retry_after == 300.0
        with pytest.raises(BlockedError, match="nothing was sent"):
            await pipedrive.get_person_flow(7)
        assert fake.request_count == 1


async def test_the_cooldown_is_the_callers_choice() -> None:
    async with (
        FakePipedrive(persons={7: notes(3)}) as fake,
        session_at(fake, block_cooldown=0.0) as pipedrive,
    ):
        fake.script(Block())
        with pytest.raises(BlockedError):
            await pipedrive.get_person_flow(7)
        assert len((await pipedrive.get_person_flow(7)).updates) == 3


async def test_an_unknown_person_is_named() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        with pytest.raises(NotFoundError, match="404 Person not found") as caught:
            await pipedrive.get_person_flow(999_999)
    assert caught.value.correlation_id


async def test_a_wrong_token_is_named() -> None:
    async with FakePipedrive() as fake:
        async with PipedriveSession("wrong", base_url=fake.base_url) as pipedrive:
            with pytest.raises(AuthenticationError, match="401 unauthorized access"):
                await pipedrive.get_person_flow(1101)
        assert fake.request_count == 1


# ---- the aiohttp session


async def test_a_borrowed_session_stays_as_it_was() -> None:
    seen: list[str] = []

    async def own_middleware(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        seen.append(request.url.path)
        return await handler(request)

    async with (
        FakePipedrive(persons={7: notes(3)}) as fake,
        FakePipedrive(api_token=fake.api_token) as other,
        aiohttp.ClientSession(middlewares=[own_middleware], raise_for_status=True) as borrowed,
    ):
        fake.on_request = lambda request: Headers({"Set-Cookie": "tracked=yes; Path=/"})
        async with session_at(fake, session=borrowed) as pipedrive:
            assert await note_ids(pipedrive.iter_person_flow(7)) == [0, 1, 2]
            with pytest.raises(NotFoundError):
                await pipedrive.get_person_flow(8)
        assert not borrowed.closed
        assert len(borrowed.cookie_jar) == 0
        with pytest.raises(aiohttp.ClientResponseError):
            await borrowed.get(f"{other.base_url}/persons/1101/flow")
        assert seen == ["/v1/persons/1101/flow"]
        assert "x-api-token" not in other.requests[-1].headers
        assert "cookie" not in other.requests[-1].headers


async def test_middlewares_of_the_callers_see_every_try_without_the_token() -> None:
    tries: list[dict[str, str]] = []

    async def log(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        tries.append(dict(request.headers))
        return await handler(request)

    async with FakePipedrive(persons={7: notes(3)}) as fake:
        fake.script(Status(503))
        async with session_at(fake, middlewares=[log]) as pipedrive:
            await pipedrive.get_person_flow(7)
    assert len(tries) == 2
    assert fake.api_token not in str(tries)


async def test_a_closed_session_says_so() -> None:
    async with FakePipedrive() as fake:
        pipedrive = session_at(fake)
        await pipedrive.get_person_flow(1101)
        await pipedrive.close()
        await pipedrive.close()
        assert repr(pipedrive).endswith("closed>")
        with pytest.raises(RuntimeError, match="closed"):
            await pipedrive.get_person_flow(1101)


async def test_an_unused_session_needs_no_closing() -> None:
    PipedriveSession("token")
    gc.collect()


def test_a_session_belongs_to_one_event_loop() -> None:
    async def use(pipedrive: PipedriveSession) -> None:
        await pipedrive.get_person_flow(7)

    async def main() -> None:
        async with FakePipedrive(persons={7: notes(3)}) as fake, session_at(fake) as pipedrive:
            await use(pipedrive)

            def elsewhere() -> None:
                with pytest.raises(RuntimeError, match="another event loop"):
                    asyncio.run(use(pipedrive))

            await asyncio.to_thread(elsewhere)

    asyncio.run(main())


def test_a_walk_without_a_loop_is_pythons_own_error() -> None:
    pipedrive = PipedriveSession("token")
    step = pipedrive.iter_person_flow(7).__anext__()
    with pytest.raises(RuntimeError, match="no running event loop"):
        step.send(None)


async def test_an_unreachable_server_is_a_transport_error(unused_port: int) -> None:
    base_url = f"http://127.0.0.1:{unused_port}/v1"
    async with PipedriveSession("token", base_url=base_url, retry=QUICK) as pipedrive:
        with pytest.raises(TransportError, match=r"127\.0\.0\.1: .* \(in 3 attempts\)"):
            await pipedrive.get_person_flow(7)


async def test_an_error_of_aiohttp_outside_the_middlewares_is_ours_too() -> None:
    trace = aiohttp.TraceConfig()

    async def fail(*_: object) -> None:
        raise aiohttp.ClientError("tracing failed")

    trace.on_request_start.append(fail)
    async with (
        aiohttp.ClientSession(trace_configs=[trace]) as borrowed,
        PipedriveSession("token", session=borrowed) as pipedrive,
    ):
        with pytest.raises(TransportError, match="tracing failed"):
            await pipedrive.get_person_flow(7)


async def test_a_page_that_is_too_large_is_refused() -> None:
    async with FakePipedrive() as fake, session_at(fake, max_page_bytes=10_000) as pipedrive:
        with pytest.raises(DecodeError, match="more than 10,000 bytes"):
            await pipedrive.get_person_flow(1101)
        fake.script(GzipBomb(10_000_000))
        with pytest.raises(DecodeError, match="more than 10,000 bytes"):
            await pipedrive.get_person_flow(1101)
        assert fake.request_count == 2


@pytest.mark.parametrize("borrows", [False, True])
@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("fault", [Stall(), Status(503, headers={"Retry-After": "50"})], ids=repr)
async def test_closing_ends_a_walk_that_is_under_way(
    *, borrows: bool, prefetch: int, fault: Fault
) -> None:
    async with FakePipedrive(persons={7: notes(100)}) as fake, aiohttp.ClientSession() as borrowed:
        fake.script(None, *[fault] * 3)
        pipedrive = session_at(fake, session=borrowed if borrows else None)
        walk = pipedrive.iter_person_flow(7, page_size=10, prefetch=prefetch)
        for _ in range(10):
            await anext(walk)
        waiting = asyncio.create_task(anext(walk))
        for _ in range(1000):
            await asyncio.sleep(0)
        await pipedrive.close()
        with pytest.raises(TransportError, match="closed while a request") as caught:
            await waiting
        assert caught.value.resume_start == 10


async def test_a_deadline_bounds_a_page_with_its_waits() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake:
        fake.on_request = lambda request: Status(503)
        retry = RetryPolicy(attempts=1000, base_delay=0.01)
        async with session_at(fake, deadline=0.1, retry=retry) as pipedrive:
            with pytest.raises(RequestTimeoutError, match=r"deadline of 0\.1 s") as caught:
                await pipedrive.get_person_flow(7)
    assert caught.value.resume_start == 0
    assert isinstance(caught.value, TimeoutError)


async def test_an_attempt_that_takes_too_long_says_so() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake:
        fake.on_request = lambda request: Stall()
        retry = RetryPolicy(attempts=1)
        async with session_at(fake, attempt_timeout=0.05, retry=retry) as pipedrive:
            with pytest.raises(RequestTimeoutError, match=r"attempt_timeout is 0.05 s"):
                await pipedrive.get_person_flow(7)


async def test_a_removal_during_a_walk_shifts_nothing_out() -> None:
    async with FakePipedrive(persons={7: notes(50)}) as fake, session_at(fake) as pipedrive:
        fake.script(None, RemoveRecord(3))
        walk = pipedrive.iter_person_flow(7, page_size=10)
        assert await note_ids(walk) == list(range(50))


async def test_a_burst_429_that_asks_too_much_fails_at_once_for_the_next_request_too() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake, session_at(fake) as pipedrive:
        fake.script(TooManyRequests("61"))
        with pytest.raises(RateLimitError, match="asks to wait 61 s"):
            await pipedrive.get_person_flow(7)
        with pytest.raises(RateLimitError, match="nothing was sent") as caught:
            await pipedrive.get_person_flow(7)
        assert caught.value.retry_after == pytest.approx(61, abs=5)
        assert fake.request_count == 1


async def test_a_reset_of_hours_is_the_daily_budgets() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake, session_at(fake) as pipedrive:
        fake.script(TooManyRequests(None, {"x-ratelimit-reset": "3939"}))
        with pytest.raises(DailyBudgetExhaustedError):
            await pipedrive.get_person_flow(7)
        with pytest.raises(DailyBudgetExhaustedError, match="nothing was sent"):
            await pipedrive.get_person_flow(7)
        assert fake.request_count == 1
