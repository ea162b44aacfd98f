from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeflow.cost import PLANS, DailyShare, WatchCost, daily_tokens, request_tokens

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plan", "seats", "tokens"),
    [("Lite", 1, 30_000), ("Growth", 3, 180_000), ("Ultimate", 1, 210_000)],
)
def test_a_day_has_its_tokens(plan: str, seats: int, tokens: int) -> None:
    assert daily_tokens(plan, seats) == tokens


def test_an_unknown_plan_is_named() -> None:
    with pytest.raises(ValueError, match="'Free'; the plans are Lite"):
        daily_tokens("Free")


@pytest.mark.parametrize(
    ("path", "tokens"),
    [("/v1/persons/7/flow", 40), ("/api/v1/dealFields", 20), ("/api/v2/stages", 10)],
)
def test_what_a_request_costs_is_in_its_path(path: str, tokens: int) -> None:
    assert request_tokens(path) == tokens


@pytest.mark.parametrize(
    ("cost", "requests"),
    [
        (WatchCost(), 288),
        (WatchCost(deep_interval=None), 288),
        (WatchCost(deep_interval=None, deep_pages=9), 288),
        (WatchCost(owners=100, interval=3600.0, deep_pages=3), 2600),
        (WatchCost(owners=100, deep_interval=3600.0, interval=86_400.0, deep_pages=3), 300),
        (WatchCost(owners=0), 0),
    ],
)
def test_a_watch_costs_its_polls_and_its_deep_looks(cost: WatchCost, requests: int) -> None:
    assert cost.requests == requests
    assert cost.tokens == requests * 40
    assert cost.share_of(80_000) == requests / 2000


def test_costs_are_checked() -> None:
    with pytest.raises(ValueError, match="interval"):
        WatchCost(interval=0.0)


ROW = re.compile(r"^\| ([\d,]+) \| (\d+) s \| ([\d,]+) \|((?: \d+% \|)+)$", re.MULTILINE)


def test_the_table_of_the_documentation_is_what_is_computed() -> None:
    page = (Path(__file__).parents[1] / "docs" / "watching.md").read_text("utf-8")
    rows = ROW.findall(page[page.index("<!-- cost table -->") :])
    assert len(rows) == 6
    for owners, interval, tokens, shares in rows:
        cost = WatchCost(owners=int(owners.replace(",", "")), interval=float(interval))
        assert f"{cost.tokens:,}" == tokens
        computed = [f"{cost.share_of(daily_tokens(plan)):.0%}" for plan in PLANS]
        assert shares.replace("|", " ").split() == computed


# ---- the share of a day


def test_where_the_day_has_enough_the_interval_is_what_was_asked_for() -> None:
    share = DailyShare(0.5)
    assert share.interval(300.0, owners=1, tokens_left=30_000, now=NOON) == 300.0


def test_without_owners_or_figures_the_interval_is_what_was_asked_for() -> None:
    share = DailyShare(0.5)
    assert share.interval(300.0, owners=1, tokens_left=None, now=NOON) == 300.0
    assert share.interval(300.0, owners=0, tokens_left=0, now=NOON) == 300.0


def test_the_polls_that_are_left_are_spread_over_the_rest_of_the_day() -> None:
    share = DailyShare(0.5)
    # 8000 tokens, half of them, are 100 requests in 12 hours, for two owners.
    assert share.interval(300.0, owners=2, tokens_left=8000, now=NOON) == 2 * 43_200 / 100


def test_what_was_spent_here_counts_against_the_share() -> None:
    share = DailyShare(0.5)
    share.spend(2000, NOON)
    # Of 8000 that were left, half are 4000, and 2000 of these are gone.
    assert share.interval(300.0, owners=1, tokens_left=6000, now=NOON) == 43_200 / 50


def test_when_the_share_is_spent_the_next_day_is_waited_for() -> None:
    share = DailyShare(0.5)
    share.spend(4000, NOON)
    assert share.interval(300.0, owners=3, tokens_left=4000, now=NOON) == 43_200


def test_a_new_day_begins_anew() -> None:
    share = DailyShare(0.5)
    share.spend(4000, NOON.replace(day=1))
    assert share.interval(300.0, owners=1, tokens_left=8000, now=NOON) == 43_200 / 100
