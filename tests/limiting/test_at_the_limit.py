"""Many persons at the burst limit, in many phases: how much of it is used, and what is refused."""

from __future__ import annotations

from itertools import product

import pytest

from pipeflow.testing.limits import FixedWindow, RollingWindow
from tests.limiting.simulation import Others, Simulation

KINDS = pytest.mark.parametrize("kind", [RollingWindow, FixedWindow])
PHASES = [(place / 8, begins) for place, begins in product(range(8), (0.0, 0.31, 0.62))]


@KINDS
@pytest.mark.parametrize(("limit", "concurrency"), [(20, 8), (40, 8), (100, 16), (480, 64)])
def test_alone_nothing_is_refused_and_95_percent_are_used(
    kind: type[RollingWindow | FixedWindow], limit: int, concurrency: int
) -> None:
    simulation = Simulation(kind(limit, 2.0), 10 * limit, concurrency)
    simulation.run()
    assert simulation.refusals == 0
    assert simulation.seconds <= 10 * 2.0 / 0.95


@KINDS
@pytest.mark.parametrize(("requests", "every_seconds"), [(1, 0.1), (5, 0.5), (20, 2.0)])
@pytest.mark.parametrize(("limit", "concurrency"), [(40, 8), (100, 16)])
def test_beside_others_less_than_2_percent_are_refused(
    kind: type[RollingWindow | FixedWindow],
    limit: int,
    concurrency: int,
    requests: int,
    every_seconds: float,
) -> None:
    for place, begins in PHASES:
        others = Others(requests, every_seconds, place * every_seconds)
        simulation = Simulation(
            kind(limit, 2.0), 10 * (limit - 20), concurrency, others, begins_at=1000.0 + begins
        )
        simulation.run()
        assert simulation.share_refused < 0.02, (place, begins)


@KINDS
def test_when_the_limit_is_lowered_less_than_2_percent_are_refused(
    kind: type[RollingWindow | FixedWindow],
) -> None:
    for place, begins in PHASES:
        simulation = Simulation(
            kind(40, 2.0),
            300,
            8,
            lowered=(150 + int(100 * place), 20),
            begins_at=1000.0 + begins,
        )
        simulation.run()
        assert simulation.share_refused < 0.02, (place, begins)
