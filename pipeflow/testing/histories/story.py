"""What happened between a supplier and its customer, drawn from a random source."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeflow.testing.histories import payloads, phrases
from pipeflow.testing.histories.activities import activity
from pipeflow.testing.histories.fields import ChangingFields
from pipeflow.testing.histories.mails import mail_message

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pipeflow.testing.histories.cast import Cast, Deal, Member

__all__ = ["Story"]


class Story:
    """What happened, told from the oldest update to the newest."""

    def __init__(self, chance: random.Random, cast: Cast, base_time: datetime) -> None:
        self._random = chance
        self._cast = cast
        self._base_time = base_time
        self._fields = ChangingFields(cast, chance)
        self._numbers: Counter[str] = Counter()
        self._tellers: dict[str, Callable[[datetime, Member], dict[str, Any]]] = {
            "activity": self._activity,
            "call": self._call,
            "comment": self._comment,
            "deal": self._deal,
            "document": self._document,
            "file": self._file,
            "invoice": self._invoice,
            "marketing_campaign_stat": self._campaign_stat,
            "marketing_status_change": self._marketing_status,
            "note": self._note,
            "participant": self._participant,
        }

    def kinds(self, count: int, shares: Mapping[str, float]) -> list[str]:
        """`count` kinds, shuffled: each of them once where there is room, then by their shares."""
        every = list(shares)
        drawn = self._random.choices(every, list(shares.values()), k=count)
        if count >= 2 * len(every):
            drawn[: len(every)] = every
        self._random.shuffle(drawn)
        return drawn

    def moments(self, count: int) -> list[datetime]:
        """`count` moments in office hours before the present, oldest first."""
        days = max(30, min(int(count * 0.9), 3650))
        return sorted(self._office_hour(-self._random.randint(1, days)) for _ in range(count))

    def _office_hour(self, days: int) -> datetime:
        day = self._base_time + timedelta(days=days)
        day -= timedelta(days=max(0, day.weekday() - 4))
        # Every step is drawn, so that a day's updates differ in time.
        return day.replace(
            hour=self._random.randint(8, 17),
            minute=self._random.randrange(60),
            second=self._random.randrange(60),
        )

    def pending_activity(self) -> dict[str, Any]:
        """An activity not yet done, overdue by some days or planned for the next weeks."""
        due = self._office_hour(self._random.randint(-12, 45)).replace(second=0)
        user = self._random.choice(self._cast.users[:3])
        return {
            "object": "activity",
            "timestamp": payloads.wire_time(due),
            "data": self._activity(due, user, done=False),
        }

    def record(self, kind: str, moment: datetime) -> dict[str, Any]:
        """One record of a kind, such as `note`; `custom` or `with attachments` may follow."""
        user = self._random.choice(self._cast.users[:4])
        name, _, variant = kind.partition(" ")
        if name.endswith("Change"):
            data = self._change(name, moment, user, custom=variant == "custom")
        elif name.startswith("mailMessage"):
            data = self._mail(moment, user, attached=kind != "mailMessage")
        elif name.lower().endswith("follower"):
            data = self._follower(name, moment, user)
        else:
            data = self._tellers[name](moment, user)
        return {"object": name, "timestamp": payloads.wire_time(moment), "data": data}

    def _next_number(self, kind: str) -> int:
        self._numbers[kind] += 1
        return 1000 + self._numbers[kind]

    def _phrase(self, template: str, deal: Deal | None = None) -> str:
        topic = self._random.choice(phrases.TOPICS)
        text = template.format(
            person=self._cast.person.name,
            organization=self._cast.organization.name,
            deal=(deal or self._random.choice(self._cast.deals)).title,
            topic=topic,
        )
        return text[0].upper() + text[1:]

    def _deal_or_none(self) -> Deal | None:
        return self._random.choice([*self._cast.deals, None])

    def _change(self, kind: str, moment: datetime, user: Member, *, custom: bool) -> dict[str, Any]:
        step = self._fields.step(kind, custom=custom)
        return payloads.field_change(
            self._next_number(kind),
            moment,
            user,
            item_id=step.item_id,
            field_key=step.field_key,
            values=(step.old[0], step.new[0]),
            formatted=(step.old[1], step.new[1]),
            by_import=self._random.random() < 0.1,
        )

    def _activity(self, moment: datetime, user: Member, *, done: bool = True) -> dict[str, Any]:
        kind = self._random.choice(list(phrases.ACTIVITY_SUBJECTS))
        deal = self._deal_or_none()
        return activity(
            self._next_number("activity"),
            moment,
            self._cast,
            user,
            kind=kind,
            subject=self._phrase(self._random.choice(phrases.ACTIVITY_SUBJECTS[kind]), deal),
            deal=deal,
            done=done,
            added=min(moment, self._base_time) - timedelta(days=self._random.randint(1, 9)),
            timed=kind not in {"task", "deadline"},
            note=self._phrase("Ask about {topic}.") if self._random.random() < 0.3 else "",
            recording=kind == "call" and self._random.random() < 0.1,
        )

    def _note(self, moment: datetime, user: Member) -> dict[str, Any]:
        deal = self._deal_or_none()
        content = self._phrase(self._random.choice(phrases.NOTES), deal)
        return payloads.note(
            self._next_number("note"), moment, self._cast, user, content=content, deal=deal
        )

    def _file(
        self, moment: datetime, user: Member, mail_message_id: int | None = None
    ) -> dict[str, Any]:
        return payloads.file(
            self._next_number("file"),
            moment,
            self._cast,
            user,
            name=self._random.choice(phrases.FILES),
            deal=self._deal_or_none(),
            mail_message_id=mail_message_id,
        )

    def _mail(self, moment: datetime, user: Member, *, attached: bool) -> dict[str, Any]:
        number = self._next_number("mailMessage")
        subject, snippet = self._random.choice(phrases.MAILS)
        sent = self._random.random() < 0.5
        attachments: list[dict[str, Any]] | None = self._random.choice([[], None])
        if attached:
            attachments = [self._file(moment, user, number) for _ in range(number % 2 + 1)]
        return mail_message(
            number,
            moment,
            self._cast,
            user,
            subject=("" if sent else "Re: ") + self._phrase(subject),
            snippet=self._phrase(snippet),
            sent=sent,
            attachments=attachments,
        )

    def _follower(self, name: str, moment: datetime, user: Member) -> dict[str, Any]:
        followed = {
            "follower": {"person_id": self._cast.person.id},
            "personFollower": {"person_id": self._cast.person.id},
            "organizationFollower": {"org_id": self._cast.organization.id},
            "dealFollower": {"deal_id": self._random.choice(self._cast.deals).id},
        }[name]
        added = self._random.random() < 0.7
        return payloads.follower(
            self._next_number(name), moment, user, followed=followed, added=added
        )

    def _comment(self, moment: datetime, user: Member) -> dict[str, Any]:
        object_type = self._random.choice(["note", "activity"])
        return payloads.comment(
            self._next_number("comment"),
            moment,
            user,
            content=self._phrase(self._random.choice(phrases.COMMENTS)),
            object_type=object_type,
            object_id=1000 + max(1, self._numbers[object_type]),
        )

    def _deal(self, moment: datetime, user: Member) -> dict[str, Any]:
        return payloads.deal(
            self._next_number("deal"),
            moment,
            self._cast,
            user,
            opened=self._random.choice(self._cast.deals),
        )

    def _participant(self, moment: datetime, user: Member) -> dict[str, Any]:
        return self._plain(
            "participant",
            moment,
            user,
            person_id=self._random.choice((self._cast.person, *self._cast.colleagues)).id,
            deal_id=self._random.choice(self._cast.deals).id,
            action=self._random.choice(["added", "removed"]),
        )

    def _call(self, moment: datetime, user: Member) -> dict[str, Any]:
        seconds = self._random.randint(0, 900)
        return self._plain(
            "call",
            moment,
            user,
            person_id=self._cast.person.id,
            org_id=self._cast.organization.id,
            deal_id=None,
            subject=self._phrase("Call about {topic}"),
            outcome=self._random.choice(phrases.CALL_OUTCOMES),
            duration=str(seconds) if seconds else "",
            from_phone_number="+49 30 5550 100",
            to_phone_number="+49 40 5550 101",
            start_time=payloads.wire_time(moment),
            end_time=payloads.wire_time(moment + timedelta(seconds=seconds)),
        )

    def _invoice(self, moment: datetime, user: Member) -> dict[str, Any]:
        deal = self._random.choice(self._cast.deals)
        return self._plain(
            "invoice",
            moment,
            user,
            deal_id=deal.id,
            org_id=self._cast.organization.id,
            subject=f"Invoice for {deal.title}",
            amount=deal.value,
            currency="EUR",
            status=self._random.choice(["draft", "sent", "paid"]),
        )

    def _document(self, moment: datetime, user: Member) -> dict[str, Any]:
        deal = self._random.choice(self._cast.deals)
        return self._plain(
            "document",
            moment,
            user,
            deal_id=deal.id,
            person_id=self._cast.person.id,
            title=f"Contract: {deal.title}",
            status=self._random.choice(["draft", "shared", "signed"]),
        )

    def _campaign_stat(self, moment: datetime, user: Member) -> dict[str, Any]:
        return self._plain(
            "marketing_campaign_stat",
            moment,
            user,
            person_id=self._cast.person.id,
            campaign_name=self._random.choice(phrases.CAMPAIGNS),
            type=self._random.choice(["delivered", "opened", "clicked"]),
        )

    def _marketing_status(self, moment: datetime, user: Member) -> dict[str, Any]:
        return self._plain(
            "marketing_status_change",
            moment,
            user,
            person_id=self._cast.person.id,
            old_value="no_consent",
            new_value=self._random.choice(["subscribed", "unsubscribed", "archived"]),
        )

    def _plain(self, kind: str, moment: datetime, user: Member, **fields: object) -> dict[str, Any]:
        return payloads.plain(self._next_number(kind), moment, user, **fields)
