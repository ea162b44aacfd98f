"""Whose history it is: the kinds of owner that have a flow endpoint, and one owner of a kind."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attrs import frozen

from pipeflow.arguments import check_int
from pipeflow.items import FlowItem, OrganizationFlowItem, items_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

    from yarl import URL

__all__ = ["Owner", "OwnerKind"]


class OwnerKind(Enum):
    """The flow endpoints. They share their parameters and their envelope.

    A further endpoint is a further member: what one of its owners is called, the path of their
    collection, and the values that its `items` filter takes.

    Attributes:
        noun: What one of them is called, in messages and in the names of the session's methods.
        collection: The part of the path that all of them share.
        legal_items: The values of the `items` filter.
    """

    PERSON = ("person", "persons", FlowItem)
    DEAL = ("deal", "deals", FlowItem)
    ORGANIZATION = ("organization", "organizations", OrganizationFlowItem)

    def __init__(self, noun: str, collection: str, legal_items: type[StrEnum]) -> None:
        self.noun = noun
        self.collection = collection
        self.legal_items = legal_items

    def items_parameter(self, items: str | Iterable[str] | None) -> str | None:
        """The value of the `items` query parameter; see `pipeflow.items.items_parameter`."""
        return items_parameter(items, self.legal_items)


@frozen
class Owner:
    """One person, deal or organization.

    Attributes:
        kind: Which of these it is.
        id: Its id, 1 or more.

    Raises:
        ValueError: The id is out of bounds.
        TypeError: The id is not an int.
    """

    kind: OwnerKind
    id: int

    def __attrs_post_init__(self) -> None:
        number = check_int(f"the {self.kind.noun} id", self.id, least=1)
        object.__setattr__(self, "id", number)

    def flow_url(self, base_url: URL) -> URL:
        """The address of its history."""
        return base_url / self.kind.collection / str(self.id) / "flow"
