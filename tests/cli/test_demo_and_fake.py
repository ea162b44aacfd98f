"""The two commands for which no account is needed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from pipeflow.testing import FakePipedrive

if TYPE_CHECKING:
    from .conftest import Run


def test_the_demo_prints_a_history_without_an_account(run: Run) -> None:
    outcome = run("flow", 1101, "--demo")
    assert outcome.exit_code == 0
    assert outcome.stdout.count("\n") == 1201
    assert outcome.stderr == "1,200 made-up updates in 3 requests (120 tokens)\n"


def test_the_demo_is_the_same_each_time(run: Run) -> None:
    demo = partial(run, "flow", 1101, "--demo", "--all-changes", "--format", "jsonl")
    assert demo().stdout == demo().stdout


def test_the_demo_needs_no_token_and_uses_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "of a real account")
    assert run("flow", 1101, "--demo", "--max-items", 1).exit_code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_fake_serves_what_its_printed_lines_ask_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    # As in the background of a script, where SIGINT is ignored.
    command = ["sh", "-c", "trap '' INT; exec \"$@\"", "-", sys.executable, "-W", "error"]
    with subprocess.Popen(
        [*command, "-m", "pipeflow.cli", "fake"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            printed = "".join(process.stdout.readline() for _ in range(5))
            token = re.search(r"^    export PIPEDRIVE_API_TOKEN=(\w+)$", printed, re.MULTILINE)
            command_line = re.search(r"^    pipeflow (flow .*)$", printed, re.MULTILINE)
            assert token is not None
            assert command_line is not None
            monkeypatch.setenv("PIPEDRIVE_API_TOKEN", token[1])
            outcome = run(*command_line[1].split())
            process.send_signal(number)
            _, stderr = process.communicate(timeout=30.0)
        finally:
            process.kill()
    assert stderr == ""
    assert outcome.stdout.count("\n") == 1201
    assert process.returncode == 0


def test_the_fake_ends_with_ctrl_c(
    run: Run, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    class Ended(FakePipedrive):
        async def __aenter__(self) -> Self:
            await super().__aenter__()
            signal.raise_signal(signal.SIGINT)
            return self

    monkeypatch.setattr("pipeflow.testing.FakePipedrive", Ended)
    outcome = run("fake", "--port", unused_port)
    assert outcome.exit_code == 0
    assert f"http://127.0.0.1:{unused_port}/v1\n" in outcome.stdout
    assert outcome.stderr == ""


def test_a_port_in_use_is_one_line(run: Run, fake: FakePipedrive) -> None:
    port = int(fake.base_url.split(":")[2].split("/")[0])
    outcome = run("fake", "--port", port)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(f"Error: cannot listen on port {port}: ")
    assert outcome.stderr.count("\n") == 1
