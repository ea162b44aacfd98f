"""The `data` of an activity, field by field as Pipedrive sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeflow.testing.histories.cast import COMPANY_ID
from pipeflow.testing.histories.payloads import wire_time

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.testing.histories.cast import Cast, Deal, Member

__all__ = ["activity"]

_ACTIVITY_PLACE: Final = {
    "location_subpremise": "",
    "location_street_number": "4",
    "location_route": "Quay Street",
    "location_sublocality": "",
    "location_locality": "Hamburg",
    "location_admin_area_level_1": "Hamburg",
    "location_admin_area_level_2": "",
    "location_country": "Germany",
    "location_postal_code": "20457",
    "location_formatted_address": "Quay Street 4, 20457 Hamburg, Germany",
}
_NO_PLACE: Final = dict.fromkeys(_ACTIVITY_PLACE, "")


def activity(
    number: int,
    moment: datetime,
    cast: Cast,
    user: Member,
    *,
    kind: str,
    subject: str,
    deal: Deal | None,
    done: bool,
    added: datetime,
    timed: bool,
    note: str = "",
    recording: bool = False,
) -> dict[str, Any]:
    """An activity, planned at `added`, that was done at `moment` or is due then."""
    meets = kind in {"meeting", "lunch"}
    person, organization = cast.person, cast.organization
    return {
        "id": number,
        "company_id": COMPANY_ID,
        "user_id": user.id,
        "done": done,
        "type": kind,
        "type_name": kind.capitalize(),
        "reference_type": "scheduler-service" if meets else "none",
        "reference_id": number % 97 if meets else None,
        "conference_meeting_client": "871b8bc88d3a1202" if meets else None,
        "conference_meeting_url": f"https://meet.example.com/{number}" if meets else None,
        "conference_meeting_id": str(17_000_000_000 + number) if meets else None,
        "original_start_time": None,
        "due_date": moment.strftime("%Y-%m-%d"),
        "due_time": moment.strftime("%H:%M") if timed else "",
        "duration": "01:00" if meets else "00:15" if timed else "",
        "busy_flag": meets,
        "private": False,
        "priority": None,
        "add_time": wire_time(added),
        "marked_as_done_time": wire_time(moment) if done else "",
        "last_notification_time": None,
        "last_notification_user_id": None,
        "notification_language_id": 1,
        "subject": subject,
        "public_description": "",
        "calendar_sync_include_context": "",
        "location": "Quay Street 4, Hamburg, Germany" if meets else None,
        "org_id": organization.id,
        "person_id": person.id,
        "deal_id": deal.id if deal else None,
        "lead_id": None,
        "lead_title": "",
        "project_id": None,
        "project_title": None,
        "active_flag": True,
        "update_time": wire_time(moment if done else added),
        "update_user_id": user.id if done else None,
        "gcal_event_id": None,
        "google_calendar_id": None,
        "google_calendar_etag": None,
        "source_timezone": "Europe/Berlin" if meets else "",
        "rec_rule": None,
        "rec_rule_extension": None,
        "rec_master_activity_id": None,
        "is_recurring": False,
        "series": [],
        "note": note,
        "created_by_user_id": user.id,
        **(_ACTIVITY_PLACE if meets else _NO_PLACE),
        "attendees": [
            {
                "email_address": person.email,
                "is_organizer": 0,
                "name": person.name,
                "person_id": person.id,
                "status": "accepted" if done else "noreply",
                "user_id": None,
            }
        ]
        if meets
        else None,
        "participants": [
            {"person_id": person.id, "primary_flag": True},
            *(
                {"person_id": other.id, "primary_flag": False}
                for other in cast.colleagues[:1]
                if meets
            ),
        ],
        "org_name": organization.name,
        "person_name": person.name,
        "deal_title": deal.title if deal else None,
        "owner_name": user.name,
        "person_dropbox_bcc": "nordkaffee@example.com",
        "deal_dropbox_bcc": f"nordkaffee+deal{deal.id}@example.com" if deal else None,
        "assigned_to_user_id": user.id,
        "file": {
            # A string with a comma at its end, as in the published example.
            "id": f"{number},",
            "clean_name": "Audio 10:55:07.m4a",
            "url": f"https://files.example.com/{number}/Audio-recording.m4a",
        }
        if recording
        else None,
    }
