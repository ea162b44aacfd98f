"""The `pipeflow` command.

```
commands     the options, and what each command does with them
├── history  walks a history and writes it
│   ├── formats      an update as text: table, jsonl, csv
│   ├── destination  where the text goes: stdout, or a file
│   └── failures     an error as one line and an exit code
├── login        OAuth in the browser, and its tokens in a file
├── sessions     the account, or a demo of one
├── signals      how Ctrl-C and `kill` end it
├── closed_pipes the end after `| head`
└── log          the log on stderr
```

It needs the extra `cli` (click and rich). This module imports without them.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

_EXTRA = {"click", "rich"}


def main() -> None:
    """Runs the command line and exits.

    Exit codes: 0; 1 for a failure of the API, the network or the output; 2 for wrong usage; 75 when
    the day's tokens are used up; 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP; 141 when
    the reader of the output has gone, as after `| head`.
    """
    try:
        # Here and not at the top: without the extra there is a sentence to say, not a traceback.
        from pipeflow.cli.commands import pipeflow  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.stderr.write("The command line needs an extra: pip install 'pipeflow[cli]'\n")
        sys.exit(2)
    pipeflow(prog_name="pipeflow")
