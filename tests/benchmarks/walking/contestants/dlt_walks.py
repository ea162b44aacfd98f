"""dlt's RESTClient with its offset paginator. It is synchronous, and adds `limit` to `start`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator

from tests.benchmarks.walking.history import PAGE_SIZE

if TYPE_CHECKING:
    from tests.benchmarks.walking.history import History


def paginated(history: History) -> int:
    client = RESTClient(
        history.base_url,
        headers=history.headers,
        data_selector="data",
        paginator=OffsetPaginator(
            PAGE_SIZE,
            offset_param="start",
            total_path=None,
            has_more_path="additional_data.pagination.more_items_in_collection",
        ),
    )
    count = 0
    for page in client.paginate(history.path, params={"all_changes": 1}):
        for _record in page:
            count += 1
    return count
