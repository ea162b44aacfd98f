"""All checks: `nox`. One of them: `nox -s lint`, `nox -s tests`. What there is: `nox --list`."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "tests", "lowest"]

PROJECT = nox.project.load_toml("pyproject.toml")

WITH_EXTRAS = ".[cli,html,redis]"

IN_PARALLEL = ("-n", "auto", "--dist", "loadfile")
"""A file's tests stay together: the examples of a page build on each other."""


def group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, name)


def leave_sources(session: nox.Session) -> Path:
    """Goes where the tests are, and the package is not: what is imported is the built wheel."""
    away = Path(session.create_tmp()) / "away"
    shutil.rmtree(away, ignore_errors=True)
    away.mkdir()
    for folder in ("tests", "docs"):
        shutil.copytree(folder, away / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("CHANGELOG.md", "README.md", "conftest.py", "pyproject.toml"):
        shutil.copy(file, away)
    session.chdir(away)
    return away


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, and the direction of imports."""
    session.install("-e", WITH_EXTRAS, *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """mypy and pyright, on the package and the tests, and a public surface without unknowns."""
    groups = [*group("typing"), *group("tests"), *group("benchmarks")]
    session.install("-e", WITH_EXTRAS, *groups, "nox")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "pipeflow", "--ignoreexternal")


@nox.session
def tests(session: nox.Session) -> None:
    """The tests, on the built wheel and the newest dependencies, with full branch coverage."""
    session.install(WITH_EXTRAS, *group("tests"))
    leave_sources(session)
    session.run("coverage", "run", "-m", "pytest", "-q", *IN_PARALLEL, *session.posargs)
    session.run("coverage", "combine", "-q")
    # All of it. But CPython 3.11 loses the trace of a frame in which an asyncio.timeout expired,
    # so that now and then a line that ran is not recorded.
    session.run(
        "coverage", "report", "--include=*/pipeflow/*", "--fail-under=99.8", "--precision=1"
    )
    session.run("coverage", "report", "--include=tests/*", "--fail-under=99.5", "--precision=1")


@nox.session
def lowest(session: nox.Session) -> None:
    """The tests, on the built wheel and the lowest dependencies it allows."""
    session.install("uv")
    session.run("uv", "pip", "install", "-q", "--resolution", "lowest-direct", WITH_EXTRAS)
    session.run("uv", "pip", "install", "-q", *group("tests"))
    leave_sources(session)
    session.run("pytest", "-q", *IN_PARALLEL, *session.posargs)


@nox.session(python=["3.12", "3.13", "3.14"], default=False)
def newer(session: nox.Session) -> None:
    """The tests on the built wheel, on each newer Python that is installed."""
    session.install(WITH_EXTRAS, *group("tests"))
    leave_sources(session)
    session.run("pytest", "-q", *IN_PARALLEL, *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measures and prints ratios; asserts no time."""
    session.install(WITH_EXTRAS, *group("tests"), *group("benchmarks"), *group("peers"))
    leave_sources(session)
    session.run("pytest", "-q", "-s", *(session.posargs or ["tests/benchmarks"]))
