"""Fresh processes, each for one measurement, and the lines of JSON that they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def report(found: object) -> None:
    """What a process has to say to the one that started it."""
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()


def environment() -> dict[str, str]:
    """As usual, but that modules are compiled once, and not for each measurement."""
    return {name: said for name, said in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Measurement:
    """A module of this package run as a program, which prints one JSON object."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.{module}", *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )

    def result(self) -> dict[str, Any]:
        printed, _ = self._process.communicate()
        assert self._process.returncode == 0
        found: dict[str, Any] = json.loads(printed)
        return found


def measured(module: str, *arguments: object) -> dict[str, Any]:
    return Measurement(module, *arguments).result()
