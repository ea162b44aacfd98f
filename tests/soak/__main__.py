"""The soak test as a command: `python -m tests.soak --seed 7 --walks 500`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time

from tests.soak.engine import soak


def main() -> int:
    """Prints the seed before and the figures after; 1 when a walk broke its promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--walks", type=int, default=500)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    figures = asyncio.run(soak(options.seed, options.walks))
    print(f"{figures}\n{time.monotonic() - began:.1f} s")
    return 1 if figures.wrong else 0


sys.exit(main())
