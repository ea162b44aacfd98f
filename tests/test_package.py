from __future__ import annotations

import importlib
import subprocess
import sys
from importlib import metadata

import pipeflow


def test_the_version_is_that_of_what_is_installed() -> None:
    assert pipeflow.__version__ == metadata.version("pipeflow")


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-m", "pipeflow", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    assert pipeflow.__version__ in done.stdout


def test_importing_the_command_runs_nothing() -> None:
    assert importlib.import_module("pipeflow.__main__").main
