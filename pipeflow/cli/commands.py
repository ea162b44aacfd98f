"""The commands and their options."""

from __future__ import annotations

import asyncio
from importlib import metadata
from pathlib import Path

import click

from pipeflow.cli.destination import STDOUT, open_destination
from pipeflow.cli.failures import INTERRUPTED, Failure
from pipeflow.cli.formats import FORMATS
from pipeflow.cli.history import HistoryWriter
from pipeflow.cli.sessions import DEMO_PERSON, account_session, demo_session
from pipeflow.items import FlowItem, closest_item
from pipeflow.walking.plan import LARGEST_PAGE

__all__ = ["pipeflow"]


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
            f"{name!r} is no kind of update; did you mean {closest_item(name).value!r}?"
        ) from error


def _version() -> str:
    try:
        return metadata.version("pipeflow")
    except metadata.PackageNotFoundError:
        return "of a source folder, not installed"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), message="pipeflow %(version)s")
def pipeflow() -> None:
    """The history of a person in Pipedrive: everything that happened, newest first.

    Try it without an account: pipeflow flow 1101 --demo
    """


@pipeflow.command()
@click.argument("person_id", type=click.IntRange(min=1))
@click.option(
    "--items",
    multiple=True,
    callback=_read_items,
    metavar="KIND,…",
    help="Only these kinds of update, such as activity,note,personChange. May be repeated.",
)
@click.option("--all-changes", is_flag=True, help="Changes of custom fields, too.")
@click.option(
    "--start",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="The offset of the first update; a walk that broke off says where to go on.",
)
@click.option(
    "--max-items", type=click.IntRange(min=0), metavar="N", help="At most so many updates."
)
@click.option(
    "--page-size",
    type=click.IntRange(1, LARGEST_PAGE),
    default=LARGEST_PAGE,
    show_default=True,
    metavar="N",
    help="Updates per request. Each request costs 40 tokens, whatever its size.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    default="table",
    show_default=True,
    help="How it looks: rows to read, JSON lines with everything, or CSV.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    default=STDOUT,
    metavar="FILE",
    help="Into this file, once all of it is there.",
)
@click.option("--quiet", "-q", is_flag=True, help="No closing line about requests and tokens.")
@click.option("--base-url", metavar="URL", help="Another server, such as that of 'pipeflow fake'.")
@click.option(
    "--demo", is_flag=True, help=f"Made-up data of person {DEMO_PERSON}; needs no account."
)
def flow(
    *,
    person_id: int,
    items: list[FlowItem] | None,
    all_changes: bool,
    start: int,
    max_items: int | None,
    page_size: int,
    format_name: str,
    output: Path,
    quiet: bool,
    base_url: str | None,
    demo: bool,
) -> None:
    """Print what happened to a person, newest first; planned activities come before that.

    The API token is read from the environment variable PIPEDRIVE_API_TOKEN, and the first part of
    your Pipedrive address, such as 'acme' for acme.pipedrive.com, from PIPEDRIVE_COMPANY_DOMAIN.
    """
    if demo and base_url is not None:
        raise click.UsageError("give --demo or --base-url, not both")
    if demo and person_id != DEMO_PERSON:
        raise click.UsageError(f"the demo is about person {DEMO_PERSON}")
    opening = demo_session() if demo else account_session(base_url)
    form = FORMATS[format_name]
    with open_destination(output, encoding=form.encoding) as destination:
        writer = HistoryWriter(form(destination.stream), destination)
        walk = writer.write_person(
            opening,
            person_id,
            items=items,
            all_changes=all_changes,
            start=start,
            max_items=max_items,
            page_size=page_size,
        )
        try:
            stats = asyncio.run(walk)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
    if not quiet:
        updates = _counted(stats.updates, "made-up update" if demo else "update")
        requests = _counted(stats.requests, "request")
        click.echo(f"{updates} in {requests} ({stats.tokens:,} tokens)", err=True)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@pipeflow.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="The port to listen on; any free one by default.",
)
def fake(*, port: int) -> None:
    """Serve made-up data as Pipedrive would, on this machine only, until Ctrl-C."""
    try:
        asyncio.run(_serve_fake(port))
    except KeyboardInterrupt:
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
