"""Notes, and the names that come inside them."""

from datetime import datetime
from typing import ClassVar

import attrs

from pipeflow.records.values import Record

__all__ = ["Note", "NoteDeal", "NoteOrganization", "NotePerson", "NoteUser"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NoteOrganization(Record):
    """The organization that a note is attached to.

    Attributes:
        name: Its name.
    """

    name: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NotePerson(Record):
    """The person that a note is attached to.

    Attributes:
        name: The person's name.
    """

    name: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NoteDeal(Record):
    """The deal that a note is attached to.

    Attributes:
        title: Its title.
    """

    title: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NoteLead(Record):
    """The lead that a note is attached to.

    Attributes:
        title: Its title.
    """

    title: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NoteProject(Record):
    """The project that a note is attached to.

    Attributes:
        title: Its title.
    """

    title: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NoteUser(Record):
    """The user who wrote a note.

    Attributes:
        name: The user's name.
        email: The user's e-mail address.
        icon_url: Where the user's picture is.
        is_you: Whether it is the user whose token asked.
    """

    name: str | None = None
    email: str | None = None
    icon_url: str | None = None
    is_you: bool | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Note(Record):
    """A note.

    From Pipedrive's reference of the notes endpoints (`getNote`), as the flow endpoints publish no
    example; `lead` and `project` from newer answers.

    Attributes:
        id: The id of the note.
        user_id: The id of the user who wrote it.
        deal_id: The id of the deal it is attached to.
        person_id: The id of the person it is attached to.
        org_id: The id of the organization it is attached to.
        lead_id: The UUID of the lead it is attached to.
        project_id: The id of the project it is attached to.
        content: The text, as HTML.
        add_time: When it was written, in UTC.
        update_time: When it was last changed, in UTC.
        active_flag: Whether it is there; False when it was deleted.
        pinned_to_deal_flag: Whether it is pinned to the deal.
        pinned_to_person_flag: Whether it is pinned to the person.
        pinned_to_organization_flag: Whether it is pinned to the organization.
        pinned_to_lead_flag: Whether it is pinned to the lead.
        pinned_to_project_flag: Whether it is pinned to the project.
        last_update_user_id: The id of the user who changed it last.
        organization: The name of the organization.
        person: The name of the person.
        deal: The title of the deal.
        user: The user who wrote it.
        lead: The title of the lead.
        project: The title of the project.
    """

    kinds: ClassVar[tuple[str, ...]] = ("note",)

    id: int | None = None
    user_id: int | None = None
    deal_id: int | None = None
    person_id: int | None = None
    org_id: int | None = None
    lead_id: str | None = None
    project_id: int | None = None
    content: str | None = None
    add_time: datetime | None = None
    update_time: datetime | None = None
    active_flag: bool | None = None
    pinned_to_deal_flag: bool | None = None
    pinned_to_person_flag: bool | None = None
    pinned_to_organization_flag: bool | None = None
    pinned_to_lead_flag: bool | None = None
    pinned_to_project_flag: bool | None = None
    last_update_user_id: int | None = None
    organization: NoteOrganization | None = None
    person: NotePerson | None = None
    deal: NoteDeal | None = None
    user: NoteUser | None = None
    lead: NoteLead | None = None
    project: NoteProject | None = None
