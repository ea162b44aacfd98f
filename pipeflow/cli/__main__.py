"""`python -m pipeflow.cli`, the same as `pipeflow`."""

from __future__ import annotations

from pipeflow.cli import main

main()
