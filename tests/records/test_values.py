"""Records as values: they compare and hash by content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from pipeflow import Activity, ActivityParticipant, Comment, FieldChange, Note, RelatedUser
from pipeflow.records import NoteOrganization, NotePerson

if TYPE_CHECKING:
    from pipeflow.records.values import Record

RECORDS: list[Record] = [
    Activity(id=1, participants=(ActivityParticipant(person_id=2),)),
    Activity(id=1, participants=(ActivityParticipant(person_id=3),)),
    Comment(uuid="1"),
    FieldChange(id=1, field_key="name", new_value="Jane"),
    FieldChange(id=1, field_key="name", new_value=["Jane"]),
    Note(id=1),
    NoteOrganization(name="Acme"),
    NotePerson(name="Acme"),
    RelatedUser(id=1),
]


@pytest.mark.parametrize("record", RECORDS, ids=repr)
def test_a_record_equals_its_likes_and_nothing_else(record: Record) -> None:
    assert [other for other in RECORDS if other == record] == [record]
    assert record == attrs.evolve(record)  # type: ignore[misc]  # every record is an attrs class
    assert record != 1


def test_equal_records_hash_alike() -> None:
    first, other, *_ = RECORDS
    assert hash(first) == hash(Activity(id=1, participants=(ActivityParticipant(person_id=2),)))
    assert len({first, other, NotePerson(name="Acme"), NoteOrganization(name="Acme")}) == 4


def test_a_record_that_holds_a_list_does_not_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(FieldChange(field_key="label_ids", new_value=[1, 2]))
