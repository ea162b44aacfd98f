"""No test waits without an end for a program that does not hear Ctrl-C."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEARS = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_what_a_test_starts_hears_an_interrupt() -> None:
    command = [sys.executable, "-c", HEARS]
    assert subprocess.run(command, capture_output=True, check=True, timeout=30).stdout == b"True\n"


def test_it_does_so_where_the_suite_itself_ignores_interrupts() -> None:
    deaf = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv({0!r}, {1})"
    )
    test = f"{__file__}::{test_what_a_test_starts_hears_an_interrupt.__name__}"
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = subprocess.run(
        [sys.executable, "-c", deaf.format(sys.executable, suite)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stdout
