"""The users, persons, organizations and deals that the updates of a page speak of by id."""

import attrs

from pipeflow.records.json_text import Json, JsonText
from pipeflow.records.values import Record

__all__ = [
    "ContactEntry",
    "RelatedDeal",
    "RelatedObjects",
    "RelatedOrganization",
    "RelatedPerson",
    "RelatedUser",
]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ContactEntry(Record):
    """An e-mail address or a phone number of a person.

    Attributes:
        label: What it is for, such as `work`.
        value: The address or the number.
        primary: Whether it is the first to use.
    """

    label: str | None = None
    value: str | None = None
    primary: bool | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RelatedUser(Record):
    """A user of the Pipedrive account.

    Attributes:
        id: The id of the user.
        name: The user's name.
        email: The user's e-mail address.
        has_pic: Whether the user has a picture.
        pic_hash: The hash of that picture.
        active_flag: Whether the user is active.
    """

    id: int | None = None
    name: str | None = None
    email: str | None = None
    has_pic: bool | None = None
    pic_hash: str | None = None
    active_flag: bool | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RelatedPerson(Record):
    """A person.

    Attributes:
        active_flag: Whether the person is there; False when deleted.
        id: The id of the person.
        name: The person's name.
        email: The person's e-mail addresses.
        phone: The person's phone numbers.
        owner_id: The id of the user who owns the person.
    """

    active_flag: bool | None = None
    id: int | None = None
    name: str | None = None
    email: tuple[ContactEntry, ...] = ()
    phone: tuple[ContactEntry, ...] = ()
    owner_id: int | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RelatedOrganization(Record):
    """An organization.

    Attributes:
        id: The id of the organization.
        name: Its name.
        people_count: How many persons belong to it.
        owner_id: The id of the user who owns it.
        address: Its address.
        active_flag: Whether it is there; False when deleted.
        cc_email: The BCC address that links mail to it.
    """

    id: int | None = None
    name: str | None = None
    people_count: int | None = None
    owner_id: int | None = None
    address: str | None = None
    active_flag: bool | None = None
    cc_email: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RelatedDeal(Record):
    """A deal.

    Attributes:
        id: The id of the deal.
        title: Its title.
        status: `open`, `won`, `lost` or `deleted`.
        value: Its value, in `currency`.
        currency: The currency's code, such as `EUR`.
        stage_id: The id of the stage it is in.
        pipeline_id: The id of the pipeline it is in.
    """

    id: int | None = None
    title: str | None = None
    status: str | None = None
    value: int | float | None = None
    currency: str | None = None
    stage_id: int | None = None
    pipeline_id: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class RelatedObjects:
    """What a page says about the objects that its updates name by id; shared by those updates.

    The schemas are those of `related_objects` in the flow endpoints' reference. An object that
    breaks its shape is only in `raw`, and so are kinds that are not listed here.

    Attributes:
        users: The users by id.
        persons: The persons by id.
        organizations: The organizations by id.
        deals: The deals by id.
    """

    users: dict[int, RelatedUser] = attrs.field(factory=dict)
    persons: dict[int, RelatedPerson] = attrs.field(factory=dict)
    organizations: dict[int, RelatedOrganization] = attrs.field(factory=dict)
    deals: dict[int, RelatedDeal] = attrs.field(factory=dict)
    _json: JsonText | None = attrs.field(default=None, alias="json_text")

    def __attrs_post_init__(self) -> None:
        read = (self.users, self.persons, self.organizations, self.deals)
        if self._json and self._json.data != read:
            object.__setattr__(self, "_json", None)  # evolved: see `JsonText.data`

    @property
    def raw_json(self) -> bytes | None:
        """The JSON text of `related_objects`; None when it was made by hand, or evolved."""
        return None if self._json is None else self._json.text

    @property
    def raw(self) -> Json:
        """`related_objects` exactly as it came, read when first asked for; None when it did not."""
        return None if self._json is None else self._json.value

    def __repr__(self) -> str:
        return (
            f"RelatedObjects({len(self.users)} users, {len(self.persons)} persons, "
            f"{len(self.organizations)} organizations, {len(self.deals)} deals)"
        )
