"""An update as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from pipeflow.records import Activity, Comment, Note
from pipeflow.records.sentences import sentence_of
from pipeflow.timeline.markup import text_of

if TYPE_CHECKING:
    from pipeflow.records import FlowUpdate
    from pipeflow.records.sentences import UpdateNames

__all__ = ["FAMILIES", "Entry", "entry_of", "family_of"]

FAMILIES: Final = {
    "activity": "Activities",
    "call": "Calls",
    "mail": "Mails",
    "note": "Notes",
    "change": "Changes",
    "deal": "Deals",
    "file": "Files",
    "people": "People",
    "marketing": "Marketing",
    "other": "Other",
}
"""The kinds that a reader tells apart, each with its shape and colour, by the name on the page."""

_FAMILY_OF: Final = {
    "activity": "activity",
    "plannedActivity": "activity",
    "call": "call",
    "mailMessage": "mail",
    "mailMessageWithAttachment": "mail",
    "note": "note",
    "comment": "note",
    "change": "change",
    "dealChange": "change",
    "personChange": "change",
    "organizationChange": "change",
    "deal": "deal",
    "file": "file",
    "activityFile": "file",
    "document": "file",
    "invoice": "file",
    "follower": "people",
    "dealFollower": "people",
    "personFollower": "people",
    "organizationFollower": "people",
    "participant": "people",
    "marketing_campaign_stat": "marketing",
    "marketing_status_change": "marketing",
}

_WRITTEN: Final = frozenset({"note", "comment"})
"""The kinds whose sentence would say the beginning of the text that the page shows below it."""

_TEXTS: Final = {"note": "content", "comment": "content", "activity": "note", "mail": "snippet"}


@attrs.frozen
class Entry:
    """What the page shows of an update. All texts are plain.

    Attributes:
        time: Seconds since 1970, in UTC; None where the update does not say.
        family: One of `FAMILIES`.
        kind: The update's `object`.
        who: Who did it; empty where the update does not say.
        what: What they did.
        about: The deal or the organization that it is about, where the sentence does not say.
        text: What was written, with its line breaks: a note, a comment, the beginning of a mail.
        is_planned: Whether it is an activity still to be done.
    """

    time: int | None
    family: str
    kind: str
    who: str
    what: str
    about: str
    text: str
    is_planned: bool


def family_of(kind: str) -> str:
    """The family of a kind."""
    return _FAMILY_OF.get(kind, "other")


def entry_of(update: FlowUpdate, names: UpdateNames | Mapping[str, str] | None) -> Entry:
    """An update as the page shows it."""
    family = family_of(update.object)
    text = _field(update.data, _TEXTS.get(family, ""))
    sentence = sentence_of(_without_text(update), names)
    about = update.deal and update.deal.title
    about = about or (update.organization and update.organization.name) or ""
    return Entry(
        time=None if update.timestamp is None else int(update.timestamp.timestamp()),
        family=family,
        kind=update.object,
        who=sentence.who,
        what=sentence.what,
        about="" if about in sentence.what else about,
        text=text_of(text) if isinstance(text, str) else "",
        is_planned=update.is_planned,
    )


def _field(data: object, name: str) -> Any:  # noqa: ANN401 - any JSON value
    return data.get(name) if isinstance(data, Mapping) else getattr(data, name, None)


def _without_text(update: FlowUpdate) -> FlowUpdate:
    """The update without what the page shows beside its sentence: a text, or when it is due."""
    match update.data:
        case Note() | Comment() as written:
            return attrs.evolve(update, data=attrs.evolve(written, content=None))
        case Activity() as activity:
            return attrs.evolve(update, data=attrs.evolve(activity, due_date=None))
        case dict() as data if update.object in _WRITTEN:
            return attrs.evolve(update, data={**data, "content": None})
        case _:
            return update
