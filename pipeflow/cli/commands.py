"""The commands and their options."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from pipeflow import __version__
from pipeflow.cli.closed_pipes import QuietGroup
from pipeflow.cli.destination import STDOUT, open_destination
from pipeflow.cli.failures import Failure, Stopped
from pipeflow.cli.formats import FORMATS, ExcelFormat
from pipeflow.cli.history import HistoryWriter
from pipeflow.cli.log import log_on_stderr
from pipeflow.cli.login import DEFAULT_REDIRECT, Login, default_tokens_path
from pipeflow.cli.numbers import WholeNumber
from pipeflow.cli.sessions import DEMO_PERSON, account_session, demo_session
from pipeflow.cli.signals import Interrupted, run
from pipeflow.items import FlowItem, closest_item
from pipeflow.walking.plan import LARGEST_PAGE

__all__ = ["pipeflow"]

_FILE = click.Path(dir_okay=False, path_type=Path)


def _read_items(
    _context: click.Context,
    _parameter: click.Parameter,
    texts: tuple[str, ...],
) -> list[FlowItem] | None:
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    if texts and not names:
        raise click.BadParameter("no kind of update is named")
    return [_item(name) for name in names] or None


def _item(name: str) -> FlowItem:
    try:
        return FlowItem(name)
    except ValueError as error:
        raise click.BadParameter(
            f"{name!r} is not a kind of update; did you mean {closest_item(name).value!r}?"
        ) from error


@click.group(cls=QuietGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="pipeflow %(version)s")
def pipeflow() -> None:
    """See what happened to a person in Pipedrive, newest first.

    \b
    Try it without an account:
      pipeflow flow 1101 --demo
    """  # noqa: D301 - click knows a paragraph to leave alone by this character


@pipeflow.command()
@click.argument("person_id", type=WholeNumber(1))
@click.option(
    "--items",
    multiple=True,
    callback=_read_items,
    metavar="KIND,…",
    help=f"Only these kinds of update, such as note,activity. Kinds: {', '.join(FlowItem)}.",
)
@click.option("--all-changes", is_flag=True, help="Include changes of custom fields.")
@click.option(
    "--start",
    type=WholeNumber(0),
    default=0,
    metavar="N",
    help="Begin at this offset. A command that was broken off tells you which one.",
)
@click.option("--max-items", type=WholeNumber(0), metavar="N", help="Stop after N updates.")
@click.option(
    "--page-size",
    type=WholeNumber(1, LARGEST_PAGE),
    default=LARGEST_PAGE,
    show_default=True,
    metavar="N",
    help="Updates per request. A request costs 40 tokens, whatever its size.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    help="table (the default): rows to read. jsonl: everything, one JSON object per line. "
    "csv: for spreadsheets. html: a page to look at.",
)
@click.option(
    "--excel", is_flag=True, help="CSV that Excel opens with the right letters and dates."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    default=STDOUT,
    metavar="FILE",
    help="Write to FILE. It gets its name once everything is in it.",
)
@click.option("--append", is_flag=True, help="Add to the end of FILE, to go on with it.")
@click.option(
    "--quiet", "-q", is_flag=True, help="Leave out the last line, on requests and tokens."
)
@click.option("--verbose", "-v", is_flag=True, help="Show each request, retry and wait on stderr.")
@click.option("--base-url", metavar="URL", help="Ask another server, such as 'pipeflow fake'.")
@click.option(
    "--api-token-file",
    type=_FILE,
    metavar="FILE",
    help="Read the API token from FILE, instead of the environment.",
)
@click.option(
    "--tokens", "tokens_file", type=_FILE, metavar="FILE", help="Use the tokens of a login in FILE."
)
@click.option("--demo", is_flag=True, help=f"Show made-up data of person {DEMO_PERSON}.")
def flow(
    *,
    person_id: int,
    format_name: str | None,
    excel: bool,
    output: Path,
    append: bool,
    quiet: bool,
    verbose: bool,
    base_url: str | None,
    api_token_file: Path | None,
    tokens_file: Path | None,
    demo: bool,
    **walk: Any,  # noqa: ANN401 - the options of the walk
) -> None:
    """Print what happened to a person, newest first.

    Planned activities come before that. PIPEDRIVE_API_TOKEN holds your API token, and
    PIPEDRIVE_COMPANY_DOMAIN the 'acme' of acme.pipedrive.com.

    \b
    The last hundred notes and mails of person 7:
      pipeflow flow 7 --items note,mailMessage --max-items 100
    Everything, for a program:
      pipeflow flow 7 --all-changes --format jsonl --output history.jsonl
    For Excel:
      pipeflow flow 7 --excel --output history.csv
    To look at:
      pipeflow flow 7 --format html --output history.html
    """  # noqa: D301 - as above
    if demo and base_url is not None:
        raise click.UsageError("give --demo or --base-url, not both")
    if demo and person_id != DEMO_PERSON:
        raise click.UsageError(f"the demo is about person {DEMO_PERSON}")
    if append and output == STDOUT:
        raise click.UsageError("--append needs a file: give --output FILE")
    if excel and format_name not in (None, "csv"):
        raise click.UsageError(f"--excel is a CSV, not {format_name}")
    if append and format_name == "html":
        raise click.UsageError("a page of HTML cannot be added to: leave out --append")
    form = ExcelFormat if excel else FORMATS[format_name or "table"]
    opening = (
        demo_session()
        if demo
        else account_session(base_url, api_token_file=api_token_file, tokens_file=tokens_file)
    )
    with (
        log_on_stderr(verbose=verbose),
        open_destination(
            output, encoding=form.encoding, append=append, going_on=walk["start"] > 0
        ) as destination,
    ):
        writer = HistoryWriter(form(destination.stream), destination)
        try:
            stats = run(writer.write_person(opening, person_id, base_url=base_url, **walk))
        except Interrupted as interruption:
            raise Stopped(interruption, writer.advice) from None
    if not quiet:
        updates = _counted(stats.updates, "made-up update" if demo else "update")
        requests = _counted(stats.requests, "request")
        click.echo(f"{updates} in {requests} ({stats.tokens:,} tokens)", err=True)


@pipeflow.command()
@click.option(
    "--tokens",
    "tokens_file",
    type=_FILE,
    metavar="FILE",
    help="Keep the tokens in FILE. Without it, they are where the other commands look for them.",
)
@click.option(
    "--redirect-uri",
    default=DEFAULT_REDIRECT,
    show_default=True,
    metavar="URL",
    help="Where the browser comes back to on this machine, as registered with your app.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address, and open no browser.")
@click.option(
    "--timeout",
    type=WholeNumber(1),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for you.",
)
def login(*, tokens_file: Path | None, redirect_uri: str, no_browser: bool, timeout: int) -> None:
    """Log in with OAuth, in the browser, as an app of the marketplace does.

    PIPEDRIVE_CLIENT_ID and PIPEDRIVE_CLIENT_SECRET hold the id and the secret of your app. The
    tokens are kept in a file that only you can read, and refreshed there by the other commands.
    """
    path = tokens_file or default_tokens_path()
    waiting = Login(redirect_uri, path).tokens(in_browser=not no_browser, timeout=timeout)
    try:
        tokens = run(waiting)
    except Interrupted as interruption:
        raise Stopped(interruption, "") from None
    click.echo(f"Logged in to {tokens.api_domain}. The tokens are in {path}.", err=True)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@pipeflow.command()
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    default=0,
    metavar="N",
    help="Listen on this port. Without it, any free one is taken.",
)
def fake(*, port: int) -> None:
    """Serve made-up data as Pipedrive would, on this machine only, until Ctrl-C.

    It prints how to reach it.
    """
    try:
        run(_serve_fake(port))
    except Interrupted:
        pass  # the way to end it
    except OSError as error:
        raise Failure(f"cannot listen on port {port}: {error.strerror}") from error


async def _serve_fake(port: int) -> None:
    # Only here: the server's half of aiohttp takes time to import.
    from pipeflow.testing import FakePipedrive  # noqa: PLC0415

    async with FakePipedrive(port=port) as server:
        click.echo(
            f"A fake Pipedrive is at {server.base_url}\n"
            f"with made-up data of person {DEMO_PERSON}. Ctrl-C ends it. In another terminal:\n\n"
            f"    export PIPEDRIVE_API_TOKEN={server.api_token}\n"
            f"    pipeflow flow {DEMO_PERSON} --base-url {server.base_url}\n"
        )
        await asyncio.Event().wait()
