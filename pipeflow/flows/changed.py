"""Whose history may have changed: for programs that keep a copy of a whole account."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from pipeflow.addresses import version_2_url
from pipeflow.arguments import check_moment
from pipeflow.errors import DecodeError, PaginationError
from pipeflow.flows.keywords import explaining_keywords

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from pipeflow.reader import FlowReader
    from pipeflow.records.json_text import Json

__all__ = ["ChangeMethods"]


class ChangeMethods:
    """Whose history to look at first."""

    _reader: FlowReader

    @explaining_keywords
    def iter_changed_persons(self, since: datetime) -> AsyncGenerator[int, None]:
        """Yields the ids of the persons that were changed at a moment or later, each once.

        ```python
        changed = pipedrive.iter_changed_persons(since)
        async for id, update in pipedrive.iter_person_flows(changed, since=since):
            ...
        ```

        The one changed longest ago comes first. A request costs 10 tokens and brings 500 persons,
        where one for a person's flow costs 40.

        It is a hint, not a proof: Pipedrive does not publish whether each new note, mail or
        activity counts as a change of its person. Look at everybody now and then.

        Nothing is sent before the first id is asked for. You can leave the loop, or cancel it, at
        any time. Ids seen are kept in memory until it ends.

        Args:
            since: The aware moment, by Pipedrive's clock. Next time, give the moment at which this
                walk began, and a few minutes less: what changes meanwhile may not be in it.

        Raises:
            ValueError: At the call: the moment has no time zone.
            TypeError: At the call: it is not a datetime.
            PipeflowError: In the loop: a part of the list could not be read.
        """
        check_moment("since", since)
        return self._changed_persons(since)

    async def _changed_persons(self, since: datetime) -> AsyncGenerator[int, None]:
        moment = since.astimezone(UTC).replace(microsecond=0, tzinfo=None)
        parameters = {
            "updated_since": f"{moment.isoformat()}Z",
            "sort_by": "update_time",
            "sort_direction": "asc",
            "limit": "500",
        }
        seen: set[int] = set()
        cursors: set[str] = set()
        while True:
            document = await self._reader.document(
                lambda base_url: version_2_url(base_url) / "persons", parameters
            )
            for person_id in _ids(document.get("data")):
                if person_id not in seen:
                    seen.add(person_id)
                    yield person_id
            cursor = _next_cursor(document.get("additional_data"))
            if cursor is None:
                return
            if cursor in cursors:
                raise PaginationError("the list of changed persons does not advance")
            cursors.add(cursor)
            parameters["cursor"] = cursor


def _ids(entries: Json) -> list[int]:
    if not isinstance(entries, list | None):
        raise DecodeError("the list of changed persons is not a list")
    return [
        entry["id"]
        for entry in entries or ()
        if isinstance(entry, dict) and type(entry.get("id")) is int
    ]


def _next_cursor(beside: Json) -> str | None:
    cursor = beside.get("next_cursor") if isinstance(beside, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None
