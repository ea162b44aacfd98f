from __future__ import annotations

import copy
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest
from multidict import CIMultiDict

from pipeflow.credentials import Secret, hiding_arguments

if TYPE_CHECKING:
    from tests.conftest import Wrong

TOKEN = "0123456789abcdef0123456789abcdef01234567"


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(TOKEN)
    assert secret == TOKEN
    assert TOKEN not in repr(secret)
    assert TOKEN not in repr({"headers": CIMultiDict({"x-api-token": secret})})


def test_a_secret_is_neither_pickled_nor_copied() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(TOKEN))
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(Secret(TOKEN))


def test_a_refusal_does_not_show_what_was_refused() -> None:
    class Picky:
        @hiding_arguments
        def __init__(self, secret: Wrong) -> None:
            int(secret)

    with pytest.raises(ValueError, match="invalid literal") as raised:
        Picky(Secret(TOKEN))
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    frames = [line for line in shown.format() if "in __init__" in line]
    assert frames == []
