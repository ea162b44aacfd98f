"""Collections that change under a walk, and pages that are not the ones asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from pipeflow.testing.faults.base import Fault

if TYPE_CHECKING:
    from pipeflow.testing.answers import PageQuery
    from pipeflow.testing.controls import Controls
    from pipeflow.testing.requests import SeenRequest

__all__ = ["ClampPages", "InsertRecord", "MissingNextStart", "RemoveRecord", "StuckPage"]


@frozen
class StuckPage(Fault):
    """The page at `start`, whatever was asked for.

    `fake.on_request = lambda request: StuckPage()` is a server that never advances.
    """

    start: int = 0

    def ask(self, query: PageQuery) -> PageQuery:
        """Go back to `start`."""
        return evolve(query, start=self.start)


@frozen
class MissingNextStart(Fault):
    """A page without `next_start`, as in the published examples."""

    def ask(self, query: PageQuery) -> PageQuery:
        """Leave `next_start` out."""
        return evolve(query, next_start=False)


@frozen
class ClampPages(Fault):
    """From now on no page has more than `size` updates: `fake.max_page_size = size`."""

    size: int

    def act(self, fake: Controls, request: SeenRequest) -> None:  # noqa: ARG002 - the base's
        """Lower the maximum."""
        fake.max_page_size = self.size


@frozen
class InsertRecord(Fault):
    """A record appears in the history that is asked for, just before the answer."""

    record: object = field(hash=False)
    index: int = 0

    def act(self, fake: Controls, request: SeenRequest) -> None:
        """Insert the record."""
        fake.insert(self.record, index=self.index, **request.whose)


@frozen
class RemoveRecord(Fault):
    """A record (or the one at an index) disappears from the history that is asked for."""

    index_or_record: object = field(default=0, hash=False)

    def act(self, fake: Controls, request: SeenRequest) -> None:
        """Remove the record."""
        fake.remove(self.index_or_record, **request.whose)
