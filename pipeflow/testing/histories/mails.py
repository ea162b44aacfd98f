"""The `data` of a mail, field by field as Pipedrive sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeflow.testing.histories.cast import COMPANY_ID

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.testing.histories.cast import Cast, Member

__all__ = ["mail_message", "mail_time"]


def mail_time(moment: datetime) -> str:
    """A time as mail carries it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def mail_message(
    number: int,
    moment: datetime,
    cast: Cast,
    user: Member,
    *,
    subject: str,
    snippet: str,
    sent: bool,
    attachments: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    """A mail between the person and a user; `attachments` None leaves the key out, as it is."""
    inside = {
        "id": user.id,
        "email_address": user.email,
        "name": user.name,
        "linked_person_id": None,
        "linked_person_name": None,
        "mail_message_party_id": number * 2,
    }
    outside = {
        "id": cast.person.id,
        "email_address": cast.person.email,
        "name": cast.person.name,
        "linked_person_id": cast.person.id,
        "linked_person_name": cast.person.name,
        "mail_message_party_id": number * 2 + 1,
    }
    has_attachments = int(bool(attachments))
    found = {} if attachments is None else {"attachments": attachments}
    return found | {
        "id": number,
        "from": [inside if sent else outside],
        "to": [outside if sent else inside],
        "cc": [],
        "bcc": [],
        "body_url": f"https://mail.example.com/{number}/body",
        "nylas_id": f"{number * 2_654_435_761 % 2**64:016x}",
        "account_id": "ao5gpry0zykr1",
        "user_id": user.id,
        "mail_thread_id": number // 3,
        "subject": subject,
        "snippet": snippet,
        "mail_tracking_status": "opened" if sent else None,
        "mail_link_tracking_enabled_flag": int(sent),
        "read_flag": 1,
        "draft": None,
        "s3_bucket": "mail-example",
        "s3_bucket_path": f"{COMPANY_ID}/{number}/body",
        "draft_flag": 0,
        "synced_flag": 1,
        "deleted_flag": 0,
        "external_deleted_flag": 0,
        "has_body_flag": 1,
        "sent_flag": int(sent),
        "sent_from_pipedrive_flag": int(sent),
        "smart_bcc_flag": 0,
        "message_time": mail_time(moment),
        "add_time": mail_time(moment),
        "update_time": mail_time(moment.replace(second=59)),
        "has_attachments_flag": has_attachments,
        "has_inline_attachments_flag": 0,
        "has_real_attachments_flag": has_attachments,
        "mua_message_id": f"{number:08x}-0@mailer.example.com",
        "template_id": None,
        "item_type": "mailMessage",
        "timestamp": mail_time(moment),
        "company_id": COMPANY_ID,
    }
