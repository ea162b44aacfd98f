"""How a command ends when somebody ends it: Ctrl-C, and a reader that has gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeflow.testing import Delay, FakePipedrive, SeenRequest, Stall

if TYPE_CHECKING:
    from .conftest import Run

COMMAND = [sys.executable, "-W", "error", "-m", "pipeflow.cli"]
SOURCES = Path(__file__).parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(fake: FakePipedrive) -> Start:
    """Starts `pipeflow` as a program of its own, with that fake's token."""

    def start_process(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PIPEDRIVE_API_TOKEN": fake.api_token, "PYTHONPATH": str(SOURCES)},
        )

    return start_process


def test_a_program_prints_a_history_and_ends_well(start: Start, fake: FakePipedrive) -> None:
    process = start("flow", 1101, "--base-url", fake.base_url)
    stdout, stderr = process.communicate()
    assert stdout.count("\n") == 1201
    assert stderr == "1,200 updates in 3 requests (120 tokens)\n"
    assert process.returncode == 0


def test_a_reader_that_goes_ends_the_program_quietly(start: Start, fake: FakePipedrive) -> None:
    process = start("flow", 1101, "--base-url", fake.base_url)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("Time (UTC)")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 141


def test_ctrl_c_ends_the_program_without_a_traceback(start: Start, fake: FakePipedrive) -> None:
    process = start("flow", 1101, "--base-url", fake.base_url)

    def interrupt(request: SeenRequest) -> Stall | None:
        if request.query["start"] == "0":
            return None
        process.send_signal(signal.SIGINT)
        return Stall()

    fake.on_request = interrupt
    stdout, stderr = process.communicate()
    assert process.returncode == 130
    assert stdout.count("\n") == 501
    assert stderr == ""


def test_ctrl_c_leaves_no_file(flow: Run, fake: FakePipedrive, tmp_path: Path) -> None:
    def interrupt(request: SeenRequest) -> Delay | None:
        if request.query["start"] == "0":
            return None
        os.kill(os.getpid(), signal.SIGINT)
        return Delay(30.0)

    fake.on_request = interrupt
    outcome = flow(1101, "--output", tmp_path / "flow.txt")
    assert outcome.exit_code == 130
    assert outcome.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_is_exit_code_141(flow: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        outcome = flow(1101)
    assert outcome.exit_code == 141
    assert outcome.stderr == ""
