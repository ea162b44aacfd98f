"""Files, by themselves or attached to mail."""

from datetime import datetime
from typing import ClassVar

import attrs

from pipeflow.records.values import Record

__all__ = ["File"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class File(Record):
    """An uploaded or linked file.

    From the published examples of `getDealUpdates` and `getOrganizationUpdates`;
    `email_message_id` and `note_id` from older answers. Pipedrive writes `""` for most texts that
    are not there, and so does this class.

    Attributes:
        id: The id of the file.
        user_id: The id of the user who uploaded it.
        deal_id: The id of the deal it is attached to.
        person_id: The id of the person it is attached to.
        org_id: The id of the organization it is attached to.
        product_id: The id of the product it is attached to.
        activity_id: The id of the activity it is attached to.
        lead_id: The UUID of the lead it is attached to.
        project_id: The id of the project it is attached to.
        log_id: The id of the log entry it is attached to.
        add_time: When it was uploaded, in UTC.
        update_time: When it was last changed, in UTC.
        file_name: The name it is stored under.
        file_type: Its kind, such as `img` or `pdf`.
        file_size: Its size in bytes.
        active_flag: Whether it is there; False when it was deleted.
        inline_flag: Whether it is shown within a mail's text.
        remote_location: Where it is kept, such as `s3` or `googledrive`.
        remote_id: Its id there.
        cid: Its content id within a mail's text.
        s3_bucket: The bucket it is kept in.
        mail_message_id: The id of the mail it came with; the examples write it as a string.
        mail_template_id: The id of the mail template it belongs to; the same.
        deal_name: The title of the deal.
        person_name: The name of the person.
        people_name: The same, under its older key.
        org_name: The name of the organization.
        product_name: The name of the product.
        lead_name: The title of the lead.
        project_name: The title of the project.
        url: Where it is downloaded from; needs the credentials of the API.
        name: The name to show.
        description: What it is, in its uploader's words.
        email_message_id: The id of the mail it came with, in older answers.
        note_id: The id of the note it is attached to, in older answers.
    """

    kinds: ClassVar[tuple[str, ...]] = ("file",)

    id: int | None = None
    user_id: int | None = None
    deal_id: int | None = None
    person_id: int | None = None
    org_id: int | None = None
    product_id: int | None = None
    activity_id: int | None = None
    lead_id: str | None = None
    project_id: int | None = None
    log_id: int | None = None
    add_time: datetime | None = None
    update_time: datetime | None = None
    file_name: str | None = None
    file_type: str | None = None
    file_size: int | None = None
    active_flag: bool | None = None
    inline_flag: bool | None = None
    remote_location: str | None = None
    remote_id: str | None = None
    cid: str | None = None
    s3_bucket: str | None = None
    mail_message_id: int | str | None = None
    mail_template_id: int | str | None = None
    deal_name: str | None = None
    person_name: str | None = None
    people_name: str | None = None
    org_name: str | None = None
    product_name: str | None = None
    lead_name: str | None = None
    project_name: str | None = None
    url: str | None = None
    name: str | None = None
    description: str | None = None
    email_message_id: int | str | None = None
    note_id: int | None = None
