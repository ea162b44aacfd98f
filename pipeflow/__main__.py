"""`python -m pipeflow`: the `pipeflow` command."""

from pipeflow.cli import main

if __name__ == "__main__":
    main()
