"""Classes of the user's for `data`, over a socket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import cattrs
import pytest

from pipeflow import PipedriveSession
from pipeflow.testing import FakePipedrive
from tests.session.conftest import session_at


@attrs.frozen
class Invoice:
    total: Decimal


INVOICES: Any = {
    7: [
        {
            "object": "invoice",
            "timestamp": "2024-03-01 09:30:00",
            "data": {"id": 2, "total": "1.1"},
        },
        {"object": "invoice", "timestamp": "2024-03-01 09:00:00", "data": {"id": 1, "total": "x"}},
    ]
}


async def test_a_session_gives_updates_with_the_user_s_classes() -> None:
    converter = cattrs.Converter()
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    async with (
        FakePipedrive(persons=INVOICES) as fake,
        session_at(fake, payloads={"invoice": Invoice}, converter=converter) as pipedrive,
    ):
        fitting, broken = [update async for update in pipedrive.iter_person_flow(7)]
    data: Any = fitting.data
    assert data == Invoice(Decimal("1.1"))
    assert (fitting.id, fitting.key) == (2, "invoice:2")
    assert broken.data == {"id": 1, "total": "x"}
    assert broken.decode_error is not None
    assert broken.decode_error.startswith("$.data[1].data.total: InvalidOperation")


def test_what_is_no_class_is_refused_when_the_session_is_made() -> None:
    payloads: Any = {"invoice": dict}
    with pytest.raises(TypeError, match="is not an attrs class"):
        PipedriveSession(api_token="made-up-token", payloads=payloads)
