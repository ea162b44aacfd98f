from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Unpack

import pytest

from pipeflow.testing import (
    BadGateway,
    Block,
    ClampPages,
    Controls,
    DailyBudgetExceeded,
    Delay,
    FakePipedrive,
    Fault,
    GzipBomb,
    Headers,
    HugeBody,
    InsertRecord,
    InvalidJson,
    MissingNextStart,
    NullBody,
    Redirect,
    RemoveRecord,
    SeenRequest,
    Status,
    StuckPage,
    TooManyRequests,
)

from .asking import Query, Reply, ask, note, notes

if TYPE_CHECKING:
    from collections.abc import Callable


async def ask_under(fault: Fault, **query: Unpack[Query]) -> Reply:
    async with FakePipedrive(persons={7: notes(10)}) as fake:
        fake.script(fault)
        reply = await ask(fake, "/persons/7/flow", **query)
        assert fake.requests[0].status == reply.status
        return reply


async def test_scripted_faults_meet_one_request_each() -> None:
    async with FakePipedrive() as fake:
        fake.script(Status(500), None)
        fake.script(Status(502))
        assert [(await ask(fake)).status for _ in range(4)] == [500, 200, 502, 200]


async def test_a_callable_is_asked_for_a_fault_when_nothing_is_scripted() -> None:
    seen: list[SeenRequest] = []

    def every_second(request: SeenRequest) -> Fault | None:
        seen.append(request)
        return Status(503) if len(seen) % 2 else None

    async with FakePipedrive() as fake:
        fake.on_request = every_second
        fake.script(Status(500))
        assert [(await ask(fake, start=start)).status for start in range(4)] == [500, 503, 200, 503]
    assert [request.query["start"] for request in seen] == ["1", "2", "3"]
    assert {request.status for request in seen} == {None}


async def test_a_status_comes_with_an_error_as_pipedrive_words_it() -> None:
    reply = await ask_under(Status(503))
    assert reply.status == 503
    assert reply.json["success"] is False
    assert reply.json["error"] == "Service Unavailable"
    assert reply.json["errorCode"] == 503
    assert "x-correlation-id" in reply.headers


async def test_a_status_need_not_be_a_registered_one() -> None:
    reply = await ask_under(Status(522))
    assert (reply.status, reply.json["error"]) == (522, "Unknown")


@pytest.mark.parametrize(
    ("given", "sent"),
    [(b"\xff", b"\xff"), ("text", b"text"), ({"success": False}, b'{"success":false}'), ("", b"")],
)
async def test_a_status_comes_with_the_body_it_is_given(given: object, sent: bytes) -> None:
    assert (await ask_under(Status(500, given))).body == sent


async def test_a_status_comes_with_the_headers_it_is_given() -> None:
    fault = Status(503, headers={"retry-after": "5", "X-RateLimit-Limit": None})
    reply = await ask_under(fault)
    assert reply.headers["Retry-After"] == "5"
    assert "x-ratelimit-limit" not in reply.headers


@pytest.mark.parametrize("retry_after", ["3", "Wed, 21 Oct 2026 07:28:00 GMT", "-5", "1e9", "soon"])
async def test_too_many_requests_says_any_text_in_retry_after(retry_after: str) -> None:
    reply = await ask_under(TooManyRequests(retry_after))
    assert reply.status == 429
    assert reply.json["error"] == "request over limit"
    assert reply.headers["Retry-After"] == retry_after
    assert reply.headers["x-ratelimit-remaining"] == "0"
    assert "x-ratelimit-reset" in reply.headers


async def test_too_many_requests_can_hold_garbage_in_its_headers_or_none() -> None:
    headers = {"x-ratelimit-reset": "garbage", "x-ratelimit-remaining": None}
    reply = await ask_under(TooManyRequests(headers=headers))
    assert "Retry-After" not in reply.headers
    assert "x-ratelimit-remaining" not in reply.headers
    assert reply.headers["x-ratelimit-reset"] == "garbage"


async def test_the_daily_budget_can_be_exceeded_on_demand() -> None:
    reply = await ask_under(DailyBudgetExceeded(retry_after="3939"))
    assert reply.status == 429
    assert reply.json["error"] == "daily request budget exceeded"
    assert reply.headers["Retry-After"] == "3939"
    assert int(reply.headers["x-ratelimit-remaining"]) > 0


@pytest.mark.parametrize(
    ("fault", "status"), [(Block("html"), 403), (BadGateway(), 502), (BadGateway(504), 504)]
)
async def test_a_proxy_answers_with_a_web_page(fault: Fault, status: int) -> None:
    reply = await ask_under(fault)
    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.body.lstrip().startswith(b"<")


async def test_a_redirect_leads_elsewhere() -> None:
    reply = await ask_under(Redirect("https://example.com/v1", status=307))
    assert reply.status == 307
    assert reply.headers["Location"] == "https://example.com/v1"
    assert reply.body == b""


async def test_a_null_body_has_status_200() -> None:
    reply = await ask_under(NullBody())
    assert (reply.status, reply.body) == (200, b"null")


async def test_invalid_json_has_status_200() -> None:
    reply = await ask_under(InvalidJson())
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


async def test_headers_are_set_and_left_out() -> None:
    changed = {"set-cookie": "session=1; Path=/", "x-ratelimit-limit": None}
    reply = await ask_under(Headers(changed))
    assert reply.headers["Set-Cookie"] == "session=1; Path=/"
    assert "x-ratelimit-limit" not in reply.headers
    assert len(reply.data) == 10


@pytest.mark.parametrize("size", [100, 2**18, 2**20 + 3])
async def test_a_huge_body_is_json_of_exactly_its_size_without_a_length(size: int) -> None:
    reply = await ask_under(HugeBody(size))
    assert len(reply.body) == size
    assert set(reply.json["data"]) == {" "}
    assert "Content-Length" not in reply.headers


async def test_a_gzip_bomb_is_small_and_grows_to_its_size() -> None:
    async with FakePipedrive() as fake:
        fake.script(GzipBomb(5_000_000))
        reply = await ask(fake)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.body) == 5_000_000
    packed = b"".join(GzipBomb(5_000_000).chunks())
    assert len(packed) < 50_000
    assert gzip.decompress(packed) == reply.body


async def test_a_delay_holds_the_answer_back() -> None:
    async with FakePipedrive() as fake:
        fake.script(Delay(0.02) + Delay(0.03))
        assert (await ask(fake)).status == 200
        assert time.monotonic() - fake.requests[0].at >= 0.05


async def test_every_answer_can_be_delayed() -> None:
    async with FakePipedrive(answer_delay=0.03) as fake:
        await ask(fake)
        assert time.monotonic() - fake.requests[0].at >= 0.03
        fake.answer_delay = 0.0
        assert (await ask(fake)).status == 200


async def test_faults_add_up_from_left_to_right() -> None:
    async with FakePipedrive(persons={7: notes(4)}) as fake:
        fake.script(StuckPage(2) + MissingNextStart() + Headers({"x-odd": "1"}))
        fake.script(InsertRecord(note(9)) + RemoveRecord(1) + Status(500) + Status(502))
        page = await ask(fake, "/persons/7/flow", limit=1)
        assert page.data == [note(2)]
        assert "next_start" not in page.pagination
        assert page.headers["x-odd"] == "1"
        assert (await ask(fake, "/persons/7/flow")).status == 502
        assert fake.records(person=7) == [note(9), *notes(4)[1:]]


async def test_faults_are_values() -> None:
    assert Status(503, headers={}) == Status(503, headers={})
    assert Delay(1) + Status(503) == Delay(1) + Status(503)
    assert repr(Delay(0.5)) == "Delay(seconds=0.5)"


async def test_pages_are_clamped_from_now_on() -> None:
    async with FakePipedrive(persons={7: notes(9)}) as fake:
        fake.script(None, ClampPages(2))
        sizes = [len((await ask(fake, "/persons/7/flow", limit=5)).data) for _ in range(3)]
    assert sizes == [5, 2, 2]


async def test_a_record_appears_just_before_the_answer() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake:
        fake.script(InsertRecord(note(9), index=1))
        assert (await ask(fake, "/persons/7/flow")).data == [note(0), note(9), note(1), note(2)]


@pytest.mark.parametrize("which", [1, note(1)])
async def test_a_record_disappears_just_before_the_answer(which: object) -> None:
    async with FakePipedrive(deals={7: notes(3)}) as fake:
        fake.script(RemoveRecord(which))
        assert (await ask(fake, "/deals/7/flow")).data == [note(0), note(2)]


async def test_a_fault_of_ones_own_is_a_small_class() -> None:
    class Shout(Fault):
        def act(self, fake: Controls, request: SeenRequest) -> None:
            fake.insert(note(8, path=request.path), **request.whose)

    reply = await ask_under(Shout())
    assert reply.data[0] == note(8, path="/v1/persons/7/flow")


def fail(request: SeenRequest) -> Fault:
    raise ZeroDivisionError(request.path)


@pytest.mark.parametrize("on_request", [fail, lambda request: RemoveRecord(99)])
async def test_an_error_in_a_fault_is_answered_with_500_and_raised_at_the_end(
    on_request: Callable[[SeenRequest], Fault],
) -> None:
    statuses = []

    async def serve() -> None:
        async with FakePipedrive(persons={7: notes(3)}) as fake:
            fake.on_request = on_request
            statuses.extend([(await ask(fake, "/persons/7/flow")).status for _ in range(2)])

    with pytest.raises((ZeroDivisionError, IndexError)):
        await serve()
    assert statuses == [500, 500]


async def test_an_error_in_a_fault_does_not_hide_the_error_of_a_test() -> None:
    async def serve() -> None:
        async with FakePipedrive() as fake:
            fake.on_request = fail
            await ask(fake)
            raise KeyError("the test's own")

    with pytest.raises(KeyError):
        await serve()
