"""A file is whole or not there; what cannot be written is told."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
