"""Imports the dependencies, and then pipeflow."""

from __future__ import annotations

import importlib
import time

from tests.benchmarks.walking.processes import report


def import_seconds(*names: str) -> float:
    began = time.process_time()
    for name in names:
        importlib.import_module(name)
    return time.process_time() - began


if __name__ == "__main__":
    dependencies = import_seconds("aiohttp", "attrs", "cattrs", "msgspec")
    report({"dependencies": dependencies, "pipeflow": import_seconds("pipeflow")})
