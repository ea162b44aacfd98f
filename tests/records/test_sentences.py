"""What an update says, in one plain line."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING

import attrs
import pytest
from attrs import frozen

from pipeflow.items import FlowItem, OrganizationFlowItem
from pipeflow.records import (
    Activity,
    Comment,
    FieldChange,
    File,
    FlowUpdate,
    FormattedValues,
    MailMessage,
    MailParty,
    Note,
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
    Sentence,
)

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json
    from pipeflow.records.sentences import UpdateLike

RELATED = RelatedObjects(
    users={123: RelatedUser(id=123, name="Jane Doe"), 7: RelatedUser(id=7)},
    persons={1101: RelatedPerson(id=1101, name="Person")},
    organizations={5: RelatedOrganization(id=5, name="Umbrella Corp.")},
    deals={300: RelatedDeal(id=300, title="Deal title")},
)
HASH = "9dd7f1a9b7b5c6a1f6b2c3d4e5f60718293a4b5c"


def change(key: str, old: Json, new: Json, **more: Json) -> FieldChange:
    return FieldChange(field_key=key, old_value=old, new_value=new, user_id=123, **more)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (
            change(
                "org_id",
                None,
                1482,
                additional_data=FormattedValues(new_value_formatted="Umbrella Corp."),
            ),
            "Jane Doe changed org_id: none → Umbrella Corp.",
        ),
        (change("org_id", 5, 6), "Jane Doe changed org_id: Umbrella Corp. → 6"),
        (change("deal_id", 300, None), "Jane Doe changed deal_id: Deal title → none"),
        (change("owner_id", 7, 123), "Jane Doe changed owner_id: 7 → Jane Doe"),
        (change("name", "", "A\n B\t C"), "Jane Doe changed name: none → A B C"),
        (change("label", ["1", 2], []), "Jane Doe changed label: 1, 2 → none"),
        (change("x", {"a": "é"}, [{}]), 'Jane Doe changed x: {"a": "é"} → [{}]'),
        (change("x", True, 1.5), "Jane Doe changed x: true → 1.5"),
        (
            change("x", 1, 2, additional_data=FormattedValues(old_value_formatted="One")),
            "Jane Doe changed x: One → 2",
        ),
        (
            Activity(user_id=123, type="deadline", subject="Report", done=False),
            "Jane Doe planned deadline: Report",
        ),
        (
            Activity(user_id=123, type_name="Call", subject="", due_date=date(2024, 3, 1)),
            "Jane Doe planned call (due 2024-03-01)",
        ),
        (
            Activity(user_id=123, subject="A", due_date=date(2024, 3, 1), due_time=time(9, 5)),
            "Jane Doe planned activity: A (due 2024-03-01 09:05)",
        ),
        (
            Activity(user_id=123, type="call", subject="A", done=True, due_date=date(2024, 3, 1)),
            "Jane Doe completed call: A",
        ),
        (
            Note(user_id=123, content="<p>Likes <b>tea</b> &amp;&nbsp;cake</p>"),
            "Jane Doe wrote a note: Likes tea & cake",
        ),
        (Note(user_id=7), "user 7 wrote a note"),
        (File(user_id=9, name="a.pdf", file_name="b.pdf"), "user 9 added a file: a.pdf"),
        (File(file_name="b.pdf"), "Someone added a file: b.pdf"),
        (Comment(user_id=123, content="<p>Agreed"), "Jane Doe commented: Agreed"),
        (
            MailMessage(
                from_=(MailParty(name="Jane Doe"),),
                to=(MailParty(email_address="a@example.com"), MailParty()),
                subject="Offer",
            ),
            "Jane Doe sent a mail to a@example.com, someone: Offer",
        ),
        (MailMessage(draft_flag=True), "Someone drafted a mail to someone"),
    ],
)
def test_a_payload_has_its_line(data: Json, line: str) -> None:
    assert FlowUpdate(data=data, related=RELATED).summary() == line


UNSHAPED: dict[str, tuple[dict[str, Json], str]] = {
    "call": ({"subject": "Beans", "outcome": "no_answer"}, "made a call: Beans (no answer)"),
    "activity": (
        {"type": "call", "subject": "A", "due_date": "2024-03-01", "due_time": "9:05:00"},
        "planned call: A (due 2024-03-01 9:05)",
    ),
    "plannedActivity": ({"type_name": "Lunch", "done": False}, "planned lunch"),
    "change": ({"field_key": "label", "new_value": "5"}, "changed label: none → 5"),
    "note": ({"content": "<p>Tea"}, "wrote a note: Tea"),
    "deal": ({"title": "Beans"}, "opened a deal: Beans"),
    "file": ({"file_name": "a.pdf"}, "added a file: a.pdf"),
    "dealChange": ({}, "changed a field: none → none"),
    "personChange": (
        {
            "field_key": "owner_id",
            "old_value": "123",
            "additional_data": {"new_value_formatted": "Max"},
        },
        "changed owner_id: Jane Doe → Max",
    ),
    "organizationChange": (
        {"field_key": "name", "old_value": 1, "additional_data": []},
        "changed name: 1 → none",
    ),
    "follower": ({}, "started following"),
    "dealFollower": ({"deal_id": 300}, "started following the deal Deal title"),
    "personFollower": (
        {"person_id": 1101, "action": "removed"},
        "stopped following the person Person",
    ),
    "organizationFollower": ({"org_id": 6}, "started following the organization"),
    "participant": ({"person_id": 1101}, "added Person as a participant"),
    "comment": ({"content": "Yes"}, "commented: Yes"),
    "mailMessage": ({"from": "nobody", "to": None}, "sent a mail to someone"),
    "mailMessageWithAttachment": (
        {"to": [{"name": "Max"}, "odd"], "subject": "Hi", "draft_flag": 1},
        "drafted a mail to Max, someone: Hi",
    ),
    "invoice": ({"subject": "March", "status": "paid"}, "added an invoice: March (paid)"),
    "document": ({"title": "Contract"}, "added a document: Contract"),
    "marketing_campaign_stat": (
        {"person_id": 1101, "campaign_name": "News", "type": "opened"},
        "received a campaign: News (opened)",
    ),
    "marketing_status_change": (
        {"old_value": "no_consent", "new_value": "subscribed"},
        "changed the marketing status: no consent → subscribed",
    ),
    "activityFile": ({"name": "a.mp3"}, "added a file to an activity: a.mp3"),
}


@pytest.mark.parametrize("kind", [*FlowItem, *OrganizationFlowItem])
def test_every_kind_is_a_sentence_with_a_verb(kind: str) -> None:
    data, what = UNSHAPED[kind]
    update = FlowUpdate(object=kind, data={"user_id": 123} | data, related=RELATED)
    who = {"mailMessage": "", "mailMessageWithAttachment": "", "marketing_campaign_stat": "Person"}
    assert update.sentence() == Sentence(who.get(kind, "Jane Doe"), what)
    assert update.summary() == f"{update.sentence().who or 'Someone'} {what}"


@pytest.mark.parametrize("kind", UNSHAPED)
@pytest.mark.parametrize("odd", [None, False, [], {}, "", ["x"], {"x": {}}, 1e999])
def test_no_value_of_a_field_spoils_a_sentence(kind: str, odd: Json) -> None:
    fields = ("field_key", "old_value", "additional_data", "from", "to", "done", "due_date")
    texts = ("subject", "title", "name", "content", "type", "status", "action", "user_id")
    data: dict[str, Json] = dict.fromkeys((*fields, *texts), odd)
    what = FlowUpdate(object=kind, data=data, related=RELATED).sentence().what
    assert what.isprintable()
    assert what.split()[0].rstrip(":") in {
        told.split()[0].rstrip(":") for _, told in UNSHAPED.values()
    }


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("projectTask", {"user_id": 123, "title": "Beans"}, "Jane Doe logged project task: Beans"),
        ("", {}, "Someone logged something"),
        ("participant", {"action": "removed"}, "Someone removed someone from the participants"),
        ("marketing_status_change", {}, "Someone changed the marketing status"),
        ("marketing_campaign_stat", {}, "Someone received a campaign"),
        ("call", {"user_id": 7, "to_phone_number": 49}, "user 7 made a call: 49"),
    ],
)
def test_what_is_not_said_is_left_out(kind: str, data: Json, line: str) -> None:
    assert FlowUpdate(object=kind, data=data, related=RELATED).summary() == line


def test_a_class_of_the_users_own_is_read_by_its_fields() -> None:
    @frozen
    class Invoice:
        subject: str = "March"
        status: str = "paid"

    update = FlowUpdate(object="invoice", data=Invoice())  # type: ignore[arg-type]
    assert update.summary() == "Someone added an invoice: March (paid)"


def test_names_are_asked_for_fields_values_and_users() -> None:
    class Names:
        def field_name(self, update: UpdateLike) -> str | None:
            return {"label": "Tier"}.get(update.data.field_key)

        def value_text(self, update: UpdateLike, value: Json) -> str | None:
            return {"5": "Gold"}.get(value)

        def user_name(self, user_id: int) -> str | None:
            return {9: "Priya"}.get(user_id)

    label = FieldChange(field_key="label", old_value="5", new_value="6", user_id=9)
    assert FlowUpdate(data=label).sentence(Names()) == Sentence("Priya", "changed Tier: Gold → 6")
    other = attrs.evolve(label, field_key="x", user_id=8)
    assert FlowUpdate(data=other).summary(Names()) == "user 8 changed x: Gold → 6"


def test_what_pipedrive_shows_for_a_value_comes_before_a_name() -> None:
    shown = change("org_id", 5, 5, additional_data=FormattedValues(old_value_formatted="Then"))
    update = FlowUpdate(data=shown, related=RELATED)
    assert update.sentence().what == "changed org_id: Then → Umbrella Corp."


def test_a_custom_field_is_named_as_asked() -> None:
    update = FlowUpdate(data=change(HASH, None, "Gold"), related=RELATED)
    assert update.summary() == f"Jane Doe changed {HASH}: none → Gold"
    assert update.summary({HASH: "Tier"}) == "Jane Doe changed Tier: none → Gold"


@pytest.mark.parametrize(
    "text", ["word " * 10_000, "<" * 50_000, "a" * 50_000, "\x1b[31m\u202e\u2028" * 9_000]
)
def test_a_line_is_short_and_plain_whatever_the_text(text: str) -> None:
    for data in (Note(content=text), change("x", text, text), change("x", [text], {"a": text})):
        line = FlowUpdate(data=data).summary()
        assert line.isprintable()
        assert len(line) < 400
