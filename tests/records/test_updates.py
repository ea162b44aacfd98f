"""Updates as values: equality, hash, pickle, repr, and whom they are about."""

from __future__ import annotations

import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from pipeflow.codec import decode_page, to_dict
from pipeflow.records import (
    Activity,
    FieldChange,
    FlowPage,
    FlowUpdate,
    Note,
    NoteUser,
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
)
from pipeflow.records.json_text import JsonText, PageText

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json

MOMENT = datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
RELATED = RelatedObjects(
    users={123: RelatedUser(id=123, name="Jane Doe")},
    persons={1101: RelatedPerson(id=1101, name="Person")},
    organizations={5: RelatedOrganization(id=5, name="Umbrella Corp.")},
    deals={300: RelatedDeal(id=300, title="Deal title")},
)


def decode(*entries: Json, start: int = 0, **layout: Json) -> tuple[FlowUpdate, ...]:
    return decode_page(json.dumps({"data": entries}, **layout).encode(), start=start).updates


NOTE = {"object": "note", "timestamp": "2024-03-01 09:30:00", "data": {"id": 1, "content": "x"}}


def test_an_update_can_be_made_by_hand() -> None:
    update = FlowUpdate(object="note", data=Note(content="Likes tea"))
    assert (update.timestamp, update.offset, update.decode_error) == (None, 0, None)
    assert update.raw is update.raw_json is None
    assert update.related == RelatedObjects()
    assert FlowUpdate().data == {}


def test_updates_are_equal_wherever_they_stand() -> None:
    (first,), (again,) = decode(NOTE), decode(NOTE, start=40, indent=2)
    assert first == again
    assert hash(first) == hash(again)
    assert first.offset != again.offset


@pytest.mark.parametrize(
    "other",
    [
        NOTE | {"object": "file"},
        NOTE | {"timestamp": "2024-03-01 09:30:01"},
        NOTE | {"data": {"id": 2}},
        NOTE | {"unknown": 1},
    ],
)
def test_updates_differ_in_kind_time_data_or_raw(other: Json) -> None:
    (first,), (second,) = decode(NOTE), decode(other)
    assert first != second


def test_an_update_is_no_other_thing() -> None:
    others: list[object] = ["update", {}]
    assert FlowUpdate() not in others
    assert RelatedObjects() not in others


def test_updates_with_a_dict_do_not_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(FlowUpdate(object="call", data={"id": 1}))
    with pytest.raises(TypeError, match="unhashable"):
        hash(RELATED)


def test_an_update_is_frozen() -> None:
    (update,) = decode(NOTE)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        update.offset = 5  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        update.data.content = "y"  # type: ignore[misc, union-attr]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del update.data.content  # type: ignore[union-attr]


def test_what_was_decoded_is_of_the_class_itself() -> None:
    (update,) = decode(NOTE)
    assert type(update) is FlowUpdate
    assert type(update.data) is Note
    assert not hasattr(update, "__dict__")


@pytest.mark.parametrize("times", [1, 2])
def test_a_pickled_update_is_equal_and_holds_itself_only(times: int) -> None:
    (update, *_) = decode(NOTE, *[{"object": "note", "data": {"content": "y" * 10_000}}] * 9)
    pickled = pickle.dumps(update)
    assert len(pickled) < 5_000
    for _ in range(times):
        update = pickle.loads(pickle.dumps(update))
    assert update == pickle.loads(pickled)
    assert update.raw == NOTE


def test_a_copy_is_equal() -> None:
    (update,) = decode(NOTE)
    assert copy.deepcopy(update) == copy.copy(update) == update


def test_an_evolved_update_keeps_the_rest() -> None:
    (update,) = decode(NOTE)
    evolved = attrs.evolve(update, offset=9)
    assert evolved == update
    assert evolved.offset == 9
    assert evolved.raw == NOTE


def test_raw_is_read_once() -> None:
    (update,) = decode(NOTE)
    assert update.raw is update.raw


def test_raw_json_is_the_text_of_the_entry() -> None:
    (_, update) = decode(NOTE, NOTE)
    assert update.raw_json == json.dumps(NOTE).encode()


def test_an_update_whose_raw_was_asked_for_lets_its_page_go() -> None:
    update, other = decode(NOTE, NOTE)
    assert update._json is not None
    source: Json = update._json.source
    assert isinstance(source, PageText)
    assert update.raw_json == other.raw_json
    assert update._json.source == json.dumps(NOTE).encode()


@pytest.mark.parametrize(
    "changed",
    [{"object": "file"}, {"timestamp": None}, {"data": Note(id=1, content="removed")}],
)
def test_what_an_evolved_update_lost_is_nowhere_in_it(changed: Json) -> None:
    secret = {
        "object": "secret",
        "timestamp": "1999-09-09 09:09:09",
        "data": {"id": 1, "content": "secret", "unknown": "secret"},
    }
    (update,) = decode(secret | {"object": "note"} if "object" not in changed else secret)
    evolved = attrs.evolve(update, **changed)
    assert evolved.raw is evolved.raw_json is None
    assert to_dict(evolved) == to_dict(FlowUpdate(**_content(evolved)))
    if "data" in changed:
        assert b"secret" not in pickle.dumps(evolved)
        assert "secret" not in json.dumps(to_dict(evolved))
    assert update.raw["data"]["content"] == "secret"


def _content(update: FlowUpdate) -> dict[str, Any]:
    return {name: getattr(update, name) for name in ("object", "timestamp", "data")}


def test_a_redacted_update_read_again_keeps_its_text() -> None:
    (update,) = decode(NOTE)
    again = attrs.evolve(pickle.loads(pickle.dumps(update)), offset=7, decode_error="x")
    assert again.raw == NOTE


def test_persons_taken_out_of_related_objects_are_nowhere_in_them() -> None:
    body = {"data": [], "related_objects": {"person": {"1": {"name": "secret"}}, "lead": {}}}
    related = decode_page(json.dumps(body).encode()).related
    assert attrs.evolve(related, deals={}) == related
    evolved = attrs.evolve(related, persons={})
    assert evolved.raw is evolved.raw_json is None
    assert "secret" not in json.dumps(to_dict(evolved))
    assert b"secret" not in pickle.dumps(evolved)


def test_threads_may_ask_for_raw_at_once() -> None:
    notes = [{"object": "note", "data": {"id": n}} for n in range(500)]
    for _ in range(20):
        updates = decode(*notes)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda update: update.raw, updates)) == notes


def test_the_repr_is_short_and_without_raw() -> None:
    (update,) = decode({"object": "note", "data": {"id": 1, "content": "x" * 9_000, "secret": 7}})
    shown = repr(update)
    assert shown.startswith("FlowUpdate('note', None, Note(id=1, content='xxx")
    assert shown.endswith("offset=0)")
    assert len(shown) < 250
    assert "secret" not in shown


def test_the_repr_tells_a_decode_error() -> None:
    (update,) = decode({"object": "note", "data": {"id": "x"}})
    assert 'decode_error="$.data[0].data.id: expected an integer' in repr(update)


def test_the_repr_of_a_record_shows_what_it_holds() -> None:
    assert repr(Note(id=1, add_time=MOMENT)) == "Note(id=1, add_time=2024-03-01 09:30:00+00:00)"
    assert repr(Activity()) == "Activity()"
    assert len(repr(Note(content="x" * 10_000))) < 100


def test_the_repr_of_a_page_counts() -> None:
    page = FlowPage(updates=decode(NOTE), page_size=5, next_start=1, more_items=True)
    assert repr(page) == "FlowPage(1 updates, start=0, page_size=5, next_start=1)"
    assert repr(RELATED) == "RelatedObjects(1 users, 1 persons, 1 organizations, 1 deals)"


def test_related_objects_are_equal_by_content() -> None:
    def related(text: bytes) -> RelatedObjects:
        return RelatedObjects(json_text=JsonText(text, data=({}, {}, {}, {})))

    assert related(b'{"a": 1}') == related(b'{"a":1}')
    assert related(b'{"a": 1}') != RelatedObjects()
    assert RelatedObjects() != RELATED


@pytest.mark.parametrize(
    ("data", "actor"),
    [
        (FieldChange(field_key="name", user_id=123), RelatedUser(id=123, name="Jane Doe")),
        (FieldChange(field_key="name", user_id=9), RelatedUser(id=9)),
        (FieldChange(field_key="name"), None),
        (Activity(user_id=9, owner_name="John Roe"), RelatedUser(id=9, name="John Roe")),
        (
            Note(user_id=9, user=NoteUser(name="John Roe", email="john@example.com")),
            RelatedUser(id=9, name="John Roe", email="john@example.com"),
        ),
        (Note(user_id=9), RelatedUser(id=9)),
        ({"user_id": 123}, RelatedUser(id=123, name="Jane Doe")),
        ({"user_id": "123"}, RelatedUser(id=123, name="Jane Doe")),
        ({"user_id": "x"}, None),
        ({}, None),
    ],
)
def test_the_actor_is_the_user_that_data_names(data: Json, actor: RelatedUser | None) -> None:
    assert FlowUpdate(data=data, related=RELATED).actor == actor


def test_person_organization_and_deal_are_those_it_is_linked_to() -> None:
    data = Activity(person_id=1101, org_id=5, deal_id=300)
    update = FlowUpdate(object="activity", data=data, related=RELATED)
    assert update.person is RELATED.persons[1101]
    assert update.organization is RELATED.organizations[5]
    assert update.deal is RELATED.deals[300]


def test_a_changed_object_is_the_item_of_the_change() -> None:
    change = FieldChange(field_key="name", item_id=300)
    update = FlowUpdate(object="dealChange", data=change, related=RELATED)
    assert update.deal is RELATED.deals[300]
    assert update.person is None
    assert update.organization is None
    person = FlowUpdate(object="personChange", data={"item_id": 1101}, related=RELATED)
    assert person.person is None


def test_an_update_without_links_is_about_nobody_known() -> None:
    update = FlowUpdate(data={"person_id": 4}, related=RELATED)
    assert update.person is None
    assert update.organization is None
    assert update.deal is None
