"""Where the output goes: to stdout, or to a file that gets its name once all of it is there."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import stat
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from attrs import define, field

from pipeflow.cli.closed_pipes import discard_unwritten
from pipeflow.cli.failures import READER_GONE, Failure, WrongUsage
from pipeflow.cli.signals import Interrupted, interruptible

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TextIO

__all__ = ["STDOUT", "Destination", "open_destination"]

STDOUT = Path("-")


@define
class Destination:
    """An open stream whose failures are ours: stdout.

    Attributes:
        stream: What is written to; formats look here whether it is a terminal.
        is_begun: Whether an earlier command has written to it, so that it needs no header.
        is_cut: Whether a write has failed, so that the last text may be there in part.
    """

    stream: TextIO
    is_begun: bool = False
    is_cut: bool = False

    def write(self, text: str) -> None:
        """Writes, and passes it on at once.

        Raises:
            click.exceptions.Exit: The reader has gone.
            Failure: The text cannot be written.
            Interrupted: A signal came while the reader let it wait.
        """
        try:
            with interruptible():
                self.stream.write(text)
                self.stream.flush()
        except (OSError, Interrupted) as error:
            self.is_cut = True
            discard_unwritten(self.stream)
            if isinstance(error, BrokenPipeError):
                raise click.exceptions.Exit(READER_GONE) from error
            if isinstance(error, OSError):
                raise _not_written(error) from error
            raise

    def finish(self) -> None:
        """Called when all of it is written."""

    def keep(self) -> Path | None:
        """Called when not all of it can be written: keeps the whole texts that are.

        Returns the file that holds them, and None for a stream that has passed them on.
        """
        return None

    def close(self) -> None:
        """Called in the end, and however it ended."""


@define
class _Stream(Destination):
    """A device or a named pipe."""

    def finish(self) -> None:
        try:
            self.stream.close()
        except OSError as error:
            raise _not_written(error) from error

    def close(self) -> None:
        with suppress(OSError):
            self.stream.close()


@define
class _AppendedFile(_Stream):
    """A file to which is added.

    Attributes:
        given: The name that the user gave.
        path: The file.
        size: Its size without a text that was written in part.
    """

    given: Path = field(kw_only=True)
    path: Path = field(kw_only=True)
    size: int = field(kw_only=True)

    def write(self, text: str) -> None:
        super().write(text)
        self.size = os.fstat(self.stream.fileno()).st_size

    def keep(self) -> Path:
        _Stream.close(self)
        try:
            os.truncate(self.path, self.size)
        except OSError as error:
            raise _not_written(error) from error
        self.is_cut = False
        return self.given


@define
class _NewFile(_AppendedFile):
    """A file that gets its name in the end.

    Attributes:
        target: The name.
    """

    target: Path = field(kw_only=True)

    def finish(self) -> None:
        super().finish()
        self._rename(self.target)

    def keep(self) -> Path:
        super().keep()
        if not self.target.exists():
            self._rename(self.target)
            return self.given
        beside = self.target.with_name(f"{self.target.name}.partial")
        self._rename(beside)
        return beside

    def close(self) -> None:
        super().close()
        self.path.unlink(missing_ok=True)

    def _rename(self, name: Path) -> None:
        try:
            if name.exists():
                shutil.copymode(name, self.path)
            self.path.replace(name)
        except OSError as error:
            raise _not_written(error) from error


@contextmanager
def open_destination(
    path: Path, *, encoding: str | None, append: bool = False, going_on: bool = False
) -> Generator[Destination, None, None]:
    """Opens stdout (`-`) or a file for writing.

    A regular file appears under its name when the block ends well, in one step and with all that
    was written, and an older one of that name stays until then. A device or a named pipe is
    written to as it is.

    Args:
        path: The file.
        encoding: Of stdout; None is the terminal's own. Files are UTF-8.
        append: Whether to add to the file, if there is one.
        going_on: Whether this goes on with an earlier walk. A stdout that is a file with something
            in it, as after `>>`, is then begun.

    Raises:
        WrongUsage: The file cannot be opened.
        Failure: The file cannot be written to its end, or not put in its place.
    """
    try:
        destination = _opened(path, encoding, append=append, going_on=going_on)
    except OSError as error:
        raise WrongUsage(f"--output {path}: {error.strerror}") from error
    try:
        yield destination
        destination.finish()
    finally:
        destination.close()


def _opened(path: Path, encoding: str | None, *, append: bool, going_on: bool) -> Destination:
    if path == STDOUT:
        stdout = _stdout(encoding)
        return Destination(stdout, is_begun=going_on and _size_of_file(stdout) > 0)
    target = path.resolve()
    if target.exists() and not target.is_file():
        with interruptible():  # a named pipe is waited for until somebody reads it
            return _Stream(_open(target, "w"))
    if append and target.exists():
        size = target.stat().st_size
        if size and not _ends_with_a_line(target):
            raise WrongUsage(f"--append: {path} ends in the middle of a line")
        stream = _open(target, "a")
        return _AppendedFile(stream, is_begun=size > 0, given=path, path=target, size=size)
    part = target.with_name(f".pipeflow-{secrets.token_hex(4)}.part")
    return _NewFile(_open(part, "x"), given=path, path=part, size=0, target=target)


def _open(path: Path, mode: str) -> TextIO:
    return cast("TextIO", path.open(mode, encoding="utf-8", newline="\n"))


def _ends_with_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _size_of_file(stream: TextIO) -> int:
    """How much is in the file behind a stream; 0 for a terminal, a pipe or no file at all."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _stdout(encoding: str | None) -> TextIO:
    if sys.stdout is None:  # closed by the shell: `>&-`
        raise WrongUsage("stdout is closed; give a file with --output")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that a terminal's encoding lacks is no reason to fail halfway.
        sys.stdout.reconfigure(encoding=encoding, errors="replace")
    return sys.stdout


def _not_written(error: OSError) -> Failure:
    return Failure(f"the output cannot be written: {error.strerror or error}")
