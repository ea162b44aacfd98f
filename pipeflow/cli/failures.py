"""How a command ends other than well: one line on stderr and an exit code.

```
click.ClickException
├── Failure      1    the API, the network or the output
└── WrongUsage   2    nothing was sent
click.exceptions.Exit
├── INTERRUPTED  130  Ctrl-C
└── READER_GONE  141  a closed pipe
```
"""

from __future__ import annotations

from typing import Final

import click

from pipeflow.cli.printable import printable
from pipeflow.errors import AuthenticationError, NotFoundError, PipeflowError

__all__ = ["INTERRUPTED", "READER_GONE", "Failure", "WrongUsage", "what_went_wrong"]

INTERRUPTED: Final = 130
"""128 + SIGINT, what shells show for a command ended by Ctrl-C."""

READER_GONE: Final = 141
"""128 + SIGPIPE, what shells show for `git log | head` too."""


class Failure(click.ClickException):
    """Something failed that another try, or another token, may better."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class WrongUsage(Failure):
    """The arguments or the environment cannot be right. Nothing was sent."""

    exit_code = 2


def what_went_wrong(error: PipeflowError, *, person_id: int) -> str:
    """What to tell the user: the error's own words, after plainer ones where there are some."""
    match error:
        case AuthenticationError():
            return f"the token in PIPEDRIVE_API_TOKEN was not accepted: {error}"
        case NotFoundError():
            return f"there is no person {person_id}: {error}"
        case _:
            return str(error)
