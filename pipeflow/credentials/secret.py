"""A string that does not show itself, and constructors that do not show what they refuse."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Secret", "checked_secret", "hiding_arguments"]

Init = TypeVar("Init", bound="Callable[..., None]")

_HEADER_WORD = r"[\x21-\x7e]+"


class Secret(str):
    """A secret whose `repr` is `'***'`, in tracebacks with locals too, and that is not pickled.

    It is a string all the same: `str(secret)`, a format or an operator shows it.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not pickled")


def checked_secret(name: str, secret: str, *, source: str) -> Secret:
    """A secret that can stand in a header.

    Args:
        name: The argument's name, for the message.
        secret: What was given.
        source: Where the user finds the right one, for the message.

    Raises:
        ValueError: It is empty, or holds white space, a line break or a character that a header
            cannot carry.
        TypeError: It is not a string.
    """
    if not isinstance(secret, str):
        raise TypeError(f"{name} must be a string, not {type(secret).__name__}")
    if not secret:
        raise ValueError(f"{name} is empty; it stands in {source}")
    if not re.fullmatch(_HEADER_WORD, secret):
        raise ValueError(
            f"{name} must be one word of visible ASCII characters, without white space or line "
            "breaks; if you read it from a file, use .strip()"
        )
    return Secret(secret)


def hiding_arguments(init: Init) -> Init:
    """A constructor whose refusals do not show its arguments, in a traceback with locals either.

    A token with a line break or an address with a password is refused, and a secret all the same.
    """

    @functools.wraps(init)
    def constructor(*args: object, **kwargs: object) -> None:
        try:
            return init(*args, **kwargs)
        except (TypeError, ValueError) as error:
            refusal = error
        del args, kwargs
        refusal.__cause__ = refusal.__context__ = None
        raise refusal.with_traceback(None)

    return cast("Init", constructor)
