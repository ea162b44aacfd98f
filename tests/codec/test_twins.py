"""From a twin or from a dict: both ways make the same of an entry."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.codec import decode_page, to_dict
from pipeflow.codec.converting import RecordConverter
from pipeflow.codec.entries import EntryDecoder
from pipeflow.codec.related import RelatedDecoder
from pipeflow.records import Activity, FlowPage, MailParty, RelatedObjects
from pipeflow.records.json_text import JsonText
from tests.codec import strategies

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records import FlowUpdate
    from pipeflow.records.json_text import Json

NOTHING = RelatedObjects()
RECORDS = RecordConverter()
ENTRIES = EntryDecoder(RECORDS, {})
RELATED = RelatedDecoder(RECORDS)


def seen(update: FlowUpdate) -> tuple[Any, ...]:
    return (
        update.object,
        update.timestamp,
        type(update.data),
        repr(update.data),
        update.data,
        update.offset,
        update.decode_error,
        update.raw,
    )


@given(st.lists(strategies.entries, max_size=4))
@settings(max_examples=400, deadline=None)
def test_any_entries_decode_alike_from_twins_and_from_dicts(page: list[Any]) -> None:
    from_twins = decode_page(json.dumps({"data": page}).encode())
    from_dicts = [
        ENTRIES.update(JsonText(json.dumps(entry).encode()), index, 0, NOTHING, strict=False)
        for index, entry in enumerate(page)
    ]
    assert list(map(seen, from_twins.updates)) == list(map(seen, from_dicts))


@given(
    st.sampled_from(sorted(strategies.KINDS)).flatmap(
        lambda kind: st.tuples(st.just(kind), strategies.records(strategies.KINDS[kind]))
    )
)
@settings(deadline=None)
def test_every_record_that_the_api_could_write_has_a_twin(made: tuple[str, Any]) -> None:
    kind, record = made
    entry = {"object": kind, "data": to_dict(record)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EntryDecoder, "update", None)
        page = decode_page(json.dumps({"data": [entry]}).encode())
    assert page.updates[0].data == record


related_objects = st.dictionaries(
    st.sampled_from(["user", "person", "organization", "deal", "lead", "allOf"]),
    strategies.json_values
    | st.dictionaries(
        st.sampled_from(["1", "-1", "01", "x", "9" * 25]),
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.integers() | st.just("1,") | st.just("x"),
                "name": st.none() | st.text(max_size=3) | st.integers(),
                "active_flag": st.sampled_from([0, 1, 2, True, "1", None]),
                "email": st.just([{"value": "a@example.com", "primary": 1}]) | st.none(),
                "value": st.integers() | st.floats(0, 9) | st.text(max_size=2),
            },
        ),
        max_size=3,
    ),
)


@given(related_objects)
@settings(max_examples=300, deadline=None)
def test_any_related_objects_decode_alike_from_twins_and_from_dicts(value: Json) -> None:
    text = json.dumps(value).encode()
    assert RELATED.related(text, strict=False) == RELATED.related_from_dicts(text, strict=False)


def test_an_odd_entry_is_the_only_one_without_a_twin(
    decoded: Callable[[str], FlowPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    indices = []
    update_from_dict = EntryDecoder.update

    def counted(
        self: EntryDecoder, text: JsonText, index: int, *rest: Json, **options: Json
    ) -> FlowUpdate:
        indices.append(index)
        return update_from_dict(self, text, index, *rest, **options)

    monkeypatch.setattr(EntryDecoder, "update", counted)
    decoded("entries_that_are_no_objects")
    assert indices == [0, 1, 2, 3]


def test_the_hooks_and_the_twin_of_a_class_are_made_once() -> None:
    hook, twin = RECORDS.hook(Activity), RECORDS.twin(Activity)
    RECORDS.hook(MailParty)
    assert RECORDS.hook(Activity) is hook
    assert RECORDS.twin(Activity) is twin
    assert RECORDS.hook(twin) is RECORDS.hook(twin)


def test_the_hook_of_a_record_takes_a_twin_or_a_dict() -> None:
    hook, twin = RECORDS.hook(Activity), RECORDS.twin(Activity)
    assert hook(twin(id=5), Activity) == hook({"id": 5}, Activity) == Activity(id=5)


def test_a_traceback_shows_generated_code() -> None:
    build = RECORDS.hook(RECORDS.twin(Activity))
    assert "draft.subject = twin.subject" in inspect.getsource(build)


def test_long_arrays_are_not_remembered() -> None:
    def parties(count: int) -> tuple[MailParty, ...]:
        mail = {"to": [{"id": n} for n in range(count)]}
        body = json.dumps({"data": [{"object": "mailMessage", "data": mail}]}).encode()
        data: Json = decode_page(body).updates[0].data
        assert len(data.to) == count
        found: tuple[MailParty, ...] = data.to
        return found

    assert parties(10) is parties(10)
    assert parties(20_000) is not parties(20_000)
