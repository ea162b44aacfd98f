from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from pipeflow.codec import decode_page
from pipeflow.records import Activity, FlowUpdate
from pipeflow.walking.identity import content, identity, place

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("update", "found"),
    [
        (FlowUpdate(object="note", data={"id": 5}), ("note", 5)),
        (FlowUpdate(object="file", data={"id": 5}), ("file", 5)),
        (FlowUpdate(object="comment", data={"uuid": "ab-c"}), ("comment", "ab-c")),
        (FlowUpdate(object="activity", data=Activity(id=7)), ("activity", 7)),
        (FlowUpdate(object="note", data={"id": 0}), ("note", 0)),
        (FlowUpdate(object="note", data={"id": False}), None),
        (FlowUpdate(object="follower"), None),
    ],
)
def test_the_identity_is_kind_and_id(update: FlowUpdate, found: object) -> None:
    assert identity(update) == found


def test_what_a_record_is_sorted_by_is_its_place() -> None:
    undone = FlowUpdate(object="activity", timestamp=NOON, data=Activity(id=1, done=False))
    done = evolve(undone, data=Activity(id=1, done=True))
    assert place(undone) != place(done)
    assert place(done) == place(evolve(done, data={"id": 1, "done": True, "subject": "edited"}))
    assert place(undone) != place(evolve(undone, timestamp=None))


def test_what_a_record_says_is_its_content() -> None:
    one = FlowUpdate(object="follower", timestamp=NOON, data={"name": "one"})
    assert content(one) == content(evolve(one, offset=7))
    assert content(one) != content(evolve(one, data={"name": "two"}))
    assert content(one) != content(evolve(one, object="participant"))
    assert content(one) != content(evolve(one, timestamp=None))


def test_the_content_of_a_page_is_that_of_its_json() -> None:
    entries = b'{"object": "follower", "data": {"a": 1}}, {"object": "follower", "data": {"a": 2}}'
    page = decode_page(b'{"success": true, "data": [' + entries + b", " + entries + b"]}")
    first, second, again, _ = map(content, page.updates)
    assert first == again != second
