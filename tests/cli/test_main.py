"""The way into the command line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import pipeflow

if TYPE_CHECKING:
    from .conftest import Run


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").stdout == f"pipeflow {pipeflow.__version__}\n"


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_extra_one_line_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == package or name.startswith("pipeflow.cli."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(package), *sys.meta_path])
    outcome = run("flow", 1101, "--demo")
    assert outcome.exit_code == 2
    assert outcome.stderr == ("The command line needs an extra: pip install 'pipeflow[cli]'\n")


def test_another_missing_module_is_not_blamed_on_the_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pipeflow.cli.commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing("pipeflow.cli.commands"), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError):
        run("--version")


def test_pipeflow_cli_imports_neither_click_nor_rich() -> None:
    code = "import sys, pipeflow.cli; print({'click', 'rich'} & set(sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert printed.stdout == "set()\n"


def test_python_m_runs_the_same_command() -> None:
    command = [sys.executable, "-m", "pipeflow.cli", "flow", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    assert done.stdout.startswith("Usage: pipeflow flow ")


class Missing:
    """A finder that finds one package missing."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
