"""Where the output goes: to stdout, or to a file that is whole or not there."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import frozen

from pipeflow.cli.failures import READER_GONE, Failure, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TextIO

__all__ = ["STDOUT", "Destination", "open_destination"]

STDOUT = Path("-")


@frozen
class Destination:
    """An open stream whose failures are ours.

    Attributes:
        stream: What is written to; formats look here whether it is a terminal.
        keeps_parts: Whether what was written stays when a later write, or the walk, fails.
    """

    stream: TextIO
    keeps_parts: bool

    def write(self, text: str) -> None:
        """Writes, and passes it on at once.

        Raises:
            click.exceptions.Exit: The reader has gone.
            Failure: The text cannot be written.
        """
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError as error:
            _forget_unwritten(self.stream)
            if isinstance(error, BrokenPipeError):
                raise click.exceptions.Exit(READER_GONE) from error
            raise _not_written(error) from error


@contextmanager
def open_destination(path: Path, *, encoding: str | None) -> Generator[Destination, None, None]:
    """Opens stdout (`-`) or a file for writing.

    A regular file appears under its name when the block ends well, in one step and with all that
    was written, and an older one of that name stays until then. A device or a named pipe is
    written to as it is.

    Args:
        path: The file.
        encoding: Of stdout; None is the terminal's own. Files are UTF-8.

    Raises:
        WrongUsage: The file cannot be opened.
        Failure: The file cannot be put in its place.
    """
    if path == STDOUT:
        yield Destination(_stdout(encoding), keeps_parts=True)
        return
    target = path.resolve()
    in_place = target.exists() and not target.is_file()
    part = target if in_place else target.with_name(f".pipeflow-{secrets.token_hex(4)}.part")
    try:
        stream = part.open("w" if in_place else "x", encoding="utf-8", newline="\n")
    except OSError as error:
        raise WrongUsage(f"--output {path}: {error.strerror}") from error
    try:
        with stream:
            yield Destination(stream, keeps_parts=in_place)
            try:
                stream.close()
                if not in_place:
                    _put_in_place(part, target)
            except OSError as error:
                raise _not_written(error) from error
    finally:
        if not in_place:
            part.unlink(missing_ok=True)


def _put_in_place(part: Path, target: Path) -> None:
    if target.exists():
        shutil.copymode(target, part)
    part.replace(target)


def _stdout(encoding: str | None) -> TextIO:
    if sys.stdout is None:  # closed by the shell: `>&-`
        raise WrongUsage("stdout is closed; give a file with --output")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that a terminal's encoding lacks is no reason to fail halfway.
        sys.stdout.reconfigure(encoding=encoding, errors="replace")
    return sys.stdout


def _not_written(error: OSError) -> Failure:
    return Failure(f"the output cannot be written: {error.strerror or error}")


def _forget_unwritten(stream: TextIO) -> None:
    """Spares the closing of the stream a second failure, which Python would report by itself."""
    with suppress(OSError):  # a stream that is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
