"""The API token: checked on the way in, hidden wherever it is shown."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["ApiToken", "hiding_arguments"]

Init = TypeVar("Init", bound="Callable[..., None]")

_HEADER_WORD = r"[\x21-\x7e]+"


class ApiToken(str):
    """A token that does not show itself: its `repr` is `'***'`, in tracebacks with locals too.

    Raises:
        ValueError: It is empty, or holds white space, a line break or a character that a header
            cannot carry.
        TypeError: It is not a string.
    """

    __slots__ = ()

    def __new__(cls, api_token: str) -> Self:
        """Checks a token and hides it."""
        if not isinstance(api_token, str):
            raise TypeError(f"api_token must be a string, not {type(api_token).__name__}")
        if not api_token:
            raise ValueError("api_token is empty; it stands in Pipedrive's personal preferences")
        if not re.fullmatch(_HEADER_WORD, api_token):
            raise ValueError(
                "api_token must be one word of visible ASCII characters, without white space or "
                "line breaks; a token read from a file wants .strip()"
            )
        return super().__new__(cls, api_token)

    def __repr__(self) -> str:
        return "'***'"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an API token is not pickled")


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
