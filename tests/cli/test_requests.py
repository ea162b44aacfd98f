"""What the options ask of the API."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from pipeflow.testing import FakePipedrive, Status

if TYPE_CHECKING:
    from .conftest import Run


def test_a_plain_command_asks_for_everything_in_pages_of_500(
    flow: Run, fake: FakePipedrive
) -> None:
    assert flow(1101).exit_code == 0
    assert [dict(request.query) for request in fake.requests] == [
        {"start": "0", "limit": "500"},
        {"start": "499", "limit": "500"},
        {"start": "998", "limit": "500"},
    ]


def test_items_are_named_with_commas_and_by_repetition(flow: Run, fake: FakePipedrive) -> None:
    flow(1101, "--items", "note, file", "--items", "deal")
    assert fake.requests[0].query["items"] == "note,file,deal"


def test_all_changes_asks_for_custom_fields(flow: Run, fake: FakePipedrive) -> None:
    flow(1101, "--all-changes")
    assert fake.requests[0].query["all_changes"] == "1"


def test_start_page_size_and_max_items_are_passed_on(flow: Run, fake: FakePipedrive) -> None:
    flow(1101, "--start", 40, "--page-size", 20, "--max-items", 30)
    assert [dict(request.query) for request in fake.requests] == [
        {"start": "40", "limit": "20"},
        {"start": "59", "limit": "11"},
    ]


def test_no_items_at_all_cost_no_request(flow: Run, fake: FakePipedrive) -> None:
    assert flow(1101, "--max-items", 0).stderr == "0 updates in 0 requests (0 tokens)\n"
    assert fake.request_count == 0


def test_the_closing_line_counts_updates_requests_and_tokens(flow: Run) -> None:
    outcome = flow(1101, "--page-size", 400)
    assert outcome.stderr == "1,200 updates in 3 requests (120 tokens)\n"


def test_one_is_counted_in_the_singular(flow: Run) -> None:
    assert flow(1101, "--max-items", 1).stderr == "1 update in 1 request (40 tokens)\n"


def test_repeated_tries_are_counted_too(flow: Run, fake: FakePipedrive, no_backoff: None) -> None:
    fake.script(Status(503))
    outcome = flow(1101, "--max-items", 1)
    assert outcome.stderr == "1 update in 2 requests (80 tokens)\n"


def test_a_quiet_command_has_no_closing_line(flow: Run) -> None:
    assert flow(1101, "--max-items", 1, "-q").stderr == ""


def test_a_verbose_command_shows_what_pipeflow_logs_on_one_line_each(
    flow: Run, fake: FakePipedrive
) -> None:
    log = logging.getLogger("pipeflow")
    before = list(log.handlers)
    fake.on_request = lambda _: log.debug("asked\n\x1b[2J%s", "it")
    outcome = flow(1101, "--max-items", 1, "--verbose")
    lines = [line for line in outcome.stderr.splitlines() if "asked" in line]
    assert len(lines) == 1
    assert re.fullmatch(r"\d\d:\d\d:\d\d asked \ufffd\[2Jit", lines[0])
    assert "GET /v1/persons/1101/flow: 200 in " in outcome.stderr
    assert log.handlers == before
    assert flow(1101, "--max-items", 1).stderr == "1 update in 1 request (40 tokens)\n"
