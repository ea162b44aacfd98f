"""When a walk gives up, since the history does not advance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeflow.errors import PaginationError
from pipeflow.walking.identity import identity
from pipeflow.walking.seen import REMEMBERED_RECORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeflow.records import FlowPage
    from pipeflow.walking.identity import Identity

__all__ = ["PATIENCE", "Standstill"]

PATIENCE = 5
"""Barren pages in a row after which the walk may give up. More than one is legitimate: when many
records appear during a walk, pages shift by more than a page."""


class Standstill:
    """Tells a history that does not advance from one that has only shifted by many pages."""

    def __init__(self) -> None:
        self._yielded = 0
        self._reached = 0
        self._barren = 0
        self._same = 0
        self._latest: list[Identity | None] | None = None
        self._read_again = 0

    def check(self, page: FlowPage, yielded: Sequence[FlowPage], end: int) -> None:
        """Counts a page that claims that more follow, and what of it was yielded.

        Raises:
            PaginationError: Five pages in a row held nothing new, and they were the same page, or
                held more than twice of what was ever yielded.
        """
        advanced = end - self._reached
        self._reached = end
        if yielded:
            self._yielded += sum(len(page.updates) for page in yielded)
            self._barren = self._same = self._read_again = 0
            self._latest = None
            return
        names = [identity(update) for update in page.updates]
        # (Pages of records without an id can look the same and be others.)
        is_same = names == self._latest and (any(names) or not names)
        self._same = self._same + 1 if is_same else 1
        self._latest = names
        self._barren += 1
        self._read_again += min(max(advanced, 0), len(names))
        most = 2 * min(self._yielded, 2 * REMEMBERED_RECORDS)
        if self._same >= PATIENCE or (self._barren >= PATIENCE and self._read_again > most):
            raise PaginationError(
                f"the collection does not advance: {self._barren} pages in a row up to offset "
                f"{end} held no new update, though each claimed that more follow",
                resume_start=end,
            )
