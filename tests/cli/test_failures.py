"""What fails ends with one line, exit code 1 and, in the middle of a walk, how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.testing import Disconnect, FakePipedrive, Status

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

pytestmark = pytest.mark.usefixtures("no_backoff")


def test_an_unknown_person_is_one_line(flow: Run) -> None:
    outcome = flow(7)
    assert outcome.exit_code == 1
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("Error: there is no person 7: 404 Person not found")
    assert outcome.stderr.count("\n") == 1


def test_a_wrong_token_is_one_line_without_the_token(
    flow: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "a-wrong-token")
    outcome = flow(1101)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(
        "Error: the token in PIPEDRIVE_API_TOKEN was not accepted: 401 unauthorized access"
    )
    assert outcome.stderr.count("\n") == 1
    assert "a-wrong-token" not in outcome.stderr


def test_no_network_is_one_line(
    run: Run, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "0123456789abcdef")
    outcome = run("flow", 1101, "--base-url", f"http://127.0.0.1:{unused_port}/v1")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: no whole answer from 127.0.0.1 in 2 attempts")
    assert outcome.stderr.count("\n") == 1
    assert "0123456789abcdef" not in outcome.stderr


def test_a_walk_that_breaks_off_says_where_to_go_on(flow: Run, fake: FakePipedrive) -> None:
    fake.script(None, Disconnect(), Disconnect())
    outcome = flow(1101, "--page-size", 100, "--format", "jsonl")
    assert outcome.exit_code == 1
    assert outcome.stdout.count("\n") == 100
    assert outcome.stderr.endswith("; go on with --start 100\n")
    assert outcome.stderr.count("\n") == 1


def test_going_on_counts_what_is_still_wanted(flow: Run, fake: FakePipedrive) -> None:
    fake.script(None, Disconnect(), Disconnect())
    outcome = flow(1101, "--page-size", 100, "--max-items", 250)
    assert outcome.stderr.endswith("; go on with --start 100 --max-items 150\n")


def test_the_two_halves_of_a_broken_walk_are_the_whole(flow: Run, fake: FakePipedrive) -> None:
    jsonl = (1101, "--page-size", 100, "--format", "jsonl")
    fake.script(None, Disconnect(), Disconnect())
    first = flow(*jsonl)
    second = flow(*jsonl, "--start", 100)
    assert first.stdout + second.stdout == flow(*jsonl).stdout


def test_a_failed_walk_leaves_no_file(flow: Run, fake: FakePipedrive, tmp_path: Path) -> None:
    fake.script(None, Disconnect(), Disconnect())
    outcome = flow(1101, "--page-size", 100, "--output", tmp_path / "flow.txt")
    assert outcome.exit_code == 1
    assert outcome.stderr.endswith("; no file was written\n")
    assert list(tmp_path.iterdir()) == []


def test_the_reason_a_server_gives_cannot_steer_the_terminal(
    flow: Run, fake: FakePipedrive
) -> None:
    fake.script(Status(400, {"success": False, "error": "\x1b[2Jgone\nError: \u202eno"}))
    outcome = flow(1101)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: 400 \ufffd[2Jgone Error: no [correlation id ")
    assert outcome.stderr.count("\n") == 1
