"""Prints how fast pipeflow walks, beside its peers. Asserts that nothing is lost, but no times.

`pytest -q -s tests/benchmarks/test_walks.py`; some four minutes on a quiet machine of two cores.
"""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

import pytest

from tests.benchmarks.walking.history import PAGE_SIZE, History
from tests.benchmarks.walking.processes import Measurement, measured
from tests.benchmarks.walking.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

pytestmark = pytest.mark.timeout(600)

CONTESTANTS = {
    "pipeflow": ("pipeflow_walks", "sequential"),
    "pipeflow, prefetch=8": ("pipeflow_walks", "ahead"),
    "aiohttp, a plain loop": ("aiohttp_walks", "loop"),
    "aiohttp, gathered by hand": ("aiohttp_walks", "gathered"),
    "httpx, a plain loop": ("httpx_walks", "loop"),
    "dlt RESTClient": ("dlt_walks", "paginated"),
    "pypipedrive-client": ("pypipedrive_walks", "flow"),
}
YARDSTICK = "aiohttp, a plain loop"
SHORT, MIDDLE, LONG = 5_000, 40 * PAGE_SIZE, 100_000
PERSONS = {SHORT: 1, MIDDLE: 2, LONG: 3}
WINDOW_SECONDS = 2.0
WINDOWS = 10
Kind = Literal["rolling", "fixed"]
KINDS: tuple[Kind, ...] = ("rolling", "fixed")


@pytest.fixture(autouse=True)
def _asked_for(request: pytest.FixtureRequest) -> None:
    if not any("benchmarks" in str(argument) for argument in request.config.invocation_params.args):
        pytest.skip("takes minutes; runs when tests/benchmarks is named")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def histories(server: Server) -> dict[int, History]:
    """Histories by size, on a fake that never refuses."""
    # (A limit above 100,000 would not be believed.)
    opened = server.open(
        {person_id: size for size, person_id in PERSONS.items()}, burst_limit=10_000
    )
    return {size: History(**opened, person_id=PERSONS[size], size=size) for size in PERSONS}


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = ["", "", title, "", f"| {' | '.join(head)} |"]
    lines.append(f"|{' --- |' + ' ---: |' * (len(head) - 1)}")
    lines += [f"| {' | '.join(row)} |" for row in rows]
    sys.stdout.write("\n".join([*lines, ""]))


class Walk(NamedTuple):
    """One contestant's walk: seconds, CPU seconds, bytes above the imports, and what it cost."""

    seconds: float
    cpu: float
    memory: float
    requests: float
    tokens: float


def walk(server: Server, history: History, contestant: str, answer_delay: float = 0.0) -> Walk:
    server.begin(history.base_url, answer_delay=answer_delay)
    found = measured("contestant", *CONTESTANTS[contestant], *history)
    counts = server.counts(history.base_url)
    return Walk(**found, requests=counts["requests"], tokens=counts["tokens"])


@pytest.mark.parametrize(("answer_delay", "rounds"), [(0.1, 2), (0.0, 4)])
def test_walks_beside_peers(
    server: Server, histories: dict[int, History], answer_delay: float, rounds: int
) -> None:
    history = histories[MIDDLE]
    walks: dict[str, list[Walk]] = {name: [] for name in CONTESTANTS}
    for _ in range(rounds):
        # In turn, so that a slow minute of the machine is everybody's.
        for name in CONTESTANTS:
            walks[name].append(walk(server, history, name, answer_delay))
    middle = {name: Walk(*map(median, zip(*of, strict=True))) for name, of in walks.items()}
    one = middle[YARDSTICK]
    print_table(
        f"{MIDDLE:,} updates, {MIDDLE // PAGE_SIZE} pages, answers after {answer_delay * 1000:.0f} "
        f"ms; medians of {rounds}",
        ["", "seconds", "ratio", "CPU seconds", "ratio", "requests", "tokens", "memory, MB"],
        (
            [
                name,
                f"{of.seconds:.2f}",
                f"{of.seconds / one.seconds:.2f}",
                f"{of.cpu:.2f}",
                f"{of.cpu / one.cpu:.2f}",
                f"{of.requests:.0f}",
                f"{of.tokens:,.0f}",
                f"{of.memory / 1e6:.1f}",
            ]
            for name, of in middle.items()
        ),
    )


def test_memory_does_not_grow_with_the_history(
    server: Server, histories: dict[int, History]
) -> None:
    def rows() -> Iterator[list[str]]:
        for answer_delay in (0.0, 0.05):
            for name in ("pipeflow", "pipeflow, prefetch=8"):
                short, middle, long = (
                    median(walk(server, histories[size], name, answer_delay).memory for _ in "123")
                    for size in (SHORT, MIDDLE, LONG)
                )
                megabytes = [f"{memory / 1e6:.1f}" for memory in (short, middle, long)]
                yield [f"{name}, {answer_delay * 1e3:.0f} ms", *megabytes, f"{long / short:.2f}"]

    print_table(
        "Peak memory, MB above that after the imports; medians of 3",
        [
            "answers after",
            f"{SHORT:,} updates, MB",
            f"{MIDDLE:,}",
            f"{LONG:,}",
            "longest / shortest",
        ],
        rows(),
    )


def test_importing_beside_the_dependencies() -> None:
    runs = [measured("importing") for _ in range(12)][1:]
    dependencies = median(run["dependencies"] for run in runs)
    added = median(run["pipeflow"] for run in runs)
    print_table(
        f"CPU time of imports, from bytecode; medians of {len(runs)} fresh processes",
        ["aiohttp, attrs, cattrs, msgspec, ms", "pipeflow on top, ms", "added"],
        [[f"{dependencies * 1e3:.0f}", f"{added * 1e3:.0f}", f"{added / dependencies:.0%}"]],
    )


class Throng(NamedTuple):
    """Persons of one page each, walked at once against a burst limit."""

    limit: int
    kind: Kind
    persons: int
    windows: float
    """How many windows' allowance they are, after what changes on the way."""
    concurrency: int = 8
    change: Literal["", "lowered to 20", "another program takes 20"] = ""

    def begin(self, server: Server) -> tuple[str, Measurement]:
        opened = server.open(
            dict.fromkeys(range(1, self.persons + 1), 20),
            burst_limit=self.limit,
            burst_window=WINDOW_SECONDS,
            burst_kind=self.kind,
            answer_delay=0.05,
        )
        base_url = opened["base_url"]
        if self.change == "lowered to 20":
            server.lower(base_url, at_request=self.limit * WINDOWS // 2, to=20)
        elif self.change == "another program takes 20":
            server.share(base_url, count=5, seconds=0.5)
        return base_url, Measurement(
            "many_persons", *opened.values(), self.persons, self.concurrency
        )

    def row(self, found: dict[str, int], counts: dict[str, float]) -> list[str]:
        assert found["persons"] == self.persons
        return [
            f"{self.limit}{', ' * bool(self.change)}{self.change}",
            self.kind,
            str(self.persons),
            str(self.concurrency),
            f"{counts['seconds']:.1f}",
            f"{self.windows * WINDOW_SECONDS / counts['seconds']:.0%}",
            f"{counts['refusals']:.0f}",
            f"{counts['refusals'] / counts['requests']:.1%}",
        ]


def unchanged(limit: int, kind: Kind, concurrency: int) -> Throng:
    return Throng(limit, kind, limit * WINDOWS, WINDOWS, concurrency)


def changed(kind: Kind) -> Iterator[Throng]:
    # Half of the windows at 40, the other half at 20.
    yield Throng(40, kind, 300, WINDOWS, change="lowered to 20")
    # 5 every 0.5 s are 20 in a window, so 20 are left.
    yield Throng(40, kind, 200, WINDOWS, change="another program takes 20")


AT_THE_SAME_TIME = [
    [unchanged(limit, kind, 8 if limit < 100 else 16) for kind in KINDS for limit in (20, 40, 100)],
    [unchanged(480, "rolling", 64), *changed("rolling")],
    [unchanged(480, "fixed", 64), *changed("fixed")],
]


def test_many_persons_at_the_burst_limit(server: Server) -> None:
    rows = []
    for throngs in AT_THE_SAME_TIME:
        begun = [throng.begin(server) for throng in throngs]
        for throng, (base_url, measurement) in zip(throngs, begun, strict=True):
            found = measurement.result()
            rows.append(throng.row(found, server.counts(base_url)))
    print_table(
        f"Persons of one page each, answers after 50 ms, windows of {WINDOW_SECONDS:g} s",
        [
            "allowance",
            "window",
            "persons",
            "at once",
            "seconds, first to last",
            "allowance used",
            "refused",
            "share",
        ],
        rows,
    )
