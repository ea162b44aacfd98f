"""The records: frozen values that hold what the API says, and nothing of how it was fetched."""

from pipeflow.records.activities import (
    Activity,
    ActivityAttendee,
    ActivityFile,
    ActivityLead,
    ActivityParticipant,
)
from pipeflow.records.changes import FieldChange, FormattedValues
from pipeflow.records.comments import Comment
from pipeflow.records.files import File
from pipeflow.records.mail import MailMessage, MailParty
from pipeflow.records.notes import (
    Note,
    NoteDeal,
    NoteLead,
    NoteOrganization,
    NotePerson,
    NoteProject,
    NoteUser,
)
from pipeflow.records.pages import FlowPage
from pipeflow.records.related import (
    ContactEntry,
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
)
from pipeflow.records.sentences import Sentence
from pipeflow.records.updates import PAYLOADS, ROW_COLUMNS, FlowUpdate, Payload

__all__ = [
    "PAYLOADS",
    "ROW_COLUMNS",
    "Activity",
    "ActivityAttendee",
    "ActivityFile",
    "ActivityLead",
    "ActivityParticipant",
    "Comment",
    "ContactEntry",
    "FieldChange",
    "File",
    "FlowPage",
    "FlowUpdate",
    "FormattedValues",
    "MailMessage",
    "MailParty",
    "Note",
    "NoteDeal",
    "NoteLead",
    "NoteOrganization",
    "NotePerson",
    "NoteProject",
    "NoteUser",
    "Payload",
    "RelatedDeal",
    "RelatedObjects",
    "RelatedOrganization",
    "RelatedPerson",
    "RelatedUser",
    "Sentence",
]
