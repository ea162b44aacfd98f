"""Which kinds of update to ask for: the values of the `items` parameter."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FlowItem", "OrganizationFlowItem", "closest_item", "items_parameter"]


class FlowItem(StrEnum):
    """The 22 values of the `items` filter, as the reference of `getPersonUpdates` lists them.

    The `object` of an update need not equal the item that selected it: `change` is an umbrella,
    and `plannedActivity` comes back as `activity`.
    """

    CALL = "call"
    ACTIVITY = "activity"
    PLANNED_ACTIVITY = "plannedActivity"
    CHANGE = "change"
    NOTE = "note"
    DEAL = "deal"
    FILE = "file"
    DEAL_CHANGE = "dealChange"
    PERSON_CHANGE = "personChange"
    ORGANIZATION_CHANGE = "organizationChange"
    FOLLOWER = "follower"
    DEAL_FOLLOWER = "dealFollower"
    PERSON_FOLLOWER = "personFollower"
    ORGANIZATION_FOLLOWER = "organizationFollower"
    PARTICIPANT = "participant"
    COMMENT = "comment"
    MAIL_MESSAGE = "mailMessage"
    MAIL_MESSAGE_WITH_ATTACHMENT = "mailMessageWithAttachment"
    INVOICE = "invoice"
    DOCUMENT = "document"
    MARKETING_CAMPAIGN_STAT = "marketing_campaign_stat"
    MARKETING_STATUS_CHANGE = "marketing_status_change"

    @staticmethod
    def other(value: str) -> OtherItem:
        """An item that Pipedrive has introduced after this release, let through unchecked.

        Raises:
            ValueError: `value` is not one word of letters, digits, `_` or `-`.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
            raise ValueError(f"an item is one word of letters, digits, '_' or '-', not {value!r}")
        return OtherItem(value)


class OrganizationFlowItem(StrEnum):
    """The 13 values of the `items` filter of an organization's flow.

    As the reference of `getOrganizationUpdates` lists them. All but `activityFile` are in
    `FlowItem`, too.
    """

    ACTIVITY = "activity"
    PLANNED_ACTIVITY = "plannedActivity"
    NOTE = "note"
    FILE = "file"
    CHANGE = "change"
    DEAL = "deal"
    FOLLOWER = "follower"
    PARTICIPANT = "participant"
    MAIL_MESSAGE = "mailMessage"
    MAIL_MESSAGE_WITH_ATTACHMENT = "mailMessageWithAttachment"
    INVOICE = "invoice"
    ACTIVITY_FILE = "activityFile"
    DOCUMENT = "document"


class OtherItem(str):
    """An item that is not in `FlowItem`, made by `FlowItem.other`."""

    __slots__ = ()


def items_parameter(
    items: str | Iterable[str] | None, legal: type[StrEnum] = FlowItem
) -> str | None:
    """The value of the `items` query parameter, each item once, in the order given.

    Takes an iterable of strings or `FlowItem`, or one comma-separated string; None asks for
    everything.

    Raises:
        ValueError: An item is unknown (the message names the closest legal one), or there is none.
        TypeError: `items`, or one of them, is of another type.
    """
    if items is None:
        return None
    if isinstance(items, StrEnum | OtherItem):
        return _legal_item(items, legal)
    if isinstance(items, str):
        items = [part.strip() for part in items.split(",") if part.strip()]
    elif isinstance(items, bytes):
        raise TypeError("items must be strings or FlowItem values, not bytes")
    try:
        wanted = list(dict.fromkeys(_legal_item(item, legal) for item in items))
    except TypeError as error:
        raise TypeError(
            f"items must be an iterable of strings or FlowItem values: {error}"
        ) from error
    if not wanted:
        raise ValueError(
            "items is empty, which would ask for everything; leave it out (items=None) for that"
        )
    return ",".join(wanted)


def _legal_item(item: object, legal: type[StrEnum]) -> str:
    if isinstance(item, OtherItem):
        return str(item)
    if not isinstance(item, str):
        raise TypeError(f"{item!r} is not a string")
    try:
        return str(legal(item))
    except ValueError:
        pass
    raise ValueError(
        f"items has no value {item!r}; did you mean {closest_item(item, legal).value!r}? "
        f"A value newer than this release goes through as FlowItem.other({item!r})"
    )


def closest_item(name: str, legal: type[StrEnum] = FlowItem) -> StrEnum:
    """The item that a misspelt one most likely means, whatever its case and dashes."""
    import difflib  # noqa: PLC0415 - for the message of an error alone

    by_folded_name = {item.replace("_", "").lower(): item for item in legal}
    folded = name.replace("_", "").replace("-", "").lower()
    (closest,) = difflib.get_close_matches(folded, by_folded_name, n=1, cutoff=0.0)
    return by_folded_name[closest]
