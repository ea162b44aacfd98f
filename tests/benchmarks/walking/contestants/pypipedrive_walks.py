"""pypipedrive-client: synchronous, and all pages have come before the first record is seen.

This is the body of its `Persons.flow`, on an `Api` whose fixed address was changed. `Persons`
itself makes its own `Api`, and version 1.0.2 cannot import it on Python 3.11, for nested quotes in
f-strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypipedrive.api.api import V1, Api

from tests.benchmarks.walking.history import PAGE_SIZE

if TYPE_CHECKING:
    from tests.benchmarks.walking.history import History


def flow(history: History) -> int:
    api = Api(history.api_token, version=V1)
    api.endpoint_url = f"{history.base_url}/"
    answer = api.all(history.path, {"limit": PAGE_SIZE, "all_changes": 1}).to_dict()
    count = 0
    for _record in answer["data"]:
        count += 1
    return count
