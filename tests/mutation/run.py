"""Mutation tests: breaks the pure rooms in small ways, and counts what no test notices.

`python tests/mutation/run.py` needs `cosmic-ray` beside the test dependencies. It works on a copy
of the checkout, one room after another, prints the score of each and the survivors, and takes the
names of rooms to run only these. What it means and what was found: `docs/mutation.md`.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[2]

ROOMS = {
    "paging": (
        "pipeflow/walking/paging.py",
        "tests/walking/test_paging.py tests/walking/test_seen.py",
    ),
    "prefetching": ("pipeflow/walking/prefetching.py", "tests/walking/test_prefetching.py"),
    "many": (
        "pipeflow/walking/many.py",
        "tests/walking/test_many.py tests/walking/test_accounting.py tests/session",
    ),
    "workers": (
        "pipeflow/walking/workers.py",
        "tests/walking/test_workers.py tests/walking/test_many.py tests/walking",
    ),
    "keywords": ("pipeflow/flows/keywords.py", "tests/session/test_flow_methods.py"),
    "retrying": ("pipeflow/retrying.py", "tests/test_retrying.py"),
    # Here and below: examples before properties, which take long to notice anything.
    "limiting": (
        "pipeflow/limiting/queue.py",
        "tests/limiting/test_queue.py tests/limiting/test_answers_heard.py tests/limiting",
    ),
    "answers": ("pipeflow/answers/answer.py", "tests/answers"),
    "reasons": ("pipeflow/answers/reasons.py", "tests/answers/test_reasons.py"),
    "headers": ("pipeflow/answers/headers.py", "tests/answers/test_headers.py"),
    "credentials/refresh": (
        "pipeflow/credentials/oauth_credential.py",
        "tests/credentials/test_oauth_credential.py tests/credentials/test_refresh_model.py",
    ),
    "credentials/lifetime": (
        "pipeflow/credentials/lifetime.py",
        "tests/credentials/test_oauth_tokens.py tests/credentials/test_oauth_credential.py",
    ),
    "credentials/tokens": (
        "pipeflow/credentials/oauth_tokens.py",
        "tests/credentials/test_oauth_tokens.py",
    ),
    "credentials/redaction": (
        "pipeflow/credentials/redaction.py",
        "tests/credentials/test_redaction.py",
    ),
} | {
    f"codec/{path.stem}": (
        f"pipeflow/codec/{path.name}",
        "tests/codec/test_oddities.py tests/codec/test_times.py tests/codec tests/records",
    )
    for path in sorted((CHECKOUT / "pipeflow" / "codec").glob("[a-z]*.py"))
}
"""What is mutated, and the tests that should notice."""

COMMAND = (
    "{python} -m pytest -x -q -o timeout=20 -p no:cacheprovider -p tests.mutation.unshrunk {tests}"
)

CONFIG = """\
[cosmic-ray]
module-path = "{module}"
timeout = 60.0
excluded-modules = []
test-command = "{command}"

[cosmic-ray.distributor]
name = "local"
"""


class Spot(NamedTuple):
    """A place in the source and what kind of change is made there."""

    module: str
    row: int
    column: int
    family: str


class Survivor(NamedTuple):
    """A change that no test noticed."""

    module: str
    row: int
    operator: str
    diff: str

    def __str__(self) -> str:
        changed = [line for line in self.diff.splitlines() if re.match(r"[-+](?![-+]{2} )", line)]
        return "\n".join([f"{self.module}:{self.row} {self.operator}", *changed])


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("rooms", nargs="*", help=f"of {', '.join(ROOMS)}, or 'codec'")
    arguments.add_argument("--per-spot", type=int, default=2, help="mutants per spot and family")
    arguments.add_argument("--most", type=int, help="mutants per room, drawn by the seed")
    arguments.add_argument("--seed", type=int, default=5)
    arguments.add_argument("--workers", type=int, default=2, help="rooms at the same time")
    arguments.add_argument("--tests-python", default=sys.executable, help="runs the tests")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as away, ThreadPoolExecutor(options.workers) as workers:
        rooms = [room for room in ROOMS if not {room, room.split("/")[0]}.isdisjoint(options.rooms)]
        list(workers.map(lambda room: run(room, Path(away), options), rooms or ROOMS))


def run(room: str, away: Path, options: argparse.Namespace) -> None:
    """Mutates one room in a copy of its own and prints what came of it."""
    module, tests = ROOMS[room]
    copy = away / room / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", ".*", "dist", "build")
    shutil.copytree(CHECKOUT, copy, ignore=ignored)
    present = " ".join(test for test in tests.split() if (copy / test).exists())
    config, database = away / room / "config.toml", away / room / "mutants.sqlite"
    command = COMMAND.format(python=options.tests_python, tests=present)
    config.write_text(CONFIG.format(module=module, command=command), "utf-8")
    # Bytecode is told apart by its source's time and size; mutants can agree in both.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)}

    def cosmic_ray(*arguments: str | Path) -> None:
        command = [Path(sys.executable).with_name("cosmic-ray"), *arguments]
        subprocess.run(command, cwd=copy, env=env, check=True, stdout=subprocess.DEVNULL)

    started = time.monotonic()
    cosmic_ray("init", config, database)
    cosmic_ray("baseline", config)
    with sqlite3.connect(database) as mutants:
        chosen, possible = choose(mutants, copy, options)
    cosmic_ray("exec", config, database)
    with sqlite3.connect(database) as mutants:
        killed, survivors = outcomes(mutants)
    minutes = (time.monotonic() - started) / 60
    noticed = f"{killed} of {chosen} noticed, {killed / max(1, chosen):.1%}"
    report = [f"== {room}: {noticed} ({possible} possible, {minutes:.1f} min)"]
    report += [str(survivor) for survivor in survivors]
    print("\n".join(report), flush=True)


def choose(mutants: sqlite3.Connection, copy: Path, options: argparse.Namespace) -> tuple[int, int]:
    """Forgets mutants that cannot matter and those beyond the sample; counts what is left."""
    unseen = {
        path.relative_to(copy).as_posix(): unseen_places(path)
        for path in (copy / "pipeflow").rglob("*.py")
    }
    spots: dict[Spot, list[str]] = {}
    dropped = []
    rows = mutants.execute(
        "SELECT job_id, module_path, operator_name, start_pos_row, start_pos_col "
        "FROM mutation_specs ORDER BY module_path, start_pos_row, start_pos_col, operator_name"
    )
    for job, module, operator, row, column in rows:
        family = operator.rsplit("_", 1)[0]
        makes_identity = operator.endswith(("_Is", "_IsNot")) and "_Is" not in family
        in_annotation = any(start <= (row, column) < end for start, end in unseen[module])
        if makes_identity or in_annotation:
            dropped.append(job)
        else:
            spots.setdefault(Spot(module, row, column, family), []).append(job)
    possible = sum(map(len, spots.values()))
    chance = random.Random(options.seed)
    drawn = [chance.sample(jobs, min(len(jobs), options.per_spot)) for jobs in spots.values()]
    chosen = list(itertools.chain.from_iterable(drawn))
    if options.most is not None and len(chosen) > options.most:
        chosen = chance.sample(chosen, options.most)
    dropped += set(itertools.chain.from_iterable(spots.values())).difference(chosen)
    for table in ("mutation_specs", "work_items"):
        mutants.executemany(f"DELETE FROM {table} WHERE job_id = ?", [(job,) for job in dropped])
    return len(chosen), possible


def unseen_places(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """What no test can notice: annotations, imports for them, overloads, `*` before keywords."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    evaluated = {
        annotation
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.bases  # msgspec's; attrs does not look
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        for annotation in [statement.annotation]
    }
    found: list[ast.expr] = []
    others = [
        ((row - 1, 0), (row + 1, 0))
        for row, line in enumerate(text.splitlines(), 1)
        if line.strip() == "@overload"
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [node.returns] if node.returns else []
            if node.args.kwonlyargs and not node.args.vararg:
                first = node.args.kwonlyargs[0]
                before = node.args.args[-1] if node.args.args else node
                others.append(
                    ((before.lineno, before.col_offset), (first.lineno, first.col_offset))
                )
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation not in evaluated:
            found += [node.annotation] if node.annotation else []
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found += [node.test]
    return others + [
        ((each.lineno, each.col_offset), (each.end_lineno or 0, each.end_col_offset or 0))
        for each in found
    ]


def outcomes(mutants: sqlite3.Connection) -> tuple[int, list[Survivor]]:
    """How many were noticed, and those that were not."""
    rows = mutants.execute(
        "SELECT module_path, start_pos_row, operator_name, diff, test_outcome "
        "FROM work_results JOIN mutation_specs USING (job_id) ORDER BY 1, 2, 3"
    ).fetchall()
    survivors = [Survivor(*row) for *row, outcome in rows if outcome.lower() == "survived"]
    return len(rows) - len(survivors), survivors


if __name__ == "__main__":
    main()
