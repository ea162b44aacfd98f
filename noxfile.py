"""All checks: `nox`. One of them: `nox -s lint`, `nox -s tests`. More: `nox --list`."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "tests", "lowest"]

PROJECT = nox.project.load_toml("pyproject.toml")


def _group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, name)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, and the direction of imports."""
    session.install("-e", ".[cli]", *_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """mypy and pyright, on the package and the tests, and a public surface without unknowns."""
    session.install(
        "-e", ".[cli]", *_group("typing"), *_group("tests"), *_group("benchmarks"), "nox"
    )
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "pipeflow", "--ignoreexternal")


@nox.session
def tests(session: nox.Session) -> None:
    """The tests, on the built wheel and the newest dependencies, with full branch coverage."""
    session.install(".[cli]", *_group("tests"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "-q")
    session.run("coverage", "report")


@nox.session
def lowest(session: nox.Session) -> None:
    """The tests, on the built wheel and the lowest dependencies it allows."""
    session.install("uv")
    session.run("uv", "pip", "install", "-q", "--resolution", "lowest-direct", ".[cli]")
    session.run("uv", "pip", "install", "-q", *_group("tests"))
    session.run("pytest", "-q", *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measures and prints ratios; asserts no time."""
    session.install(".[cli]", *_group("tests"), *_group("benchmarks"))
    session.run("pytest", "-q", "-s", *(session.posargs or ["tests/benchmarks"]))
