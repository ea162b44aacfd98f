"""What happens in an account, as one value: webhooks are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import field, frozen

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Action", "Happening"]

Action: TypeAlias = Literal["added", "changed", "deleted", "merged"]


@frozen
class Happening:
    """Something that has happened to a record, or to a person, deal or organization.

    Attributes:
        action: What.
        kind: The kind of the record, such as `note`, or of the owner, such as `person`.
        id: Its id.
        at: When, UTC.
        owners: In whose histories it shows: `("person", 7)` and so on.
        before: What the record held before; None when it is new.
        after: What it holds now; None when it is gone. After a merge, into what it went.
    """

    action: Action
    kind: str
    id: object = field(hash=False)
    at: datetime
    owners: tuple[tuple[str, int], ...]
    before: dict[str, Any] | None = field(default=None, hash=False, repr=False)
    after: dict[str, Any] | None = field(default=None, hash=False, repr=False)
