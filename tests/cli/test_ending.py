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

from pipeflow.cli import destination
from pipeflow.testing import Delay, FakePipedrive, SeenRequest, Stall

if TYPE_CHECKING:
    from .conftest import Run

COMMAND = [sys.executable, "-W", "error", "-m", "pipeflow.cli"]
LONGEST = 30.0
SOURCES = Path(__file__).parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(fake: FakePipedrive) -> Start:
    """Starts `pipeflow` as a program of its own, with that fake's token."""

    def start_process(*arguments: object, ignoring: str = "") -> subprocess.Popen[str]:
        shell = ["sh", "-c", f"trap '' {ignoring}; exec \"$@\"", "-"] if ignoring else []
        return subprocess.Popen(
            [*shell, *COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PIPEDRIVE_API_TOKEN": fake.api_token, "PYTHONPATH": str(SOURCES)},
        )

    return start_process


def test_a_program_prints_a_history_and_ends_well(start: Start, fake: FakePipedrive) -> None:
    process = start("flow", 1101, "--base-url", fake.base_url)
    stdout, stderr = process.communicate(timeout=LONGEST)
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
    assert process.wait(LONGEST) == 141


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_program_and_says_how_to_go_on(
    start: Start, fake: FakePipedrive, number: signal.Signals
) -> None:
    process = start("flow", 1101, "--base-url", fake.base_url)

    def interrupt(request: SeenRequest) -> Stall | None:
        if request.query["start"] == "0":
            return None
        process.send_signal(number)
        return Stall()

    fake.on_request = interrupt
    stdout, stderr = process.communicate(timeout=LONGEST)
    assert process.returncode == 128 + number
    assert stdout.count("\n") == 501
    assert stderr == "Stopped; go on with --start 500\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_the_whole_pages_of_a_file(
    flow: Run, fake: FakePipedrive, tmp_path: Path, number: signal.Signals
) -> None:
    def interrupt(request: SeenRequest) -> Delay | None:
        if request.query["start"] == "0":
            return None
        os.kill(os.getpid(), number)
        return Delay(30.0)

    fake.on_request = interrupt
    path = tmp_path / "flow.txt"
    outcome = flow(1101, "--output", path)
    assert outcome.exit_code == 128 + number
    assert outcome.stderr == (
        f"Stopped; 500 updates are kept: go on with --start 500 --append --output {path}\n"
    )
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text("utf-8").count("\n") == 501


def test_a_signal_before_the_first_page_leaves_nothing(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    def interrupt(request: SeenRequest) -> Delay:
        os.kill(os.getpid(), signal.SIGTERM)
        return Delay(30.0)

    fake.on_request = interrupt
    outcome = flow(1101, "--output", tmp_path / "flow.txt")
    assert outcome.exit_code == 143
    assert outcome.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stands_still_does_not_hold_up_the_end(
    start: Start, fake: FakePipedrive
) -> None:
    process = start("flow", 1101, "--format", "jsonl", "--base-url", fake.base_url)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)  # a page is greater than a pipe
    process.send_signal(signal.SIGTERM)
    assert process.wait(LONGEST) == 143
    assert process.stderr.read() == ""
    process.stdout.close()
    process.stderr.close()


def test_a_named_pipe_that_nobody_reads_does_not_hold_up_the_end(
    flow: Run, fake: FakePipedrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def interrupted(path: Path, mode: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(destination, "_open", interrupted)
    outcome = flow(1101, "--output", path)
    assert outcome.exit_code == 143
    assert fake.request_count == 0


def test_a_program_whose_signals_were_ignored_still_ends(start: Start, fake: FakePipedrive) -> None:
    process = start("flow", 1101, "--base-url", fake.base_url, ignoring="INT")

    def interrupt(request: SeenRequest) -> Stall:
        process.send_signal(signal.SIGINT)
        return Stall()

    fake.on_request = interrupt
    _, stderr = process.communicate(timeout=LONGEST)
    assert process.returncode == 130
    assert stderr == ""


def test_nohup_is_heeded(start: Start, fake: FakePipedrive) -> None:
    process = start("flow", 1101, "--base-url", fake.base_url, ignoring="HUP")
    fake.on_request = lambda _: process.send_signal(signal.SIGHUP)
    stdout, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0
    assert stdout.count("\n") == 1201


def test_ctrl_c_before_there_is_a_loop_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("pipeflow.cli.commands.demo_session", interrupt)
    outcome = run("flow", 1101, "--demo")
    assert outcome.exit_code == 130
    assert outcome.stderr == ""


def test_a_closed_pipe_is_exit_code_141(flow: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        outcome = flow(1101)
    assert outcome.exit_code == 141
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 141),
        (["flow", "--help"], 141),
        (["flow", "1101", "--demo", "--max-items", "1"], 141),
        (["flow", "jane"], 2),
    ],
)
def test_messages_that_nobody_reads_are_no_failure(arguments: list[str], code: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        ended = subprocess.run(
            [*COMMAND, *arguments],
            stdout=nobody,
            stderr=nobody,
            timeout=LONGEST,
            env=os.environ | {"PYTHONPATH": str(SOURCES)},
            check=False,
        )
    assert ended.returncode == code


@pytest.mark.parametrize(
    ("arguments", "stream", "code"),
    [(["--help"], "stdout", 141), (["flow", "jane"], "stderr", 2)],
)
def test_a_message_into_a_closed_pipe_keeps_its_exit_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], stream: str, code: int
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as nobody:
        monkeypatch.setattr(f"sys.{stream}", nobody)
        assert run(*arguments).exit_code == code
