from __future__ import annotations

import runpy
import sys
from importlib import metadata

import pytest

import pipeflow


def test_the_version_is_that_of_what_is_installed() -> None:
    assert pipeflow.__version__ == metadata.version("pipeflow")


def test_the_package_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pipeflow", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("pipeflow", run_name="__main__")
    assert not ended.value.code
    assert pipeflow.__version__ in capsys.readouterr().out


def test_importing_the_command_runs_nothing() -> None:
    assert runpy.run_module("pipeflow.__main__", run_name="other")["main"]
