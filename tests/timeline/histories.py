"""Made-up updates for the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeflow.records import (
    Activity,
    FieldChange,
    FlowUpdate,
    Note,
    RelatedDeal,
    RelatedObjects,
    RelatedPerson,
    RelatedUser,
)

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
RELATED = RelatedObjects(
    users={11: RelatedUser(id=11, name="Ines Okafor"), 12: RelatedUser(id=12, name="Jo Berg")},
    persons={1101: RelatedPerson(id=1101, name="Mira Lindholm")},
    deals={9: RelatedDeal(id=9, title="House blend")},
)


def note(content: str, *, days: float = 0.0, user_id: int = 11) -> FlowUpdate:
    data = Note(id=1, user_id=user_id, person_id=1101, content=content)
    time = NOON - timedelta(days=days)
    return FlowUpdate(object="note", timestamp=time, data=data, related=RELATED)


def planned(subject: str, *, days: float = 0.0) -> FlowUpdate:
    time = NOON + timedelta(days=days)
    data = Activity(
        id=2, user_id=11, type="call", subject=subject, done=False, due_date=time.date()
    )
    return FlowUpdate(object="activity", timestamp=time, data=data, related=RELATED)


def change(key: str, old: object, new: object, *, days: float = 0.0, deal: int = 9) -> FlowUpdate:
    data = FieldChange(id=3, user_id=11, item_id=deal, field_key=key, old_value=old, new_value=new)
    time = NOON - timedelta(days=days)
    return FlowUpdate(object="dealChange", timestamp=time, data=data, related=RELATED)
