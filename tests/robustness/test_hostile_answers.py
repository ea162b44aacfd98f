"""An answer made to hurt ends in a page or in a clear error, and memory stays flat."""

from __future__ import annotations

import gc
import json
import tracemalloc

import pytest

from pipeflow import DecodeError, PipeflowError, RetryPolicy
from pipeflow.testing import (
    FakePipedrive,
    Fault,
    GzipBomb,
    Headers,
    HugeBody,
    InvalidJson,
    Status,
)
from tests.robustness.premises import PAGE, RECORDS, histories, on_every_loop, watched_session
from tests.session.conftest import note, note_ids, notes, session_at

MEGABYTE = 2**20
FAR_TOO_DEEP = 100_000


def page_of(*records: bytes) -> bytes:
    return b'{"success":true,"data":[' + b",".join(records) + b'],"additional_data":{}}'


def note_with(content: bytes) -> bytes:
    data = b'{"id":1,"content":' + content + b"}"
    return b'{"object":"note","timestamp":"2026-01-02 03:04:05","data":' + data + b"}"


NESTED = b"[" * FAR_TOO_DEEP + b"]" * FAR_TOO_DEEP
NESTED_OBJECTS = b'{"a":' * FAR_TOO_DEEP + b"1" + b"}" * FAR_TOO_DEEP

REFUSED = {
    "an array, deeply nested": NESTED,
    "objects, deeply nested": NESTED_OBJECTS,
    "a record, deeply nested": page_of(note_with(NESTED)),
    "a field, deeply nested": page_of(note_with(NESTED_OBJECTS)),
    "arrays without end": b"[" * FAR_TOO_DEEP,
    "related objects, deeply nested": b'{"success":true,"data":[],"related_objects":%b}' % NESTED,
    "NaN": page_of(note_with(b"NaN")),
    "Infinity": page_of(note_with(b"-Infinity")),
    "no UTF-8": page_of(note_with(b'"\xff\xfe"')),
    "a surrogate in UTF-8": page_of(note_with(b'"\xed\xa0\x80"')),
    "a control character": page_of(note_with(b'"\x00"')),
    "bytes after the end": page_of() + b"\x00",
    "nothing": b"",
    "a number": b"1",
    "a text": b'"success"',
    "data that is a number": b'{"success":true,"data":1}',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("strict", [False, True])
async def test_an_answer_that_is_no_page_is_a_clear_error(body: bytes, *, strict: bool) -> None:
    async with (
        FakePipedrive(persons=histories()) as fake,
        watched_session(fake, strict=strict) as watched,
    ):
        fake.on_request = lambda request: Status(200, body)
        with pytest.raises(DecodeError) as caught:
            await watched.pipedrive.get_person_flow(1)
        assert caught.value.resume_start == 0
        assert len(str(caught.value)) < 300


TOLERATED = {
    "an integer of 65 bits": b"36893488147419103232",
    "an integer of 4000 digits": b"9" * 4000,
    "a negative one": b"-36893488147419103232",
    "a float beyond all": b"1e999999",
    "a float of many digits": b"0." + b"1" * 4000,
    "a lone surrogate": rb'"\ud83d"',
    "surrogates the wrong way round": rb'"\ude00\ud83d"',
    "an escaped NUL": rb'"\u0000"',
    "a long text": b'"' + b"x" * 100_000 + b'"',
    "a nested value": b"[" * 50 + b"]" * 50,
}


@pytest.mark.parametrize("content", TOLERATED.values(), ids=TOLERATED.keys())
async def test_an_odd_value_costs_no_record(content: bytes) -> None:
    body = page_of(note_with(b'"before"'), note_with(content), note_with(b'"after"'))
    async with (
        FakePipedrive(persons=histories()) as fake,
        watched_session(fake) as watched,
    ):
        fake.on_request = lambda request: Status(200, body)
        page = await watched.pipedrive.get_person_flow(1)
        assert [len(page.updates), page.updates[0].object] == [3, "note"]


@pytest.mark.parametrize("content", [2**64, -(2**64), 10**300, "\ud83d", {"a": [2**70, "\ud83d"]}])
async def test_an_odd_value_is_kept_as_it_came(content: object) -> None:
    odd = note(99)
    odd["data"] = {"id": 99, "content": content}
    history = [*notes(9)[:5], odd, *notes(9)[5:]]
    async with FakePipedrive(persons={7: history}) as fake, session_at(fake) as pipedrive:
        raws = [update.raw async for update in pipedrive.iter_person_flow(7, page_size=4)]
    assert json.dumps(raws) == json.dumps(history)


BOMBS: list[Fault] = [HugeBody(64 * MEGABYTE), GzipBomb(256 * MEGABYTE)]


@pytest.mark.parametrize("bomb", BOMBS, ids=repr)
async def test_memory_stays_flat_under_a_huge_answer(bomb: Fault) -> None:
    async with (
        FakePipedrive(persons=histories()) as fake,
        watched_session(fake, max_page_bytes=MEGABYTE) as watched,
    ):
        tracemalloc.start()
        try:
            for _ in range(2):
                fake.script(bomb)
                with pytest.raises(DecodeError, match="more than 1,048,576 bytes"):
                    await watched.pipedrive.get_person_flow(1)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 16 * MEGABYTE


async def test_memory_does_not_grow_with_the_number_of_hostile_answers() -> None:
    async with (
        FakePipedrive(persons=histories(), burst_limit=10**6, announces_limits=False) as fake,
        watched_session(fake) as watched,
    ):
        fake.on_request = lambda request: Status(200, page_of(note_with(NESTED)))

        async def be_hurt(times: int) -> int:
            for _ in range(times):
                with pytest.raises(DecodeError):
                    await watched.pipedrive.get_person_flow(1)
            fake.reset_counts()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            before = await be_hurt(3)
            after = await be_hurt(20)
        finally:
            tracemalloc.stop()
        assert after - before < MEGABYTE


@pytest.mark.parametrize(
    "fault",
    [
        Headers({"Content-Encoding": "gzip"}) + InvalidJson(b"no gzip"),
        Headers({"Content-Encoding": "gzip"}) + InvalidJson(b"\x1f\x8b no gzip"),
        Headers({"Content-Encoding": "br"}) + InvalidJson(b"no brotli"),
        Headers({"Content-Type": "text/html; charset=no-such-charset"}) + InvalidJson(b"<html>"),
        Status(200, b"null"),
        Status(204, b""),
        Status(299, b"{}"),
        Status(304, b""),
        Status(418, b"\xff"),
        Status(599, b"[" * 10_000),
        Status(400, b'{"error":' + NESTED + b"}"),
        Status(429, NESTED, {"x-ratelimit-remaining": "0", "retry-after": "0"}),
    ],
    ids=str,
)
async def test_an_odd_reply_is_a_clear_error(fault: Fault) -> None:
    async with (
        FakePipedrive(persons=histories()) as fake,
        watched_session(fake, retry=RetryPolicy(attempts=2, base_delay=0.0)) as watched,
    ):
        fake.on_request = lambda request: fault
        with pytest.raises(PipeflowError) as caught:
            await watched.pipedrive.get_person_flow(1)
        assert caught.value.resume_start == 0
        assert len(str(caught.value)) < 500


@on_every_loop
async def test_an_answer_that_never_ends_is_given_up() -> None:
    async with (
        FakePipedrive(persons=histories()) as fake,
        watched_session(fake, max_page_bytes=MEGABYTE) as watched,
    ):
        fake.script(HugeBody(2**40))
        with pytest.raises(DecodeError, match="more than"):
            await watched.pipedrive.get_person_flow(1, page_size=PAGE)
        assert fake.request_count == 1


async def test_a_walk_after_a_hostile_page_reads_the_rest() -> None:
    async with FakePipedrive(persons=histories()) as fake, watched_session(fake) as watched:
        fake.script(None, InvalidJson(NESTED))
        walk = watched.pipedrive.iter_person_flow(1, page_size=PAGE)
        with pytest.raises(DecodeError) as caught:
            await note_ids(walk)
        assert caught.value.resume_start is not None
        rest = watched.pipedrive.iter_person_flow(1, start=caught.value.resume_start)
        assert await note_ids(rest) == list(range(PAGE, RECORDS))
