from __future__ import annotations

from typing import NamedTuple

PAGE_SIZE = 500


class History(NamedTuple):
    """Whom to walk, and where. All contestants ask for all changes, 500 a page."""

    base_url: str
    api_token: str
    person_id: int
    size: int
    """Told to the one contestant that has to know it beforehand."""

    @property
    def path(self) -> str:
        return f"persons/{self.person_id}/flow"

    @property
    def url(self) -> str:
        return f"{self.base_url}/{self.path}"

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-token": self.api_token}


def page_parameters(start: int) -> dict[str, str]:
    return {"start": str(start), "limit": str(PAGE_SIZE), "all_changes": "1"}
