"""The shortcut is only that: what it makes of an entry is what cattrs makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.codec import decode_page, entries, to_dict
from pipeflow.codec.related import decode_related, decode_related_with_care
from pipeflow.codec.shortcut import build_from_twin, twin_of
from pipeflow.records import Activity, FlowPage, RelatedObjects
from tests.codec import strategies

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records import FlowUpdate
    from pipeflow.records.json_text import Json

NOTHING = RelatedObjects()


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
def test_any_entries_decode_alike_with_and_without_the_shortcut(page: list[Any]) -> None:
    with_shortcut = decode_page(json.dumps({"data": page}).encode())
    with_care = [
        entries.decode_with_care(json.dumps(entry).encode(), index, 0, NOTHING, strict=False)
        for index, entry in enumerate(page)
    ]
    assert list(map(seen, with_shortcut.updates)) == list(map(seen, with_care))


@given(
    st.sampled_from(sorted(strategies.KINDS)).flatmap(
        lambda kind: st.tuples(st.just(kind), strategies.records(strategies.KINDS[kind]))
    )
)
@settings(deadline=None)
def test_every_record_that_the_api_could_write_takes_the_shortcut(made: tuple[str, Any]) -> None:
    kind, record = made
    entry = {"object": kind, "data": to_dict(record)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "decode_with_care", None)
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
def test_any_related_objects_decode_alike_with_and_without_the_shortcut(value: Json) -> None:
    text = json.dumps(value).encode()
    assert decode_related(text, strict=False) == decode_related_with_care(text, strict=False)


def test_an_odd_entry_sends_only_itself_the_long_way(
    decoded: Callable[[str], FlowPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    indices = []
    with_care = entries.decode_with_care

    def counted(text: bytes, index: int, *rest: Json, **options: Json) -> FlowUpdate:
        indices.append(index)
        return with_care(text, index, *rest, **options)

    monkeypatch.setattr(entries, "decode_with_care", counted)
    decoded("entries_that_are_no_objects")
    assert indices == [0, 1, 2, 3]


def test_the_twin_of_a_class_is_made_once() -> None:
    assert twin_of(Activity) is twin_of(Activity)
    assert build_from_twin(Activity) is build_from_twin(Activity)
