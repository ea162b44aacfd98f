"""Trouble on the way to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from pipeflow.testing.answers import Answer, Ending
from pipeflow.testing.faults.base import Fault

if TYPE_CHECKING:
    from pipeflow.testing.controls import Controls
    from pipeflow.testing.requests import SeenRequest

__all__ = ["Delay", "Disconnect", "Outage", "Reset", "Stall"]


@frozen
class Delay(Fault):
    """The first byte of the answer comes `seconds` later."""

    seconds: float

    def answer(self, answer: Answer) -> Answer:
        """Add to the delay."""
        return evolve(answer, delay=answer.delay + self.seconds)


@frozen
class Stall(Fault):
    """Silence for ever, until the client or the server closes the connection.

    Args:
        after: How many bytes of the body come first, after the headers; None for no byte at all.
    """

    after: int | None = None

    def answer(self, answer: Answer) -> Answer:
        """Cut the answer short."""
        return evolve(answer, ending=Ending.STALL, cut=self.after)


@frozen
class Disconnect(Fault):
    """The connection closes too early.

    Args:
        after: How many bytes of the body come first, after the headers; None for no byte at all.
        chunked: Send these bytes as a chunk; otherwise `Content-Length` promises the whole body.
    """

    after: int | None = None
    chunked: bool = False

    def answer(self, answer: Answer) -> Answer:
        """Cut the answer short."""
        chunked = answer.chunked or self.chunked
        return evolve(answer, ending=Ending.CLOSE, cut=self.after, chunked=chunked)


@frozen
class Reset(Fault):
    """The connection is reset (TCP RST) instead of closed; `after` as in `Disconnect`."""

    after: int | None = None

    def answer(self, answer: Answer) -> Answer:
        """Cut the answer short."""
        return evolve(answer, ending=Ending.RESET, cut=self.after)


@frozen
class Outage(Fault):
    """Every connection is reset, and for `seconds` new ones are refused."""

    seconds: float = 0.05

    def act(self, fake: Controls, request: SeenRequest) -> None:  # noqa: ARG002 - the base's
        """Stop listening."""
        fake.go_away(self.seconds)

    def answer(self, answer: Answer) -> Answer:
        """Never answer."""
        # The connection is reset with all others, once the server has stopped listening.
        return evolve(answer, ending=Ending.STALL, cut=None)
