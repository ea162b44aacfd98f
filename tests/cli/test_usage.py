"""Wrong usage: exit code 2, what is wrong and what would be right, and no request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipeflow.testing import FakePipedrive

    from .conftest import Run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["0"], "'PERSON_ID': it takes a whole number of 1 or more, not '0'"),
        (["jane"], "'PERSON_ID': it takes a whole number of 1 or more, not 'jane'"),
        ([], "Missing argument 'PERSON_ID'"),
        (
            ["1101", "--page-size", "501"],
            "'--page-size': it takes a whole number from 1 to 500, not '501'",
        ),
        (
            ["1101", "--page-size", "0"],
            "'--page-size': it takes a whole number from 1 to 500, not '0'",
        ),
        (["1101", "--start", "-1"], "'--start': it takes a whole number of 0 or more, not '-1'"),
        (
            ["1101", "--max-items", "-1"],
            "'--max-items': it takes a whole number of 0 or more, not '-1'",
        ),
        (["1101", "--items", "notes"], "'notes' is not a kind of update; did you mean 'note'?"),
        (["1101", "--items", "person_change"], "did you mean 'personChange'?"),
        (["1101", "--items", " , "], "'--items': no kind of update is named"),
        (["1101", "--format", "xml"], "'xml' is not one of 'table', 'jsonl', 'csv', 'html'"),
        (["1101", "--format", "html", "--append", "--output", "x"], "leave out --append"),
        (
            ["1101", "--max-items", "9" * 5000],
            "'--max-items': it takes a whole number of 0 or more",
        ),
        (["1101", "--append"], "--append needs a file: give --output FILE"),
        (["1101", "--excel", "--format", "jsonl"], "--excel is a CSV, not jsonl"),
        (["1101", "--demo"], "give --demo or --base-url, not both"),
    ],
)
def test_a_wrong_argument_is_refused_before_any_request(
    flow: Run, fake: FakePipedrive, arguments: list[str], told: str
) -> None:
    outcome = flow(*arguments)
    assert outcome.exit_code == 2
    assert told in outcome.stderr
    assert outcome.stdout == ""
    assert fake.request_count == 0


def test_a_missing_token_names_both_variables_and_the_demo(run: Run) -> None:
    outcome = run("flow", 1101)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "Error: PIPEDRIVE_API_TOKEN is not set: it holds your API token, and "
        "PIPEDRIVE_COMPANY_DOMAIN the 'acme' of acme.pipedrive.com; --demo needs neither\n"
    )


@pytest.mark.parametrize(
    ("settings", "arguments", "told"),
    [
        ({"PIPEDRIVE_API_TOKEN": "to ken"}, [], "PIPEDRIVE_API_TOKEN must be one word"),
        (
            {"PIPEDRIVE_COMPANY_DOMAIN": "https://acme"},
            [],
            "PIPEDRIVE_COMPANY_DOMAIN must be the first part",
        ),
        ({}, ["--base-url", "http://example.com"], "--base-url must be https://"),
    ],
)
def test_a_wrong_setting_is_called_by_the_name_the_user_knows(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    arguments: list[str],
    told: str,
) -> None:
    for name, value in ({"PIPEDRIVE_API_TOKEN": "0123456789abcdef"} | settings).items():
        monkeypatch.setenv(name, value)
    outcome = run("flow", 1101, *arguments)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"Error: {told}")
    assert outcome.stderr.count("\n") == 1


def test_the_demo_knows_one_person_only(run: Run) -> None:
    outcome = run("flow", 7, "--demo")
    assert outcome.exit_code == 2
    assert "the demo is about person 1101" in outcome.stderr


def test_help_shows_every_option(run: Run) -> None:
    outcome = run("flow", "--help")
    assert outcome.exit_code == 0
    for option in ("--items", "--all-changes", "--start", "--max-items", "--page-size", "--demo"):
        assert option in outcome.stdout
