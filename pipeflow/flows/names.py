"""Asking the account for its names."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeflow.addresses import version_2_url
from pipeflow.errors import BlockedError, NotFoundError, PermissionDeniedError
from pipeflow.flows.keywords import explaining_keywords
from pipeflow.names.lists import LISTS, field_names, names_by_id, next_parameters
from pipeflow.names.values import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from yarl import URL

    from pipeflow.names.lists import NameList
    from pipeflow.reader import FlowReader

__all__ = ["NameMethods"]


_LISTS = {name_list.part: name_list for name_list in LISTS}


class NameMethods:
    """Names for what updates have as keys and ids."""

    _reader: FlowReader

    @explaining_keywords
    async def get_names(self, *, parts: Iterable[str] | None = None) -> Names:
        """Asks for the names of users, fields, options, stages and pipelines.

        ```python
        names = await pipedrive.get_names()
        print(update.summary(names))
        ```

        All parts together cost 100 tokens in six requests, unless an account has more than 500
        entries in one of them. Keep the names (`to_dict`, `Names.from_dict`) and ask again when
        they are old. You can cancel it at any time.

        Args:
            parts: What to ask for: `"users"`, `"person_fields"`, `"deal_fields"` and
                `"organization_fields"` (20 tokens each), `"stages"` and `"pipelines"` (10 each).
                None asks for all.

        Returns:
            The names. A part that the account refuses (403, or 404 where it has none) is empty, and
            `refused` says why.

        Raises:
            ValueError: There is no such part.
            PipeflowError: A part could not be read for another reason.
        """
        wanted = set(_LISTS) if parts is None else set(parts)
        if unknown := wanted - set(_LISTS):
            raise ValueError(
                f"there is no part {min(unknown)!r} of names; there are {', '.join(_LISTS)}"
            )
        lists = [_LISTS[part] for part in _LISTS if part in wanted]
        found = await asyncio.gather(*map(self._names_of, lists))
        refused = {part: reason for part, _, reason in found if reason is not None}
        names: dict[str, Any] = {part: names for part, names, _ in found}
        return Names(fetched_at=datetime.now(UTC), refused=refused, **names)

    async def _names_of(self, name_list: NameList) -> tuple[str, dict[Any, Any], str | None]:
        names: dict[Any, Any] = {}
        parameters = name_list.first_parameters
        read = field_names if name_list.part.endswith("_fields") else names_by_id
        try:
            while True:
                document = await self._reader.document(_url_of(name_list), parameters)
                names.update(read(document))
                parameters = next_parameters(document, parameters)
                if not parameters:
                    return name_list.part, names, None
        except (PermissionDeniedError, NotFoundError) as error:
            if isinstance(error, BlockedError):
                raise
            return name_list.part, {}, str(error)


def _url_of(name_list: NameList) -> Callable[[URL], URL]:
    def url_from(base_url: URL) -> URL:
        root = base_url if name_list.version == 1 else version_2_url(base_url)
        return root / name_list.path

    return url_from
