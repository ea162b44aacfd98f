"""`python -m tests.walking.model --walks 20000 --seed 7`: ends with 1 if a walk was wrong."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.walking.model.figures import many_walks


def main() -> int:
    """Walks as often as asked for, and prints what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.walking.model", description=__doc__)
    parser.add_argument("--walks", type=int, default=2000, help="how many, of all kinds in turn")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    figures = asyncio.run(many_walks(options.seed, options.walks))
    sys.stdout.write(f"seed {options.seed}\n{figures}\n")
    return 1 if figures.wrong else 0


sys.exit(main())
