"""Whole numbers as arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["WholeNumber"]


if TYPE_CHECKING:
    _IntParamType = click.ParamType[int]
else:
    _IntParamType = click.ParamType  # before 8.2 it is not generic


class WholeNumber(_IntParamType):
    """A whole number within bounds. A wrong one is told together with what would be right."""

    name = "number"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least = least
        self._most = most

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """The number that a text is."""
        text = str(value)
        # No id has more than 18 digits.
        if re.fullmatch("[0-9]{1,18}", text) is None:
            self._refuse(text, param, ctx)
        number = int(text)
        if number < self._least or (self._most is not None and number > self._most):
            self._refuse(text, param, ctx)
        return number

    def _refuse(
        self, text: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> NoReturn:
        most = self._most
        bounds = f"of {self._least} or more" if most is None else f"from {self._least} to {most}"
        self.fail(f"it takes a whole number {bounds}, not {text!r}", param, ctx)
