"""The words of a generated history: what was planned, said, written and sent.

`{person}`, `{deal}`, `{organization}` and `{topic}` are filled in.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTIVITY_SUBJECTS",
    "CALL_OUTCOMES",
    "CAMPAIGNS",
    "COMMENTS",
    "FILES",
    "MAILS",
    "NOTES",
    "TOPICS",
]

TOPICS: Final = (
    "delivery dates",
    "the yearly contract",
    "water filters",
    "the tasting on site",
    "spare parts",
    "the service plan",
    "decaf beans",
    "the grinder noise",
    "payment terms",
    "the summer menu",
    "staff training",
    "the lease option",
)

ACTIVITY_SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "call": (
        "Call {person} about {topic}",
        "Ring back: {topic}",
        "Check-in call, {organization}",
    ),
    "meeting": (
        "Meeting at {organization}: {topic}",
        "Tasting with {person}",
        "Quarterly review, {deal}",
    ),
    "task": (
        "Prepare figures on {topic}",
        "Order samples for {person}",
        "Update the offer: {deal}",
    ),
    "deadline": (
        "Offer valid until today: {deal}",
        "Last day to confirm {topic}",
    ),
    "email": (
        "Write to {person} about {topic}",
        "Send the brochure on {topic}",
    ),
    "lunch": (
        "Lunch with {person}",
        "Lunch at {organization}, {topic}",
    ),
}

NOTES: Final = (
    "<p>{person} prefers calls before ten. Asked again about {topic}.</p>",
    "<p>Visited {organization}. Main worry: <b>{topic}</b>.</p>",
    "<p>Budget for <i>{deal}</i> is agreed with the board &amp; signed off in May.</p>",
    "<ul><li>Wants two quotes on {topic}</li><li>Decides with the kitchen chief</li></ul>",
    "<p>A competitor offered less on {topic}; {person} values the service more.</p>",
    "<p>Open question from the last visit: {topic}.<br>Answer by Friday.</p>",
)

MAILS: Final = (
    ("{deal}: our offer", "Please find our offer attached. It holds for thirty days."),
    ("{topic}, a question", "Could you tell us a little more about {topic}?"),
    ("Thank you for the visit", "It was good to see the new rooms. About {topic}: we will check."),
    ("Next steps on {deal}", "As agreed, here is what happens next, beginning with {topic}."),
    ("Invoice and {topic}", "Our accounts team asks about {topic} before paying the invoice."),
    ("A date for {topic}", "Would Tuesday or Thursday suit you to talk about {topic}?"),
)

FILES: Final = (
    "Offer.pdf",
    "Floor plan.png",
    "Tasting notes.docx",
    "Price list.xlsx",
    "Bar photo.jpg",
    "Service plan.pdf",
)

COMMENTS: Final = (
    "Done, see the note above.",
    "Can someone check {topic} with the warehouse?",
    "{person} confirmed this by phone.",
    "Let us wait for the answer on {topic}.",
    "Good news for {deal}.",
)

CALL_OUTCOMES: Final = ("connected", "left_voicemail", "no_answer", "busy", "wrong_number")

CAMPAIGNS: Final = (
    "Autumn roasts",
    "Barista days",
    "Service plan news",
    "New year, new blend",
)
