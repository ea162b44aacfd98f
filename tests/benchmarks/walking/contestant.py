"""Walks one history with one contestant: `contestant MODULE WALK BASE_URL TOKEN PERSON SIZE`."""

from __future__ import annotations

import gc
import importlib
import resource
import sys
import time
from pathlib import Path

from tests.benchmarks.walking.history import History
from tests.benchmarks.walking.processes import report


def peak_bytes() -> int:
    """The most memory this process ever had.

    Not `ru_maxrss`, which on Linux a process inherits from the one that started it.
    """
    [line] = [
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    ]
    return int(line.split()[1]) * 1024


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(module: str, walk: str, *whose: str) -> None:
    contestant = importlib.import_module(f"{__package__}.contestants.{module}")
    base_url, api_token, person_id, size = whose
    history = History(base_url, api_token, int(person_id), int(size))
    gc.collect()
    peak, cpu, began = peak_bytes(), cpu_seconds(), time.perf_counter()
    count = getattr(contestant, walk)(history)
    seconds = time.perf_counter() - began
    cpu = cpu_seconds() - cpu
    assert count == history.size, f"{count} of {history.size} updates"
    report({"seconds": seconds, "cpu": cpu, "memory": peak_bytes() - peak})


if __name__ == "__main__":
    main(*sys.argv[1:])
