"""The page about the command line is complete."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from pipeflow.cli.commands import pipeflow
from pipeflow.cli.formats import FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")


@pytest.mark.parametrize("command", pipeflow.commands.values(), ids=pipeflow.commands)
def test_the_page_names_every_option_of(command: click.Command) -> None:
    assert f"## `pipeflow {command.name}" in PAGE
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for name in parameter.opts:
                assert f"`{name}" in PAGE


def test_the_page_describes_every_format() -> None:
    for name in FORMATS:
        assert f"**`{name}`**" in PAGE
