"""Blocks, and the errors they raise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.errors import BlockedError, DailyBudgetExhaustedError, RateLimitError
from pipeflow.limiting import block_error
from pipeflow.limiting.blocks import PROBE_INTERVAL, Block, DailyBlock

if TYPE_CHECKING:
    from pipeflow.limiting import BlockReason

HOUR = 3600.0


@pytest.mark.parametrize("kind", [Block, DailyBlock])
def test_a_block_ends(kind: type[Block | DailyBlock]) -> None:
    block = kind()
    assert block.seconds_left(0.0) == 0.0
    block.begin(100.0, 300.0)
    assert block.seconds_left(100.0) == 300.0
    assert block.seconds_left(399.0) == 1.0
    assert block.seconds_left(400.0) == 0.0
    assert block.seconds_left(401.0) == 0.0


def test_a_block_is_extended_and_never_shortened() -> None:
    block = Block()
    block.begin(0.0, 300.0)
    block.begin(10.0, 5.0)
    assert block.seconds_left(10.0) == 290.0
    block.begin(10.0, 300.0)
    assert block.seconds_left(10.0) == 300.0


@pytest.mark.parametrize("seconds", [5.0, 9 * HOUR])
def test_the_newest_word_about_the_day_counts(seconds: float) -> None:
    daily = DailyBlock()
    daily.begin(0.0, 8 * HOUR)
    daily.begin(10.0, seconds)
    assert daily.seconds_left(10.0) == seconds


def test_without_a_block_there_is_nothing_to_ask() -> None:
    daily = DailyBlock()
    assert daily.take_probe(0.0) is None
    daily.begin(0.0, 8 * HOUR)
    assert daily.take_probe(8 * HOUR) is None


def test_one_request_now_and_then_may_ask_whether_the_budget_is_there_again() -> None:
    daily = DailyBlock()
    daily.begin(0.0, 8 * HOUR)
    assert daily.take_probe(PROBE_INTERVAL - 1.0) is None
    assert daily.take_probe(PROBE_INTERVAL) is not None
    assert daily.take_probe(PROBE_INTERVAL) is None
    assert daily.take_probe(2 * PROBE_INTERVAL - 1.0) is None
    assert daily.take_probe(2 * PROBE_INTERVAL) is not None


def probed() -> tuple[DailyBlock, int]:
    daily = DailyBlock()
    daily.begin(0.0, 8 * HOUR)
    probe = daily.take_probe(PROBE_INTERVAL)
    assert probe is not None
    return daily, probe


def test_its_answer_lifts_the_block() -> None:
    daily, probe = probed()
    daily.lift(probe)
    assert daily.seconds_left(PROBE_INTERVAL) == 0.0


def test_a_refused_probe_lifts_nothing() -> None:
    daily, probe = probed()
    daily.begin(PROBE_INTERVAL, 7 * HOUR)
    daily.lift(probe)
    assert daily.seconds_left(PROBE_INTERVAL) == 7 * HOUR
    assert daily.take_probe(2 * PROBE_INTERVAL - 1.0) is None


def test_an_old_probe_lifts_nothing_that_a_newer_one_asks() -> None:
    daily, old = probed()
    new = daily.take_probe(2 * PROBE_INTERVAL)
    assert new is not None
    daily.lift(old)
    assert daily.seconds_left(2 * PROBE_INTERVAL) > 0.0
    daily.lift(new)
    assert daily.seconds_left(2 * PROBE_INTERVAL) == 0.0


def test_a_probe_that_was_not_sent_is_the_next_ones() -> None:
    daily, probe = probed()
    daily.give_probe_back(probe)
    assert daily.take_probe(PROBE_INTERVAL) is not None


def test_an_old_probe_that_is_given_back_makes_no_new_one() -> None:
    daily, old = probed()
    daily.begin(PROBE_INTERVAL, 7 * HOUR)
    daily.give_probe_back(old)
    assert daily.take_probe(PROBE_INTERVAL) is None


@pytest.mark.parametrize(
    ("reason", "kind", "status", "text"),
    [
        ("cloudflare", BlockedError, 403, "Cloudflare has blocked this client"),
        ("daily_budget", DailyBudgetExhaustedError, 429, "tokens of this day are used up"),
        ("long_wait", RateLimitError, 429, "wait longer than max_wait"),
    ],
)
def test_the_reason_decides_which_error(
    reason: BlockReason,
    kind: type[BlockedError | RateLimitError],
    status: int,
    text: str,
) -> None:
    error = block_error(reason, 90.4)
    assert type(error) is kind
    assert isinstance(error, BlockedError | RateLimitError)
    assert (error.status, error.retry_after) == (status, 90.4)
    assert str(error).startswith("nothing was sent: ")
    assert text in str(error)
    assert "90 s" in str(error)
