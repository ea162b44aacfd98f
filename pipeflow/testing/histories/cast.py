"""The made-up people, companies and deals of a generated history.

One coffee supplier (whose Pipedrive account this is) and, for each person asked about, the hotel
group that this person buys for. No name or address here belongs to anyone.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from attrs import frozen

__all__ = ["COMPANY_ID", "Cast", "Deal", "Member", "custom_field_key"]

COMPANY_ID: Final = 77310

_USERS: Final = (
    (11, "Ines Okafor"),
    (12, "Tomasz Brandt"),
    (13, "Priya Vellanki"),
    (14, "Jonas Ekström"),
    (15, "Automation"),
)
_PEOPLE: Final = (
    "Mira Lindholm",
    "Daniel Achterberg",
    "Sofía Quintela",
    "Kwame Mensah-Roy",
    "Hanna Väisänen",
    "Lucas Ferreyra",
    "Noor Haddadin",
    "Oskar Rosengren",
    "Chiara Bellandi",
    "Rhys Pendry",
)
_ORGANIZATIONS: Final = (
    "Fjordlight Hotels",
    "Alderbrook Inns",
    "Casa Miramonte",
    "Northquay Hospitality",
    "Lindenhof Gruppe",
)
_DEAL_TITLES: Final = (
    ("Espresso bar for the harbour wing", 48_500),
    ("House blend, yearly supply", 31_200),
    ("Grinders for the conference floor", 12_750),
    ("Barista training, spring course", 4_900),
    ("Rooftop café fit-out", 67_000),
)


@frozen
class Member:
    """A user of the account or a person in it."""

    id: int
    name: str

    @property
    def email(self) -> str:
        """A plausible address under example.com."""
        ascii_name = self.name.translate(str.maketrans("äöíÄÖ", "aoiAO"))
        return f"{ascii_name.lower().replace(' ', '.')}@example.com"

    @property
    def phone(self) -> str:
        """A plausible number."""
        return f"+49 40 5550 {self.id % 10_000:04}"


@frozen
class Deal:
    """A deal: what is sold, and for how much to begin with, in euros."""

    id: int
    title: str
    value: int


@frozen
class Cast:
    """Everyone and everything that a history about one person names."""

    person: Member
    colleagues: tuple[Member, ...]
    users: tuple[Member, ...]
    organization: Member
    deals: tuple[Deal, ...]

    @classmethod
    def around(cls, person_id: int) -> Cast:
        """The cast for a person; the same id gives the same cast."""
        position = person_id - 1101
        names = [_PEOPLE[(position + turn) % len(_PEOPLE)] for turn in range(4)]
        person, *colleagues = names
        return cls(
            person=Member(person_id, person),
            colleagues=tuple(
                Member(person_id * 10 + number, name)
                for number, name in enumerate(colleagues, start=1)
            ),
            users=tuple(Member(user_id, name) for user_id, name in _USERS),
            organization=Member(person_id + 4000, _ORGANIZATIONS[position % len(_ORGANIZATIONS)]),
            deals=tuple(
                Deal(person_id * 10 + number, title, value)
                for number, (title, value) in enumerate(_DEAL_TITLES, start=1)
            ),
        )

    def related(self) -> dict[str, dict[int, dict[str, Any]]]:
        """The `related_objects` of the whole cast, by kind and id."""
        owner = self.users[0].id
        return {
            "user": {
                user.id: {
                    "id": user.id,
                    "name": user.name,
                    "email": user.email,
                    "has_pic": 0,
                    "pic_hash": None,
                    "active_flag": True,
                }
                for user in self.users
            },
            "person": {
                person.id: {
                    "active_flag": True,
                    "id": person.id,
                    "name": person.name,
                    "email": [{"label": "work", "value": person.email, "primary": True}],
                    "phone": [
                        {
                            "label": "work",
                            "value": person.phone,
                            "primary": True,
                        }
                    ],
                    "owner_id": owner,
                }
                for person in (self.person, *self.colleagues)
            },
            "organization": {
                self.organization.id: {
                    "id": self.organization.id,
                    "name": self.organization.name,
                    "people_count": 1 + len(self.colleagues),
                    "owner_id": owner,
                    "address": "Quay Street 4, 20457 Hamburg, Germany",
                    "active_flag": True,
                    "cc_email": "nordkaffee@example.com",
                }
            },
            "deal": {
                deal.id: {
                    "id": deal.id,
                    "title": deal.title,
                    "status": "open",
                    "value": deal.value,
                    "currency": "EUR",
                    "stage_id": 2,
                    "pipeline_id": 1,
                }
                for deal in self.deals
            },
        }


def custom_field_key(name: str) -> str:
    """The key of a custom field: 40 hexadecimal digits, the same for the same name."""
    return hashlib.blake2b(name.encode(), digest_size=20).hexdigest()
