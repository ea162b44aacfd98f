"""The fields that change in a generated history, and what they change to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import define, field

from pipeflow.testing.histories.cast import custom_field_key

if TYPE_CHECKING:
    import random

    from pipeflow.testing.histories.cast import Cast

__all__ = ["CUSTOM", "LABELS", "STAGES", "STANDARD", "ChangingFields", "Choice", "FieldStep"]

Choice: TypeAlias = "tuple[Any, str | None]"
"""A value of a field, and how Pipedrive's screens spell it where that differs."""

LABELS: Final = ((5, "Customer"), (6, "Hot lead"), (7, "Warm lead"), (8, "Cold lead"))
STAGES: Final = ((1, "Enquiry"), (2, "Tasting"), (3, "Offer"), (4, "Negotiation"))
_ROASTS: Final = ((31, "Light"), (32, "Medium"), (33, "Dark"))
_MODELS: Final = ((41, "Volta 2"), (42, "Volta 3"), (43, "Brisa"))

STANDARD: Final[dict[str, dict[str, tuple[Choice, ...]]]] = {
    "personChange": {
        "job_title": tuple(
            (title, None)
            for title in ("Purchasing manager", "Head of purchasing", "Operations director")
        ),
        "phone": tuple(
            ([{"label": "work", "value": number, "primary": True}], number)
            for number in ("+49 40 5550 101", "+49 40 5550 172", "+49 171 5550 188")
        ),
        "label": LABELS,
        "marketing_status": tuple(
            (status, None) for status in ("no_consent", "subscribed", "unsubscribed")
        ),
    },
    "dealChange": {
        "stage_id": STAGES,
        "status": (("open", None), ("won", None), ("lost", None)),
        "value": tuple((value, None) for value in (4_900, 12_750, 29_800, 31_200, 48_500.5)),
        "probability": tuple((percent, f"{percent}%") for percent in (20, 50, 80, 95)),
        "expected_close_date": tuple(
            (day, None) for day in ("2026-06-30", "2026-07-15", "2026-09-01", "2026-12-18")
        ),
    },
    "organizationChange": {
        "address": tuple(
            (address, None)
            for address in ("Quay Street 4, Hamburg", "Harbour Lane 19, Kiel", "Old Pier 2, Bremen")
        ),
        "label": LABELS,
        "people_count": tuple((count, None) for count in (3, 4, 7)),
    },
}
CUSTOM: Final[dict[str, dict[str, tuple[Choice, ...]]]] = {
    "personChange": {
        custom_field_key("Favourite roast"): _ROASTS,
        custom_field_key("Cups a day"): tuple((cups, None) for cups in (120, 300, 450)),
        custom_field_key("Contract renewal"): (("2026-10-01", None), ("2027-04-01", None)),
        custom_field_key("Languages"): (("51,52", "English, German"), ("51", "English")),
    },
    "dealChange": {
        custom_field_key("Machine model"): _MODELS,
        custom_field_key("Site visit"): (("2026-03-02", None), ("2026-05-18", None)),
    },
    "organizationChange": {
        custom_field_key("Rooms"): tuple((rooms, None) for rooms in (84, 120, 310)),
        custom_field_key("Delivery address"): (
            ({"value": "Dock 7, Hamburg", "country": "Germany"}, "Dock 7, Hamburg"),
            ({"value": "Gate 2, Kiel", "country": "Germany"}, "Gate 2, Kiel"),
        ),
    },
}


@define
class FieldStep:
    """One change of one field."""

    item_id: int
    field_key: str
    old: Choice
    new: Choice


@define
class ChangingFields:
    """The present value of every field, so that each change begins where the last one ended."""

    _cast: Cast
    _random: random.Random
    _present: dict[tuple[str, int, str], Choice] = field(factory=dict)

    def step(self, kind: str, *, custom: bool) -> FieldStep:
        """Change a field of the person, a deal or the organization, as `kind` says."""
        item_id = self._item_id(kind)
        fields = CUSTOM[kind] if custom else STANDARD[kind] | {"owner_id": self._owners()}
        field_key = self._random.choice(list(fields))
        place = (kind, item_id, field_key)
        old = self._present.get(place, (None, None))
        new = self._random.choice([choice for choice in fields[field_key] if choice != old])
        self._present[place] = new
        return FieldStep(item_id, field_key, old, new)

    def _item_id(self, kind: str) -> int:
        match kind:
            case "personChange":
                return self._cast.person.id
            case "organizationChange":
                return self._cast.organization.id
            case _:
                return self._random.choice(self._cast.deals).id

    def _owners(self) -> tuple[Choice, ...]:
        return tuple((user.id, user.name) for user in self._cast.users[:4])
