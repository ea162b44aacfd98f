"""From the body of an answer to a page: where it stands, what comes next, what it refuses."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeflow.codec import decode_page
from pipeflow.codec.entries import EntryDecoder
from pipeflow.errors import ApiError, DecodeError, PipeflowError
from pipeflow.records import FlowPage, FlowUpdate, Note
from tests.codec import strategies

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json
    from tests.codec.conftest import Answer, Decoded, PageOf


def body_of(additional_data: Json = None, count: int = 2, **more: Json) -> bytes:
    notes = [{"object": "note", "data": {"id": n}} for n in range(count)]
    return json.dumps({"data": notes, "additional_data": additional_data, **more}).encode()


def test_a_usual_answer_says_where_the_next_page_begins(decoded: Decoded) -> None:
    page = decoded("usual")
    assert (page.start, page.page_size, page.more_items, page.next_start) == (20, 2, True, 22)
    assert [update.offset for update in page.updates] == [20, 21]


def test_flat_pagination_counts_like_the_nested(decoded: Decoded) -> None:
    page = decoded("flat_pagination")
    assert (page.start, page.page_size, page.more_items, page.next_start) == (10, 1, True, 11)


def test_without_next_start_the_entries_received_are_counted(decoded: Decoded) -> None:
    page = decoded("published_person_flow")
    assert page.page_size == 100
    assert page.next_start == 2


def test_null_is_no_updates(decoded: Decoded) -> None:
    page = decoded("no_data")
    assert page == FlowPage(page_size=100, related=page.related)


def test_all_updates_of_a_page_share_their_related_objects(decoded: Decoded) -> None:
    page = decoded("usual")
    assert all(update.related is page.related for update in page.updates)


def test_offsets_count_from_the_one_asked_for(answer: Answer) -> None:
    page = decode_page(answer("usual"), start=7)
    assert [update.offset for update in page.updates] == list(range(7, 7 + len(page.updates)))
    assert len(page.updates) == 2


def test_the_offset_asked_for_counts_more_than_the_one_echoed(answer: Answer) -> None:
    page = decode_page(answer("flat_pagination"), start=7)
    assert page.start == 7
    assert page.updates[0].offset == 7
    assert page.next_start == 8


@pytest.mark.parametrize(
    ("additional_data", "more_items", "next_start"),
    [
        (None, False, None),
        ([], False, None),
        ("text", False, None),
        ({"pagination": []}, False, None),
        ({"pagination": {"more_items_in_collection": 1}}, True, 2),
        ({"pagination": {"more_items_in_collection": "1"}}, True, 2),
        ({"pagination": {"more_items_in_collection": "0", "next_start": 9}}, False, None),
        ({"pagination": {"more_items_in_collection": "true", "next_start": "9"}}, True, 9),
        ({"pagination": {"more_items_in_collection": "false", "next_start": 9}}, False, None),
        ({"pagination": {"more_items_in_collection": False, "next_start": 9}}, False, None),
        ({"pagination": {"next_start": 9}}, True, 9),
        ({"pagination": {"next_start": 0}}, False, None),
        ({"pagination": {"more_items_in_collection": True, "next_start": 0}}, True, 2),
        ({"pagination": {"more_items_in_collection": True, "next_start": True}}, True, 2),
        ({"pagination": {"more_items_in_collection": True, "next_start": None}}, True, 2),
        ({"pagination": {"more_items_in_collection": True, "next_start": -5}}, True, 2),
        ({"pagination": {"more_items_in_collection": [], "next_start": 2.5}}, False, None),
        ({"pagination": {}, "more_items_in_collection": True, "next_start": 5}, True, 5),
    ],
)
def test_what_comes_next(additional_data: Json, more_items: object, next_start: int | None) -> None:
    page = decode_page(body_of(additional_data))
    assert (page.more_items, page.next_start) == (more_items, next_start)


@pytest.mark.parametrize(("named", "next_start"), [(9, 42), (40, 42), (41, 41), (99, 99)])
def test_a_server_that_leads_back_is_not_followed(named: int, next_start: int) -> None:
    page = decode_page(body_of({"more_items_in_collection": True, "next_start": named}), start=40)
    assert page.next_start == next_start


def test_an_empty_page_that_claims_more_does_not_advance() -> None:
    page = decode_page(body_of({"more_items_in_collection": True}, count=0), start=40)
    assert (page.updates, page.next_start) == ((), 40)


@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b'"text"', b"true"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError, match="expected an object") as caught:
        decode_page(body)
    assert caught.value.path == "$"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Expecting value at character 0"),
        (b"<html>", "Expecting value at character 0"),
        (b'{"data": [', "Expecting value at character 10"),
        (b'{"data": [NaN]}', "it holds NaN"),
        (b'{"data": null, "x": "\xff"}', "byte 21 is not UTF-8"),
        (b'{"data": null, "x": "' + b"a" * 70_000 + b"\xc3", "byte 70021 is not UTF-8"),
        (b'\xef\xbb\xbf{"data": null}', "Unexpected UTF-8 BOM"),
        (b'{"data":' + b"[" * 100_000, "nested too deeply"),
        (b'{"data": [{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}", "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_in_few_words(body: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        decode_page(body)
    assert len(str(caught.value)) < 120
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("letter", ["é", "€", "😀"])
def test_a_letter_across_two_pieces_of_the_body_is_whole(letter: str) -> None:
    text = letter * 100_000
    page = decode_page(b" " + json.dumps({"data": [], "x": text}, ensure_ascii=False).encode())
    assert page.updates == ()


@pytest.mark.parametrize("size", [1 << 15, (1 << 15) + 1, 1 << 16])
def test_a_letter_that_breaks_off_at_the_end_of_a_piece_is_refused(size: int) -> None:
    body = b'{"data": [], "x": "'.ljust(size - 1, b"x") + "é".encode()[:1]
    assert len(body) == size
    with pytest.raises(DecodeError, match=f"byte {size - 1} is not UTF-8"):
        decode_page(body)


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (0, 0),
        (1, 1),
        ("2", 2),
        ("9" * 19, int("9" * 19)),
        ("9" * 20, None),
        ("9" * 21, None),
        (-5, None),
        ("", None),
    ],
)
def test_a_count_is_told_when_it_is_plausible(said: Json, count: int | None) -> None:
    page = decode_page(body_of({"start": said, "limit": said}))
    assert (page.start, page.page_size) == (count or 0, count)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"success": true}', "is missing"),
        (b'{"data": {}}', "expected an array, got an object"),
        (b'{"data": "x"}', "expected an array, got 'x'"),
        (b'{"data": false}', "expected an array, got false"),
    ],
)
def test_data_that_is_no_list_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        decode_page(body)
    assert caught.value.path == "$.data"


def test_success_false_is_an_api_error(answer: Answer) -> None:
    with pytest.raises(ApiError, match="Scope and URL mismatch") as caught:
        decode_page(answer("refused"))
    assert caught.value.status == 200
    assert caught.value.error == "Scope and URL mismatch"
    assert caught.value.error_info == "Please check your scopes."
    assert caught.value.error_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b'{"success": false}',
        b'{"success": 0, "data": [], "error": 5, "errorCode": "x"}',
        b'{"success": "false", "data": {}, "error": ""}',
    ],
)
def test_success_false_without_reasons_is_an_api_error(body: bytes) -> None:
    with pytest.raises(ApiError, match="without a reason") as caught:
        decode_page(body)
    assert (caught.value.error, caught.value.error_info, caught.value.error_code) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(("length", "told"), [(500, "x" * 500), (501, "x" * 499 + "…")])
def test_a_long_reason_is_cut(length: int, told: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode_page(json.dumps({"success": False, "error": "x" * length}).encode())
    assert caught.value.error == told


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("broken_records", "$.data[1].timestamp"),
        ("entries_that_are_no_objects", "$.data[0]"),
        ("unknown_kinds", "$.data[4].data"),
        ("broken_related_objects", "$.related_objects.user.124.name"),
    ],
)
def test_strict_raises_what_is_otherwise_told(answer: Answer, name: str, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_page(answer(name), strict=True)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


def test_a_decoded_page_pickles(decoded: Decoded) -> None:
    page = decoded("usual")
    assert pickle.loads(pickle.dumps(page)) == page


def test_raw_is_exactly_what_came(answer: Answer) -> None:
    for name in ("usual", "broken_records", "unknown_kinds", "note_and_comment"):
        body = answer(name)
        raws = [update.raw for update in decode_page(body).updates]
        assert raws == json.loads(body)["data"]


def test_two_updates_with_the_same_content_are_both_there(page_of: PageOf) -> None:
    note = {"object": "note", "data": {"id": 1}}
    page = page_of(note, note)
    assert len(page.updates) == 2
    assert page.updates[0] == page.updates[1]


@given(st.recursive(strategies.json_values, st.lists) | st.none())
@settings(deadline=None)
def test_any_json_is_a_page_or_an_error_of_ours(value: Json) -> None:
    for body in (value, {"data": value}, {"data": [value], "related_objects": value}):
        try:
            page = decode_page(json.dumps(body).encode())
        except PipeflowError:
            continue
        assert isinstance(page, FlowPage)
        assert all(isinstance(update.raw, object) for update in page.updates)


published = json.dumps(
    {"data": [{"object": "note", "timestamp": "", "data": {"id": 1, "content": "é", "x": 1e5}}]}
).encode()


@given(st.integers(0, len(published)), st.integers(0, 5), st.binary(max_size=4))
@example(0, 0, b"")
@example(published.index(b"100000.0"), 8, b"1e999")
@example(published.index(b"100000.0"), 8, b"9" * 5000)
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_a_page_or_an_error_of_ours(at: int, cut: int, new: bytes) -> None:
    body = published[:at] + new + published[at + cut :]
    try:
        page = decode_page(body)
    except PipeflowError:
        return
    assert isinstance(page, FlowPage)
    assert [update.raw for update in page.updates] == [update.raw for update in page.updates]


def test_a_number_beyond_all_bounds_is_infinite(answer: Answer) -> None:
    body = b'{"data": [{"object": "note", "data": {"id": 1, "x": 1e999, "y": %s}}]}'
    update = decode_page(body % (b"9" * 5000)).updates[0]
    assert update.data == Note(id=1)
    assert update.raw["data"]["x"] == update.raw["data"]["y"] == float("inf")


@given(st.lists(strategies.entries, min_size=1, max_size=6), st.data())
@settings(deadline=None)
def test_any_cut_into_pages_gives_the_same_updates(history: list[Any], data: st.DataObject) -> None:
    whole = decode_page(json.dumps({"data": history}).encode()).updates
    parts: list[FlowUpdate] = []
    start = 0
    while start < len(history):
        size = data.draw(st.integers(1, len(history) - start))
        page = {"data": history[start : start + size]}
        parts += decode_page(json.dumps(page).encode(), start=start).updates
        start += size
    assert parts == list(whole)
    assert [update.offset for update in parts] == list(range(len(history)))


def test_the_kinds_of_the_reference_need_no_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EntryDecoder, "update", None)
    body = b'{"data": [{"object": "follower", "data": {"id": 1}}, {"object": "deal", "data": {}}]}'
    assert [update.data for update in decode_page(body).updates] == [{"id": 1}, {}]
