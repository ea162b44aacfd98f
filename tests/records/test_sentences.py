"""What an update says, in one plain line."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING

import pytest

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
)

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json

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
            "Jane Doe planned call: none (due 2024-03-01)",
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
        (Note(user_id=7), "user 7 wrote a note: none"),
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
        (MailMessage(draft_flag=True), "someone drafted a mail to someone: none"),
    ],
)
def test_a_payload_has_its_line(data: Json, line: str) -> None:
    assert FlowUpdate(data=data, related=RELATED).summary() == line


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("dealFollower", {"user_id": 123}, "Jane Doe: deal follower"),
        ("marketing_status_change", {}, "marketing status change"),
        ("", {}, "none"),
    ],
)
def test_a_plain_dict_is_told_by_its_kind(kind: str, data: Json, line: str) -> None:
    assert FlowUpdate(object=kind, data=data, related=RELATED).summary() == line


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
