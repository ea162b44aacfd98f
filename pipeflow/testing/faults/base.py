"""What a fault is, and how two of them make one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from pipeflow.testing.answers import Answer, PageQuery
    from pipeflow.testing.controls import Controls
    from pipeflow.testing.requests import SeenRequest

__all__ = ["Fault"]


class Fault:
    """The base of all faults; by itself it changes nothing."""

    def act(self, fake: Controls, request: SeenRequest) -> None:
        """Do something to the server before it looks for the page."""

    def ask(self, query: PageQuery) -> PageQuery:
        """Turn the page that is asked for into another."""
        return query

    def answer(self, answer: Answer) -> Answer:
        """Turn the answer into another."""
        return answer

    def __add__(self, other: Fault) -> Fault:
        return _Both(self, other)


@frozen
class _Both(Fault):
    first: Fault
    second: Fault

    def act(self, fake: Controls, request: SeenRequest) -> None:
        self.first.act(fake, request)
        self.second.act(fake, request)

    def ask(self, query: PageQuery) -> PageQuery:
        return self.second.ask(self.first.ask(query))

    def answer(self, answer: Answer) -> Answer:
        return self.second.answer(self.first.answer(answer))
