"""The end of every command: its message, its exit code, and neither where nobody listens."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

import click

from pipeflow.cli.failures import READER_GONE
from pipeflow.cli.signals import Interrupted

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["QuietGroup", "discard_unwritten"]


class QuietGroup(click.Group):
    """Commands that end quietly when they are interrupted, or when nobody reads their messages.

    click ends both with 1, as if something had failed.
    """

    def make_context(self, *args: Any, **options: Any) -> click.Context:  # noqa: ANN401 - click's
        """Reads the options of the group; its help is printed meanwhile."""
        with _quiet():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click says
        """Runs a command."""
        with _quiet():
            return super().invoke(ctx)


@contextmanager
def _quiet() -> Generator[None, None, None]:
    try:
        try:
            yield
        except click.ClickException as failure:
            failure.show()
            raise click.exceptions.Exit(failure.exit_code) from failure
        except KeyboardInterrupt as error:
            number = error.signal if isinstance(error, Interrupted) else signal.SIGINT
            raise click.exceptions.Exit(128 + number) from error
    except BrokenPipeError as error:
        for stream in (sys.stdout, sys.stderr):
            discard_unwritten(stream)
        failed = error.__context__
        code = failed.exit_code if isinstance(failed, click.ClickException) else READER_GONE
        raise click.exceptions.Exit(code) from error


def discard_unwritten(stream: TextIO) -> None:
    """Spares the closing of the stream a second failure, which Python would report by itself."""
    with suppress(OSError):  # a stream that is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
