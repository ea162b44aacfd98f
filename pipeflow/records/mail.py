"""Mail, its senders and receivers, and its attachments."""

from datetime import datetime
from typing import Any, ClassVar

import attrs

from pipeflow.records.files import File
from pipeflow.records.values import Record

__all__ = ["MailMessage", "MailParty"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MailParty(Record):
    """A sender or receiver of a mail.

    Attributes:
        id: The id of the address.
        email_address: The address.
        name: The name that goes with it.
        linked_person_id: The id of the person with this address, where there is one.
        linked_person_name: The name of that person.
        mail_message_party_id: The id of this address in this mail.
    """

    id: int | None = None
    email_address: str | None = None
    name: str | None = None
    linked_person_id: int | None = None
    linked_person_name: str | None = None
    mail_message_party_id: int | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MailMessage(Record):
    """A mail: the payload of `mailMessage` and `mailMessageWithAttachment`.

    From the published example of `getDealUpdates`; `deal_id` and what follows it from newer
    answers. Its times come in ISO 8601 with `Z`, unlike those of all other records.

    Attributes:
        attachments: The attached files; `()` also when the API says nothing of them.
        id: The id of the mail.
        from_: The senders; `from` in the API, which is a keyword in Python.
        to: The receivers.
        cc: Those who got a copy.
        bcc: Those who got a copy that the others do not know of.
        body_url: Where the text is; empty when there is none.
        nylas_id: The id of the mail there.
        account_id: The id of the mailbox at the synchronising service.
        user_id: The id of the user whose mailbox it is in.
        mail_thread_id: The id of the conversation.
        subject: The subject.
        snippet: The beginning of the text.
        mail_tracking_status: What the tracking says, such as `opened`.
        mail_link_tracking_enabled_flag: Whether clicks on its links are counted.
        read_flag: Whether it has been read.
        draft: The draft's content, as JSON text.
        s3_bucket: The bucket that the text is kept in.
        s3_bucket_path: Where in it.
        draft_flag: Whether it is a draft.
        synced_flag: Whether it came by the mailbox's synchronisation.
        deleted_flag: Whether it was deleted.
        external_deleted_flag: Whether it was deleted in the mailbox.
        has_body_flag: Whether it has a text.
        sent_flag: Whether it was sent (rather than received).
        sent_from_pipedrive_flag: Whether it was sent from Pipedrive.
        smart_bcc_flag: Whether it came by the account's BCC address.
        message_time: When it was sent, in UTC.
        add_time: When Pipedrive took it in, in UTC.
        update_time: When Pipedrive last changed it, in UTC.
        has_attachments_flag: Whether anything is attached.
        has_inline_attachments_flag: Whether files are shown within the text.
        has_real_attachments_flag: Whether files are attached beside the text.
        mua_message_id: The `Message-ID` that the mail program gave.
        template_id: The id of the template it was written with.
        item_type: `mailMessage`.
        timestamp: The time that Pipedrive orders it by, in UTC.
        company_id: The id of the Pipedrive account.
        deal_id: The id of the deal it is linked to.
        lead_id: The UUID of the lead it is linked to.
        project_id: The id of the project it is linked to.
        in_reply_to: The `Message-ID` of the mail that it answers.
        last_replied_at: When it was last answered, in UTC.
        mail_queue: The queue it was sent by; no shape is published for it.
        mail_signature_id: The id of the signature below it.
        connection_type: How the mailbox is connected.
        sender_user_id: The id of the user who sent it.
        team_admin_user_id: The id of the user who administers a mailbox that a team shares.
        wa_meta: What belongs to a WhatsApp message; no shape is published for it.
        expunged_flag: Whether it is gone from the mailbox for good.
        group_sending_flag: Whether it was one of many sent at once.
        mail_link_tracking_last_clicked_at: When one of its links was last clicked on, in UTC.
    """

    kinds: ClassVar[tuple[str, ...]] = ("mailMessage", "mailMessageWithAttachment")

    attachments: tuple[File, ...] = ()
    id: int | None = None
    from_: tuple[MailParty, ...] = ()
    to: tuple[MailParty, ...] = ()
    cc: tuple[MailParty, ...] = ()
    bcc: tuple[MailParty, ...] = ()
    body_url: str | None = None
    nylas_id: str | None = None
    account_id: str | None = None
    user_id: int | None = None
    mail_thread_id: int | None = None
    subject: str | None = None
    snippet: str | None = None
    mail_tracking_status: str | None = None
    mail_link_tracking_enabled_flag: bool | None = None
    read_flag: bool | None = None
    draft: str | None = None
    s3_bucket: str | None = None
    s3_bucket_path: str | None = None
    draft_flag: bool | None = None
    synced_flag: bool | None = None
    deleted_flag: bool | None = None
    external_deleted_flag: bool | None = None
    has_body_flag: bool | None = None
    sent_flag: bool | None = None
    sent_from_pipedrive_flag: bool | None = None
    smart_bcc_flag: bool | None = None
    message_time: datetime | None = None
    add_time: datetime | None = None
    update_time: datetime | None = None
    has_attachments_flag: bool | None = None
    has_inline_attachments_flag: bool | None = None
    has_real_attachments_flag: bool | None = None
    mua_message_id: str | None = None
    template_id: int | str | None = None
    item_type: str | None = None
    timestamp: datetime | None = None
    company_id: int | None = None
    deal_id: int | None = None
    lead_id: str | None = None
    project_id: int | None = None
    in_reply_to: str | None = None
    last_replied_at: datetime | None = None
    mail_queue: Any = None
    mail_signature_id: int | str | None = None
    connection_type: str | None = None
    sender_user_id: int | None = None
    team_admin_user_id: int | None = None
    wa_meta: Any = None
    expunged_flag: bool | None = None
    group_sending_flag: bool | None = None
    mail_link_tracking_last_clicked_at: datetime | None = None
