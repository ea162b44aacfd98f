"""Changes of one field: the payload of `personChange`, `dealChange` and `organizationChange`."""

from datetime import datetime
from typing import Any, ClassVar

import attrs

from pipeflow.records.values import Record

__all__ = ["FieldChange", "FormattedValues"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FormattedValues(Record):
    """The old and the new value as Pipedrive shows them, where they are known.

    Attributes:
        old_value_formatted: The text for `old_value`, such as a name for an id.
        new_value_formatted: The text for `new_value`.
    """

    old_value_formatted: str | None = None
    new_value_formatted: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FieldChange(Record):
    """One field of a person, a deal or an organization got another value.

    From the published examples of `getPersonUpdates`, `getDealUpdates` and
    `getOrganizationUpdates`; `origin` and `origin_id` from newer answers.

    Attributes:
        id: The id of the change, unique among the changes.
        item_id: The id of the changed person, deal or organization, as the update's `object` says.
        user_id: The id of the user who made the change.
        field_key: The key of the field, such as `org_id`; a custom field's key is 40 hex digits.
            It is never missing: a change without it stays a dict.
        old_value: The value before, of any JSON type; None when there was none.
        new_value: The value after, of any JSON type; None when it was emptied.
        is_bulk_update_flag: Whether it was one of many changes made at once.
        log_time: When the change was made, in UTC.
        change_source: Where it was made, such as `app` or `api`.
        change_source_user_agent: The browser or program it was made with.
        origin: What made it, in newer answers.
        origin_id: The id of what made it.
        additional_data: The values as Pipedrive shows them.
    """

    kinds: ClassVar[tuple[str, ...]] = ("personChange", "dealChange", "organizationChange")

    id: int | None = None
    item_id: int | None = None
    user_id: int | None = None
    field_key: str
    old_value: Any = None
    new_value: Any = None
    is_bulk_update_flag: bool | None = None
    log_time: datetime | None = None
    change_source: str | None = None
    change_source_user_agent: str | None = None
    origin: str | None = None
    origin_id: str | None = None
    additional_data: FormattedValues | None = None
