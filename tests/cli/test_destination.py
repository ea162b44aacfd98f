"""A file is whole or not there; what cannot be written is told."""

from __future__ import annotations

import errno
import io
import os
import shlex
import signal
import stat
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pytest

from pipeflow.cli import destination
from pipeflow.cli.destination import Destination
from pipeflow.cli.signals import Interrupted
from pipeflow.testing import Disconnect, SeenRequest

if TYPE_CHECKING:
    from pipeflow.testing import FakePipedrive

    from .conftest import Run


def test_a_file_holds_what_stdout_would_show(flow: Run, tmp_path: Path) -> None:
    path = tmp_path / "flow.csv"
    outcome = flow(1101, "--format", "csv", "--output", path)
    assert outcome.exit_code == 0
    assert outcome.stdout == ""
    assert path.read_text("utf-8") == flow(1101, "--format", "csv").stdout
    assert list(tmp_path.iterdir()) == [path]


def test_a_dash_is_stdout(flow: Run) -> None:
    assert flow(1101, "--max-items", 3, "--output", "-").stdout.count("\n") == 4


def test_an_older_file_stays_until_the_new_one_is_whole(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    path = tmp_path / "flow.txt"
    path.write_text("the older one")
    seen: list[str] = []
    fake.on_request = lambda _: seen.append(path.read_text())
    flow(1101, "--output", path)
    assert seen == ["the older one"] * 3
    assert path.read_text("utf-8").startswith("Time (UTC)")


def test_a_new_file_has_the_usual_mode_and_an_older_one_keeps_its_own(
    flow: Run, tmp_path: Path
) -> None:
    new, older, usual = (tmp_path / name for name in ("new", "older", "usual"))
    usual.touch()
    older.touch()
    older.chmod(0o640)
    for path in (new, older):
        flow(1101, "--max-items", 1, "--output", path)
    assert new.stat().st_mode == usual.stat().st_mode
    assert stat.S_IMODE(older.stat().st_mode) == 0o640


def test_a_link_stays_a_link(flow: Run, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    flow(1101, "--max-items", 1, "--output", link)
    assert link.is_symlink()
    assert (tmp_path / "target").read_text("utf-8").startswith("Time (UTC)")


def test_a_folder_that_is_not_there_is_wrong_usage(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    outcome = flow(1101, "--output", tmp_path / "nowhere" / "flow.txt")
    assert outcome.exit_code == 2
    assert outcome.stderr.endswith("flow.txt: No such file or directory\n")
    assert fake.request_count == 0


def test_a_folder_is_no_file(flow: Run, tmp_path: Path) -> None:
    outcome = flow(1101, "--output", tmp_path)
    assert outcome.exit_code == 2
    assert "is a directory" in outcome.stderr


def part(page: int) -> list[Disconnect | None]:
    """Ends a walk after so many pages."""
    return [*[None] * page, Disconnect(), Disconnect()]


JSONL = (1101, "--page-size", 100, "--format", "jsonl")


@pytest.mark.usefixtures("no_backoff")
def test_what_was_written_before_a_failure_is_kept_and_gone_on_with(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    path = tmp_path / "the flow.jsonl"
    fake.script(*part(2))
    outcome = flow(*JSONL, "--output", path)
    assert outcome.exit_code == 1
    advice = outcome.stderr.split("kept: go on with ")[1]
    assert advice == f"--start 200 --append --output '{path}'\n"
    assert path.read_text("utf-8").count("\n") == 200
    fake.script(*part(1))
    again = flow(*JSONL, *shlex.split(advice)).stderr.split("kept: go on with ")[1]
    assert again == f"--start 300 --append --output '{path}'\n"
    assert flow(*JSONL, *shlex.split(again)).exit_code == 0
    assert path.read_text("utf-8") == flow(*JSONL).stdout
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("no_backoff")
def test_an_older_file_stays_beside_what_a_failure_left(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    path, beside = (tmp_path / name for name in ("flow.jsonl", "flow.jsonl.partial"))
    path.write_text("the older one")
    fake.script(*part(1))
    outcome = flow(*JSONL, "--output", path)
    assert outcome.stderr.endswith(f"go on with --start 100 --append --output {beside}\n")
    assert path.read_text() == "the older one"
    assert beside.read_text("utf-8").count("\n") == 100


@pytest.mark.parametrize("form", ["csv", "excel", "table"])
def test_going_on_writes_no_second_header(flow: Run, tmp_path: Path, form: str) -> None:
    path = tmp_path / "flow.csv"
    options = ("--excel",) if form == "excel" else ("--format", form)
    to_file = partial(flow, 1101, *options, "--append", "--output", path)
    to_file("--max-items", 100)
    to_file("--start", 100)
    assert path.read_text("utf-8") == flow(1101, *options).stdout


def test_going_on_on_stdout_writes_no_second_header(
    flow: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flow.csv"
    whole = flow(1101, "--format", "csv").stdout
    for options in (("--max-items", 100), ("--start", 100)):
        with path.open("a", encoding="utf-8") as appended:
            monkeypatch.setattr("sys.stdout", appended)
            assert flow(1101, "--format", "csv", *options).exit_code == 0
    assert path.read_text("utf-8") == whole


def test_stdout_with_something_in_it_has_a_header_when_a_walk_begins(
    flow: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flow.csv"
    path.write_text("# mine\n")
    with path.open("a", encoding="utf-8") as appended:
        monkeypatch.setattr("sys.stdout", appended)
        flow(1101, "--format", "csv", "--max-items", 1)
    assert path.read_text("utf-8").startswith("# mine\noffset,")


def test_a_file_that_ends_in_the_middle_of_a_line_is_not_gone_on_with(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    path = tmp_path / "flow.jsonl"
    path.write_text('{"offset": 0, "obj')
    outcome = flow(1101, "--append", "--output", path)
    assert outcome.exit_code == 2
    assert outcome.stderr == f"Error: --append: {path} ends in the middle of a line\n"
    assert fake.request_count == 0


class Full(io.StringIO):
    """A disk on which there is room for half of the second text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._texts = 0

    def write(self, text: str) -> int:
        self._texts += 1
        if self._texts == 2:
            self._stream.write(text[: len(text) // 2])
            self._stream.flush()
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()

    def fileno(self) -> int:
        return self._stream.fileno()


@pytest.mark.parametrize("older", ["", "older\n"])
def test_of_a_text_that_a_disk_has_no_room_for_nothing_is_kept(
    flow: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older: str
) -> None:
    path = tmp_path / "flow.jsonl"
    if older:
        path.write_text(older)
    opening = destination._open
    with monkeypatch.context() as patch:
        patch.setattr(destination, "_open", lambda *given: Full(opening(*given)))
        outcome = flow(*JSONL, "--append", "--output", path)
    assert outcome.exit_code == 1
    assert outcome.stderr == (
        "Error: the output cannot be written: No space left on device; "
        f"100 updates are kept: go on with --start 100 --append --output {path}\n"
    )
    assert path.read_text("utf-8") == older + flow(*JSONL, "--max-items", 100).stdout


def test_a_stdout_that_holds_half_a_page_is_not_gone_on_with(
    flow: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "flow.jsonl").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdout", Full(stream))
        outcome = flow(*JSONL)
    assert outcome.stderr == "Error: the output cannot be written: No space left on device\n"


@pytest.mark.usefixtures("no_backoff")
def test_a_file_that_is_gone_meanwhile_is_told(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    path = tmp_path / "flow.jsonl"
    path.touch()

    def fail_later(request: SeenRequest) -> Disconnect | None:
        if request.query["start"] == "0":
            return None
        path.unlink(missing_ok=True)
        return Disconnect()

    fake.on_request = fail_later
    outcome = flow(*JSONL, "--append", "--output", path)
    assert outcome.stderr == "Error: the output cannot be written: No such file or directory\n"


def test_a_stream_that_cannot_be_closed_is_told(
    flow: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.StringIO):
        def fileno(self) -> int:
            return stream.fileno()

        def close(self) -> None:
            raise OSError(errno.EIO, "Input/output error")

    with (tmp_path / "other").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(destination, "_open", lambda *given: Broken())
        outcome = flow(1101, "--max-items", 1, "--output", tmp_path / "flow.txt")
    assert outcome.exit_code == 1
    assert outcome.stderr == "Error: the output cannot be written: Input/output error\n"


def test_a_signal_ends_a_write_that_waits() -> None:
    class Waiting(io.StringIO):
        def flush(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    waiting = Destination(Waiting())
    with pytest.raises(Interrupted):
        waiting.write("text")
    assert waiting.is_cut


def test_a_name_that_becomes_a_folder_meanwhile_is_told(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    path = tmp_path / "flow.txt"
    fake.on_request = lambda _: path.mkdir()
    outcome = flow(1101, "--max-items", 1, "--output", path)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: the output cannot be written: ")
    assert list(tmp_path.iterdir()) == [path]


def test_a_named_pipe_is_written_to_and_stays(flow: Run, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(path.read_text("utf-8")))
    reader.start()
    outcome = flow(1101, "--max-items", 2, "--output", path)
    reader.join()
    assert outcome.exit_code == 0
    assert read[0].count("\n") == 3
    assert path.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_told(flow: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        outcome = flow(1101, "--max-items", 5)
    assert outcome.exit_code == 1
    assert outcome.stderr == "Error: the output cannot be written: No space left on device\n"


def test_a_stdout_that_is_no_file_is_written_to(flow: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.StringIO()
    monkeypatch.setattr("sys.stdout", stdout)
    assert flow(1101, "--max-items", 2).exit_code == 0
    assert stdout.getvalue().count("\n") == 3


def test_a_closed_stdout_is_wrong_usage(
    flow: Run, fake: FakePipedrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    outcome = flow(1101)
    assert outcome.exit_code == 2
    assert outcome.stderr == "Error: stdout is closed; give a file with --output\n"
    assert fake.request_count == 0


def test_letters_that_an_encoding_lacks_do_not_end_the_walk(
    flow: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", narrow)
    assert flow(1101, "--max-items", 100).exit_code == 0
    narrow.seek(0)
    assert "Jonas Ekstr?m" in narrow.read()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_programs_read_is_utf8_whatever_the_locale(
    flow: Run, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    written = io.BytesIO()
    stdout = io.TextIOWrapper(written, encoding="latin-1")
    monkeypatch.setattr("sys.stdout", stdout)
    assert flow(1101, "--max-items", 100, "--format", form).exit_code == 0
    assert "Jonas Ekström" in written.getvalue().decode("utf-8")
