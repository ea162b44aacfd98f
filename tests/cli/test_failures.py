"""What fails ends with one line, exit code 1 and, in the middle of a walk, how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.cli.failures import what_went_wrong
from pipeflow.errors import NotFoundError
from pipeflow.testing import Disconnect, FakePipedrive, Status

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run, Serve

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
    assert outcome.stderr.startswith("Error: the token was not accepted: 401 unauthorized access")
    assert outcome.stderr.count("\n") == 1
    assert "a-wrong-token" not in outcome.stderr


def test_no_network_is_one_line(
    run: Run, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "0123456789abcdef")
    outcome = run("flow", 1101, "--base-url", f"http://127.0.0.1:{unused_port}/v1")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: no whole answer from 127.0.0.1: cannot connect to ")
    assert "refused" in outcome.stderr
    assert "ssl" not in outcome.stderr
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


def test_a_walk_that_fails_at_once_leaves_no_file(
    flow: Run, fake: FakePipedrive, tmp_path: Path
) -> None:
    fake.script(Disconnect(), Disconnect())
    outcome = flow(1101, "--output", tmp_path / "flow.txt")
    assert outcome.exit_code == 1
    assert outcome.stderr.endswith("Server disconnected (in 2 attempts)\n")
    assert list(tmp_path.iterdir()) == []


def test_a_spent_budget_has_an_exit_code_of_its_own_and_what_was_paid_for_is_kept(
    run: Run, serve: Serve, tmp_path: Path
) -> None:
    fake = serve(FakePipedrive(daily_budget=80))
    path = tmp_path / "flow.jsonl"
    command = ("flow", 1101, "--base-url", fake.base_url, "--format", "jsonl", "-q")
    outcome = run(*command, "--output", path)
    assert outcome.exit_code == 75
    assert "the company's tokens of this day are used up" in outcome.stderr
    assert outcome.stderr.endswith(
        f"; 999 updates are kept: go on with --start 999 --append --output {path}\n"
    )
    fake.daily_budget = None
    assert run(*command, "--start", 999, "--append", "--output", path).exit_code == 0
    assert path.read_text("utf-8") == run(*command).stdout


@pytest.mark.parametrize(
    ("base_url", "meant"),
    [
        ("{origin}", "{origin}/v1"),
        ("{origin}/", "{origin}/v1"),
        ("{origin}/api", "{origin}/api/v1"),
    ],
)
def test_a_base_url_without_the_version_is_told_with_the_right_one(
    run: Run, fake: FakePipedrive, base_url: str, meant: str
) -> None:
    origin = fake.base_url.removesuffix("/v1")
    given = base_url.format(origin=origin)
    outcome = run("flow", 1101, "--base-url", given)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(
        f"Error: --base-url {given} is not the address of the API, "
        f"try {meant.format(origin=origin)}: 404 "
    )
    assert outcome.stderr.count("\n") == 1


def test_the_address_of_a_company_has_a_longer_path() -> None:
    unknown = NotFoundError("404", status=404)
    told = what_went_wrong(unknown, person_id=7, base_url="https://acme.pipedrive.com")
    assert told == (
        "--base-url https://acme.pipedrive.com is not the address of the API, "
        "try https://acme.pipedrive.com/api/v1: 404"
    )


def test_the_reason_a_server_gives_cannot_steer_the_terminal(
    flow: Run, fake: FakePipedrive
) -> None:
    fake.script(Status(400, {"success": False, "error": "\x1b[2Jgone\nError: \u202eno"}))
    outcome = flow(1101)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: 400 \ufffd[2Jgone Error: no [correlation id ")
    assert outcome.stderr.count("\n") == 1
