"""Activities: calls, meetings, tasks, deadlines, planned or done."""

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

import attrs

from pipeflow.records.values import Record

__all__ = ["Activity", "ActivityAttendee", "ActivityFile", "ActivityLead", "ActivityParticipant"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ActivityParticipant(Record):
    """A person of the Pipedrive account who takes part in an activity.

    Attributes:
        person_id: The id of the person.
        primary_flag: Whether this is the person that the activity is linked to.
    """

    person_id: int | None = None
    primary_flag: bool | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ActivityAttendee(Record):
    """Someone invited to an activity by e-mail.

    Attributes:
        email_address: The address of the invitation.
        is_organizer: Whether this is the organizer.
        name: The name in the invitation.
        person_id: The id of the person with this address, where there is one.
        status: The answer to it, such as `noreply` or `accepted`.
        user_id: The id of the user with this address, where there is one.
    """

    email_address: str | None = None
    is_organizer: bool | None = None
    name: str | None = None
    person_id: int | None = None
    status: str | None = None
    user_id: int | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ActivityFile(Record):
    """A recording that belongs to an activity.

    Attributes:
        id: The id of the file. The published example has it as the string `"376892,"`.
        clean_name: The name to show.
        url: Where the recording is.
    """

    id: int | None = None
    clean_name: str | None = None
    url: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ActivityLead(Record):
    """The lead that an activity is linked to; no shape is published for it.

    Attributes:
        id: The UUID of the lead.
        title: Its title.
    """

    id: str | None = None
    title: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Activity(Record):
    """A call, a meeting, a task or another activity, planned or done.

    From the published examples of the three flow endpoints; `original_start_time`, `private`,
    `priority`, `is_recurring`, `lead_title`, `project_title`, `type_name` and `lead` from newer
    answers.
    Pipedrive writes `""` for most texts that are not there, and so does this class.

    Attributes:
        id: The id of the activity.
        company_id: The id of the Pipedrive account.
        user_id: The id of the user it belongs to.
        done: Whether it is marked as done. An update of an activity that is not comes before all
            others, whatever its timestamp.
        type: The key of its type, such as `call` or `deadline`.
        reference_type: The kind of object in `reference_id`, such as `scheduler-service`.
        reference_id: The id of the object that it was made from.
        conference_meeting_client: The id of the conference software.
        conference_meeting_url: Where the conference is.
        conference_meeting_id: The conference's id in that software.
        due_date: The day it is due, in UTC.
        due_time: The time of day it is due, in UTC; None for a whole day.
        duration: How long it takes.
        busy_flag: Whether it shows its owner as busy.
        add_time: When it was made, in UTC.
        marked_as_done_time: When it was marked as done, in UTC.
        last_notification_time: When its owner was last reminded, in UTC.
        last_notification_user_id: The id of the user who was.
        notification_language_id: The id of the reminder's language.
        subject: What it is about.
        public_description: What the attendees see, as HTML.
        calendar_sync_include_context: What is passed on to a synchronised calendar.
        location: Where it takes place, as it was typed in.
        org_id: The id of the organization it is linked to.
        person_id: The id of the person it is linked to.
        deal_id: The id of the deal it is linked to.
        lead_id: The UUID of the lead it is linked to.
        project_id: The id of the project it is linked to.
        active_flag: Whether it is there; False when it was deleted.
        update_time: When it was last changed, in UTC.
        update_user_id: The id of the user who changed it last.
        gcal_event_id: The id of the event in Google Calendar.
        google_calendar_id: The id of the calendar there.
        google_calendar_etag: The version of the event there.
        source_timezone: The time zone it was planned in.
        rec_rule: The series' rule, such as `RRULE:FREQ=WEEKLY;BYDAY=WE`.
        rec_rule_extension: What the rule cannot say, such as days left out.
        rec_master_activity_id: The id of the first activity of the series.
        series: The activities of the series; no shape is published for them.
        note: What is to be known about it, as HTML.
        created_by_user_id: The id of the user who made it.
        location_subpremise: The flat or suite, of the location as Google Maps knows it.
        location_street_number: The house number.
        location_route: The street.
        location_sublocality: The district.
        location_locality: The town.
        location_admin_area_level_1: The state or county.
        location_admin_area_level_2: The part of it.
        location_country: The country.
        location_postal_code: The postal code.
        location_formatted_address: The whole address.
        attendees: Those invited by e-mail.
        participants: The persons who take part, the primary one among them.
        org_name: The name of the organization.
        person_name: The name of the person.
        deal_title: The title of the deal.
        owner_name: The name of the user.
        person_dropbox_bcc: The address that links mail to the person.
        deal_dropbox_bcc: The address that links mail to the deal.
        assigned_to_user_id: The id of the user it is assigned to.
        file: The recording that belongs to it.
        type_name: The name of its type, as shown in Pipedrive.
        priority: The number of its priority.
        private: Whether only its owner sees it.
        original_start_time: When a moved event of a series was to begin, in UTC.
        lead_title: The title of the lead.
        project_title: The title of the project.
        is_recurring: Whether it is one of a series.
        lead: The lead it is linked to.
    """

    kinds: ClassVar[tuple[str, ...]] = ("activity",)

    id: int | None = None
    company_id: int | None = None
    user_id: int | None = None
    done: bool | None = None
    type: str | None = None
    reference_type: str | None = None
    reference_id: int | None = None
    conference_meeting_client: str | None = None
    conference_meeting_url: str | None = None
    conference_meeting_id: str | None = None
    due_date: date | None = None
    due_time: time | None = None
    duration: timedelta | None = None
    busy_flag: bool | None = None
    add_time: datetime | None = None
    marked_as_done_time: datetime | None = None
    last_notification_time: datetime | None = None
    last_notification_user_id: int | None = None
    notification_language_id: int | None = None
    subject: str | None = None
    public_description: str | None = None
    calendar_sync_include_context: str | None = None
    location: str | None = None
    org_id: int | None = None
    person_id: int | None = None
    deal_id: int | None = None
    lead_id: str | None = None
    project_id: int | None = None
    active_flag: bool | None = None
    update_time: datetime | None = None
    update_user_id: int | None = None
    gcal_event_id: str | None = None
    google_calendar_id: str | None = None
    google_calendar_etag: str | None = None
    source_timezone: str | None = None
    rec_rule: str | None = None
    rec_rule_extension: str | None = None
    rec_master_activity_id: int | None = None
    series: tuple[Any, ...] = ()
    note: str | None = None
    created_by_user_id: int | None = None
    location_subpremise: str | None = None
    location_street_number: str | None = None
    location_route: str | None = None
    location_sublocality: str | None = None
    location_locality: str | None = None
    location_admin_area_level_1: str | None = None
    location_admin_area_level_2: str | None = None
    location_country: str | None = None
    location_postal_code: str | None = None
    location_formatted_address: str | None = None
    attendees: tuple[ActivityAttendee, ...] = ()
    participants: tuple[ActivityParticipant, ...] = ()
    org_name: str | None = None
    person_name: str | None = None
    deal_title: str | None = None
    owner_name: str | None = None
    person_dropbox_bcc: str | None = None
    deal_dropbox_bcc: str | None = None
    assigned_to_user_id: int | None = None
    file: ActivityFile | None = None
    type_name: str | None = None
    priority: int | None = None
    private: bool | None = None
    original_start_time: datetime | None = None
    lead_title: str | None = None
    project_title: str | None = None
    is_recurring: bool | None = None
    lead: ActivityLead | None = None
