"""Walking a history and writing it down."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from attrs import define

from pipeflow.cli.failures import Failure, exit_code_of, what_went_wrong
from pipeflow.cli.signals import Interrupted
from pipeflow.errors import PipeflowError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from pipeflow.cli.destination import Destination
    from pipeflow.cli.formats import Format
    from pipeflow.observing.stats import SessionStats
    from pipeflow.session import PipedriveSession

__all__ = ["HistoryWriter"]


@define
class HistoryWriter:
    """Writes a history to a destination, page by page as it comes.

    Attributes:
        format: How an update looks.
        destination: Where the text goes.
        advice: After a walk that was broken off: how to go on, to be added to what is said.
    """

    format: Format
    destination: Destination
    advice: str = ""
    _written: int = 0
    _next_start: int = 0

    async def write_person(
        self,
        opening: AbstractAsyncContextManager[PipedriveSession],
        person_id: int,
        *,
        base_url: str | None,
        max_items: int | None,
        **options: Any,  # noqa: ANN401 - those of the walk
    ) -> SessionStats:
        """Writes a person's history and returns what it took.

        Raises:
            Failure: The walk broke off; the message says how to go on.
            click.exceptions.Exit: The reader of the destination has gone.
        """
        try:
            async with (
                opening as session,
                aclosing(
                    session.iter_person_flow_pages(person_id, max_items=max_items, **options)
                ) as pages,
            ):
                async for page in pages:
                    self.destination.write(self._head() + self.format.lines(page.updates))
                    self._written += len(page.updates)
                    ends = (update.offset + 1 for update in page.updates)
                    self._next_start = max(ends, default=self._next_start)
        except PipeflowError as error:
            self._next_start = error.resume_start or self._next_start
            self._break_off(max_items)
            reason = what_went_wrong(error, person_id=person_id, base_url=base_url)
            raise Failure(self._told(reason), exit_code=exit_code_of(error)) from error
        except Failure as failure:
            self._break_off(max_items)
            raise Failure(self._told(failure.message)) from failure
        except (asyncio.CancelledError, Interrupted):
            self._break_off(max_items)
            raise
        self.destination.write(("" if self._written else self._head()) + self.format.tail())
        return session.stats

    def _head(self) -> str:
        return "" if self._written or self.destination.is_begun else self.format.head()

    def _told(self, reason: str) -> str:
        return f"{reason}; {self.advice}" if self.advice else reason

    def _break_off(self, max_items: int | None) -> None:
        if not self._written:
            return
        if not self.format.is_by_line:
            self.destination.write(self.format.tail())
        path = self.destination.keep()
        if self.destination.is_cut:
            return
        if not self.format.is_by_line:
            self.advice = f"the page shows the first {self._written:,}"
            self.advice += "" if path is None else f": {shlex.quote(str(path))}"
            return
        self.advice = f"go on with --start {self._next_start}"
        if max_items is not None:
            self.advice += f" --max-items {max_items - self._written}"
        if path is not None:
            kept = f"{self._written:,} {'update is' if self._written == 1 else 'updates are'} kept"
            self.advice = f"{kept}: {self.advice} --append --output {shlex.quote(str(path))}"
