"""Comments on notes."""

from datetime import datetime
from typing import ClassVar

import attrs

from pipeflow.records.values import Record

__all__ = ["Comment"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Comment(Record):
    """A comment on a note.

    From Pipedrive's reference of the note comments (`getNoteComments`); the flow endpoints publish
    no example.

    Attributes:
        uuid: The id of the comment, a UUID.
        active_flag: Whether it is there; False when it was deleted.
        add_time: When it was written, in UTC.
        update_time: When it was last changed, in UTC.
        content: The text, as HTML.
        object_id: The id of the note, as a string.
        object_type: `note`.
        user_id: The id of the user who wrote it.
        updater_id: The id of the user who changed it last.
        company_id: The id of the Pipedrive account.
    """

    kinds: ClassVar[tuple[str, ...]] = ("comment",)

    uuid: str | None = None
    active_flag: bool | None = None
    add_time: datetime | None = None
    update_time: datetime | None = None
    content: str | None = None
    object_id: int | str | None = None
    object_type: str | None = None
    user_id: int | None = None
    updater_id: int | None = None
    company_id: int | None = None
