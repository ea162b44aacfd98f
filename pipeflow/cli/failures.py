"""How a command ends other than well: one line on stderr and an exit code.

```
click.ClickException
├── Failure      1    the API, the network or the output
│                75   the day's tokens are used up
├── WrongUsage   2    nothing was sent
└── Stopped      130  Ctrl-C; 143 SIGTERM; 129 SIGHUP
click.exceptions.Exit
└── READER_GONE  141  a closed pipe
```
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

import click
from yarl import URL

from pipeflow.cli.printable import printable
from pipeflow.errors import (
    AuthenticationError,
    DailyBudgetExhaustedError,
    NotFoundError,
    PipeflowError,
    ReauthorizationRequiredError,
)

if TYPE_CHECKING:
    from pipeflow.cli.signals import Interrupted

__all__ = [
    "BUDGET_SPENT",
    "READER_GONE",
    "Failure",
    "Stopped",
    "WrongUsage",
    "exit_code_of",
    "what_went_wrong",
]

READER_GONE: Final = 141
"""128 + SIGPIPE, what shells show for `git log | head` too."""

BUDGET_SPENT: Final = 75
"""`EX_TEMPFAIL` of sysexits.h: the same will work later."""


class Failure(click.ClickException):
    """Something failed that may work later, or with another token."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(printable(message))
        # click would have a class for each.
        self.exit_code = exit_code  # type: ignore[misc]


class WrongUsage(Failure):
    """The arguments or the environment cannot be right. Nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)


class Stopped(Failure):
    """The user, or the system, has ended the command with a signal."""

    def __init__(self, interruption: Interrupted, advice: str) -> None:
        super().__init__(advice, exit_code=128 + interruption.signal)

    def show(self, file: IO[Any] | None = None) -> None:
        """Prints how to go on; nothing where there is nothing to go on with."""
        if self.message:
            click.echo(f"Stopped; {self.message}", file=file, err=True)


def exit_code_of(error: PipeflowError) -> int:
    """The exit code for an error."""
    return BUDGET_SPENT if isinstance(error, DailyBudgetExhaustedError) else 1


def what_went_wrong(error: PipeflowError, *, person_id: int, base_url: str | None) -> str:
    """What to tell the user: the error's own words, after plainer ones where there are some."""
    match error:
        case ReauthorizationRequiredError():
            return f"log in again with 'pipeflow login': {error}"
        case AuthenticationError():
            return f"the token was not accepted: {error}"
        case NotFoundError() if (meant := _missing_version(base_url)) is not None:
            return f"--base-url {base_url} is not the address of the API, try {meant}: {error}"
        case NotFoundError():
            return f"there is no person {person_id}: {error}"
        case _:
            return str(error)


def _missing_version(base_url: str | None) -> str | None:
    """The base URL with the version of the API that was left out; None if it is there."""
    if base_url is None or "v1" in (url := URL(base_url)).parts:
        return None
    host = url.host or ""
    is_company = host.endswith(".pipedrive.com") and host != "api.pipedrive.com"
    path = "api/v1" if is_company and "api" not in url.parts else "v1"
    return str(url / path)
