"""Histories made up from a seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from pipeflow.testing.histories.cast import Cast
from pipeflow.testing.histories.story import Story

__all__ = ["BASE_TIME", "SHARES", "About", "generate_history", "generate_related"]

About: TypeAlias = Literal["person", "deal", "organization"]

BASE_TIME: Final = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
"""The present of a generated history: all is done before it, and what is planned may be later."""

SHARES: Final[dict[str, float]] = {
    "activity": 26,
    "mailMessage": 16,
    "mailMessage with attachments": 4,
    "mailMessageWithAttachment": 2,
    "note": 12,
    "personChange": 9,
    "personChange custom": 3,
    "dealChange": 8,
    "dealChange custom": 1,
    "organizationChange": 2,
    "organizationChange custom": 0.5,
    "file": 4,
    "call": 3,
    "comment": 3,
    "participant": 1.2,
    "follower": 0.4,
    "personFollower": 0.7,
    "dealFollower": 0.7,
    "organizationFollower": 0.4,
    "deal": 0.5,
    "invoice": 0.8,
    "document": 0.8,
    "marketing_campaign_stat": 1.5,
    "marketing_status_change": 0.6,
}
_MORE: Final[dict[About, dict[str, float]]] = {
    "person": {},
    "deal": {"dealChange": 30, "dealChange custom": 4, "participant": 4, "personChange": 0.5},
    "organization": {"organizationChange": 12, "organizationChange custom": 3},
}


def generate_history(
    *,
    seed: int = 0,
    size: int = 1200,
    person_id: int = 1101,
    about: About = "person",
    base_time: datetime = BASE_TIME,
) -> list[dict[str, Any]]:
    """Make up a history of `size` different updates, in the order in which Pipedrive gives them.

    Newest first, after the activities not yet done (one in twenty, at most 12), whose due dates
    may lie after `base_time`. From some 50 updates on every kind of record occurs. About one in
    25 is a change of a custom field, which is served with `all_changes=1` only. The same
    arguments always give the same history, whatever the date.

    Args:
        seed: Another seed is another history about the same people.
        size: How many updates.
        person_id: Whom it is about. The organization has the id `person_id + 4000`, the five
            deals have `person_id * 10 + 1` and so on: 5101 and 11011 for person 1101.
        about: The collection that it is for: a deal's history has more changes of deals.
        base_time: The present, UTC. The history goes back from it, a little less than a day for
            each update and at most ten years.
    """
    story = Story(random.Random(f"{seed}/{person_id}/{about}"), Cast.around(person_id), base_time)
    pending = min(12, size // 20)
    planned = sorted(
        (story.pending_activity() for _ in range(pending)),
        key=lambda record: str(record["timestamp"]),
        reverse=True,
    )
    kinds = story.kinds(size - pending, SHARES | _MORE[about])
    past = [
        story.record(kind, moment)
        for kind, moment in zip(kinds, story.moments(size - pending), strict=True)
    ]
    return planned + past[::-1]


def generate_related(*, person_id: int = 1101) -> dict[str, dict[int, dict[str, Any]]]:
    """The users, persons, organizations and deals that the generated histories of a person name.

    By kind and id, as `FakePipedrive(related=…)` takes them.
    """
    return Cast.around(person_id).related()
