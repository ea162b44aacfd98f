from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from pipeflow.items import FlowItem, OrganizationFlowItem
from pipeflow.records import Comment, FlowUpdate, MailMessage
from pipeflow.timeline.entries import Entry, entry_of, family_of

from .histories import NOON, RELATED, change, note, planned

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json


def test_a_note_is_told_by_its_sentence_and_shown_below_it() -> None:
    assert entry_of(note("<p>Tea</p><p>Cake</p>"), None) == Entry(
        time=int(NOON.timestamp()),
        family="note",
        kind="note",
        who="Ines Okafor",
        what="wrote a note",
        about="",
        text="Tea\nCake",
        is_planned=False,
    )


def test_a_change_names_the_deal() -> None:
    entry = entry_of(change("value", 1, 2), {"value": "Value"})
    assert (entry.what, entry.about) == ("changed Value: 1 → 2", "House blend")


def test_what_is_planned_says_when_beside_its_sentence() -> None:
    entry = entry_of(planned("Ring back"), None)
    assert entry.is_planned
    assert entry.what == "planned call: Ring back"


@pytest.mark.parametrize("data", [Comment(content="Yes<br>no"), {"content": "Yes<br>no"}])
def test_a_comment_is_a_text_whether_it_has_a_class_or_not(data: Json) -> None:
    entry = entry_of(FlowUpdate(object="comment", data=data), None)
    assert (entry.what, entry.text) == ("commented", "Yes\nno")


def test_the_beginning_of_a_mail_is_shown() -> None:
    mail = FlowUpdate(object="mailMessage", data=MailMessage(subject="Hi", snippet="Dear all"))
    entry = entry_of(mail, None)
    assert (entry.family, entry.what, entry.text) == (
        "mail",
        "sent a mail to someone: Hi",
        "Dear all",
    )


def test_what_is_not_said_is_empty() -> None:
    entry = entry_of(FlowUpdate(object="other", data={"content": 5}), None)
    assert entry == Entry(None, "other", "other", "", "logged other", "", "", is_planned=False)


def test_what_the_sentence_names_is_not_named_again() -> None:
    follower = FlowUpdate(object="dealFollower", data={"deal_id": 9}, related=RELATED)
    assert entry_of(follower, None).what == "started following the deal House blend"
    assert entry_of(follower, None).about == ""


@pytest.mark.parametrize("kind", [*FlowItem, *OrganizationFlowItem])
def test_every_kind_has_a_family(kind: str) -> None:
    assert family_of(kind) != "other"
    assert attrs.asdict(entry_of(FlowUpdate(object=kind), None))["family"] == family_of(kind)
