"""The `data` of each kind of record, field by field as Pipedrive sends it.

The fields and their types are those of the published example of `getPersonUpdates` and
`getDealUpdates`, with the newer fields of recorded answers. The kinds below `comment` have no
published shape: theirs is a plausible guess, kept small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeflow.testing.histories.cast import COMPANY_ID

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.testing.histories.cast import Cast, Deal, Member

__all__ = [
    "comment",
    "deal",
    "field_change",
    "file",
    "follower",
    "note",
    "plain",
    "wire_time",
]

_USER_AGENT: Final = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)


def wire_time(moment: datetime) -> str:
    """A time as most records carry it: `YYYY-MM-DD HH:MM:SS`, UTC, without saying so."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def field_change(
    number: int,
    moment: datetime,
    user: Member,
    *,
    item_id: int,
    field_key: str,
    values: tuple[object, object],
    formatted: tuple[str | None, str | None] = (None, None),
    by_import: bool = False,
) -> dict[str, Any]:
    """A personChange, dealChange or organizationChange from `values[0]` to `values[1]`."""
    names = {"old_value_formatted": formatted[0], "new_value_formatted": formatted[1]}
    shown = {name: text for name, text in names.items() if text is not None}
    return {
        "id": number,
        "item_id": item_id,
        "user_id": user.id,
        "field_key": field_key,
        "old_value": values[0],
        "new_value": values[1],
        "is_bulk_update_flag": 1 if by_import else None,
        "log_time": wire_time(moment),
        "change_source": "import" if by_import else "app",
        "change_source_user_agent": None if by_import else _USER_AGENT,
        "origin": "Import" if by_import else "ManuallyCreated",
        "origin_id": None,
        # An empty object is PHP's empty array on the wire.
        "additional_data": shown or [],
    }


def note(
    number: int, moment: datetime, cast: Cast, user: Member, *, content: str, deal: Deal | None
) -> dict[str, Any]:
    """A note, its content HTML."""
    return {
        "id": number,
        "user_id": user.id,
        "deal_id": deal.id if deal else None,
        "person_id": cast.person.id,
        "org_id": cast.organization.id,
        "lead_id": None,
        "project_id": None,
        "content": content,
        "add_time": wire_time(moment),
        "update_time": wire_time(moment),
        "active_flag": True,
        "pinned_to_deal_flag": False,
        "pinned_to_person_flag": number % 25 == 0,
        "pinned_to_organization_flag": False,
        "pinned_to_lead_flag": False,
        "pinned_to_project_flag": False,
        "last_update_user_id": None,
        "organization": {"name": cast.organization.name},
        "person": {"name": cast.person.name},
        "deal": {"title": deal.title} if deal else None,
        "user": {
            "email": user.email,
            "name": user.name,
            "icon_url": None,
            "is_you": user.id == cast.users[0].id,
        },
    }


def file(
    number: int,
    moment: datetime,
    cast: Cast,
    user: Member,
    *,
    name: str,
    deal: Deal | None,
    mail_message_id: int | None = None,
) -> dict[str, Any]:
    """A file, by itself or attached to a mail."""
    stem, _, extension = name.rpartition(".")
    stored = f"{stem}_{number:08x}.{extension}"
    return {
        "id": number,
        "user_id": user.id,
        "deal_id": deal.id if deal else None,
        "person_id": cast.person.id,
        "org_id": cast.organization.id,
        "product_id": None,
        "activity_id": None,
        "lead_id": None,
        "project_id": None,
        "log_id": None,
        "add_time": wire_time(moment),
        "update_time": wire_time(moment),
        "file_name": stored,
        "file_type": "img" if extension in {"jpg", "png"} else extension,
        "file_size": 20_000 + number * 7919 % 900_000,
        "active_flag": True,
        "inline_flag": False,
        "remote_location": "s3",
        "remote_id": stored,
        "cid": "",
        "s3_bucket": "",
        "mail_message_id": "" if mail_message_id is None else str(mail_message_id),
        "mail_template_id": "",
        "deal_name": deal.title if deal else "",
        "person_name": cast.person.name,
        "people_name": "",
        "org_name": cast.organization.name,
        "product_name": "",
        "lead_name": "",
        "project_name": "",
        "url": f"https://app.example.com/api/v1/files/{number}/download",
        "name": name,
        "description": "",
    }


def comment(
    number: int, moment: datetime, user: Member, *, content: str, object_type: str, object_id: int
) -> dict[str, Any]:
    """A comment on a note or an activity."""
    return {
        "uuid": f"{number:08x}-c0de-4000-8000-{number * 48_271 % 2**48:012x}",
        "object_id": object_id,
        "object_type": object_type,
        "user_id": user.id,
        "updater_id": user.id,
        "company_id": COMPANY_ID,
        "active_flag": True,
        "add_time": wire_time(moment),
        "update_time": wire_time(moment),
        "content": content,
    }


def deal(
    number: int, moment: datetime, cast: Cast, user: Member, *, opened: Deal
) -> dict[str, Any]:
    """The record, with an id of its own, that the deal `opened` came to be."""
    return {
        "id": number,
        "deal_id": opened.id,
        "title": opened.title,
        "value": opened.value,
        "currency": "EUR",
        "status": "open",
        "stage_id": 1,
        "pipeline_id": 1,
        "person_id": cast.person.id,
        "org_id": cast.organization.id,
        "user_id": user.id,
        "add_time": wire_time(moment),
    }


def follower(
    number: int, moment: datetime, user: Member, *, followed: dict[str, int], added: bool
) -> dict[str, Any]:
    """A user who begins or stops to follow; `followed` names it, such as `{"deal_id": 3}`."""
    return {
        "id": number,
        "user_id": user.id,
        **followed,
        "action": "added" if added else "removed",
        "log_time": wire_time(moment),
    }


def plain(number: int, moment: datetime, user: Member, **fields: object) -> dict[str, Any]:
    """A record of a kind without a published shape: id, user, time and these fields."""
    return {"id": number, "user_id": user.id, "add_time": wire_time(moment), **fields}
