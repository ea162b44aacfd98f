"""Walking a history and writing it down."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from attrs import frozen

from pipeflow.cli.failures import Failure, what_went_wrong
from pipeflow.errors import PipeflowError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from pipeflow.cli.destination import Destination
    from pipeflow.cli.formats import Format
    from pipeflow.observing.stats import SessionStats
    from pipeflow.session import PipedriveSession

__all__ = ["HistoryWriter"]


@frozen
class HistoryWriter:
    """Writes histories to a destination, page by page as they come.

    Attributes:
        format: How an update looks.
        destination: Where the text goes.
    """

    format: Format
    destination: Destination

    async def write_person(
        self,
        opening: AbstractAsyncContextManager[PipedriveSession],
        person_id: int,
        **options: Any,  # noqa: ANN401 - those of the walk
    ) -> SessionStats:
        """Writes a person's history and returns what it took.

        Raises:
            Failure: The walk broke off; the message says how to go on.
            click.exceptions.Exit: The reader of the destination has gone.
        """
        written = 0
        try:
            async with (
                opening as session,
                aclosing(session.iter_person_flow_pages(person_id, **options)) as pages,
            ):
                async for page in pages:
                    head = "" if written else self.format.head()
                    self.destination.write(head + self.format.lines(page.updates))
                    written += len(page.updates)
        except PipeflowError as error:
            reason = what_went_wrong(error, person_id=person_id)
            raise Failure(reason + self._how_to_go_on(error, written, options)) from error
        if not written:
            self.destination.write(self.format.head())
        return session.stats

    def _how_to_go_on(self, error: PipeflowError, written: int, options: dict[str, Any]) -> str:
        if not self.destination.keeps_parts:
            return "; no file was written"
        if not written or error.resume_start is None:
            return ""
        advice = f"; go on with --start {error.resume_start}"
        max_items = options.get("max_items")
        if max_items is not None:
            advice += f" --max-items {max_items - written}"
        return advice
