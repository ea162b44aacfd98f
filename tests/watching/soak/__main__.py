"""The soak as a command: `python -m tests.watching.soak --persons 200 --kills 10`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time

from tests.watching.soak.engine import soak


def main() -> int:
    """Prints the seed before and the figures after; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.watching.soak", description=__doc__)
    parser.add_argument("--persons", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long things happen")
    parser.add_argument("--rate", type=float, default=20.0, help="how many happen in a second")
    parser.add_argument("--interval", type=float, default=4.0, help="seconds between two polls")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = vars(parser.parse_args())
    sys.stdout.write(f"seed {options['seed']}\n")
    sys.stdout.flush()
    began = time.monotonic()
    figures = asyncio.run(soak(**options))
    sys.stdout.write(f"{figures}\n{time.monotonic() - began:.1f} s\n")
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
