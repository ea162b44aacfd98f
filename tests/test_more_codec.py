from __future__ import annotations

import json

import pytest

from pipeflow.codec import decode_page


@pytest.mark.parametrize(("digits", "is_an_id"), [(19, True), (20, False)])
def test_an_id_as_text_has_at_most_19_digits(digits: int, is_an_id: bool) -> None:  # noqa: FBT001 - pytest's way
    entry = {"object": "note", "data": {"id": "9" * digits}}
    (update,) = decode_page(json.dumps({"data": [entry]}).encode()).updates
    assert (update.decode_error is None) == is_an_id
