"""The texts that ship: one a notice template. Custom files replace them part by part."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """subject: one line. body: plain text; the channel adds the facts of NOT-2 itself. short: for SMS and push."""

    subject: str
    body: str
    short: str

    def parts(self) -> dict[str, str]:
        return asdict(self)


_WHO = "{{ name }}{% if company %}, {{ company }}{% endif %}"
_DUE = "{% if contact_due %}; it was due {{ contact_due }}{% endif %}"
_TEST = "{% if is_test %}[test] {% endif %}"
_SHORT = _TEST + "{{ tier }} {{ headline }}: " + _WHO + "{% if phone %} {{ phone }}{% endif %}. {{ first_action }}"
_NOTE = "\n\n{% if note %}\n{{ note }}\n\n{% endif %}\n"

_NAMES = "{% for lead in leads %}{% if not loop.first %}, {% endif %}{{ lead.name }}{% endfor %}"


def _notice(headline: str, opening: str) -> Text:
    # Every subject of a lead ends alike, so that mail programs keep its thread together.
    return Text(
        subject=_TEST + "{{ tier }} " + headline + ": " + _WHO,
        body=opening + _NOTE + "First action: {{ first_action }}\nWhy: {{ reason }}",
        short=_SHORT.replace("{{ headline }}", headline),
    )


def _reply(subject: str, text: str) -> Text:
    greeting = "Hello{% if first_name %} {{ first_name }}{% endif %},\n\n"
    booking = "\n\n{% if booking_url %}\nPick a time that suits you: {{ booking_url }}\n\n{% endif %}\n"
    return Text(
        subject=subject,
        body=greeting + text + booking + "{{ signature }}",
        short=greeting + text,
    )


BUILT_IN: dict[str, Text] = {
    "notice": _notice("lead", "There is news of a lead."),
    "assignment": _notice("new lead", "A new lead is yours."),
    "repeat": _notice("repeat lead", "Your lead came back."),
    "reassigned_from": _notice("lead moved on", "This lead has moved to {{ owner_name }}."),
    "reassigned_to": _notice(
        "lead moved to you", "This lead is now yours. Until now it was with {{ previous_owner_name }}."
    ),
    "reminder": _notice(
        "reminder", "This lead still waits for its first contact{% if contact_due %}, due {{ contact_due }}{% endif %}."
    ),
    "alert": _notice(
        "late",
        "{{ owner_name }} has not contacted this lead in time" + _DUE + ".",
    ),
    "leadership": _notice(
        "very late",
        "Nobody has contacted this lead" + _DUE + ". It is with {{ owner_name }}.",
    ),
    "undelivered": _notice(
        "not announced", "{{ owner_name }} could not be told of this lead: no channel acknowledged."
    ),
    "held": _notice("held lead", "This lead waits for room in {{ pool }}. Until then you are accountable for it."),
    "queued": _notice("lead to claim", "A lead waits in {{ queue }}. Whoever claims it first has it."),
    "late_data": _notice("more is known", "More is known about this lead."),
    "inactive_owner": _notice("inactive owner", "The owner of this lead's account has left."),
    "digest": Text(
        subject="{{ count }} leads: " + _NAMES,
        body="Since the last digest, {{ count }} notices:\n\n"
        "{% for lead in leads %}\n"
        "{{ lead.tier }} {{ lead.name }}{% if lead.company %}, {{ lead.company }}{% endif %}: {{ lead.action }}, "
        "score {{ lead.score }}. {{ lead.first_action }}\n"
        "{{ lead.reason }}{% if lead.contact_due %} Contact due {{ lead.contact_due }}.{% endif %}\n"
        "{% if lead.link %}\n{{ lead.link }}\n{% endif %}\n"
        "{% endfor %}",
        short="{{ count }} leads: " + _NAMES,
    ),
    "contacted": _notice("contacted", "This lead has been contacted."),
    "auto_reply": _reply(
        "Thank you for your interest", "thank you for your message. {{ owner_name }} will be in touch with you shortly."
    ),
    "auto_reply.receipt": _reply(
        "Thank you for your message", "thank you for your message. I have it and will be in touch with you shortly."
    ),
    "auto_reply.team": _reply(
        "Thank you for your message", "thank you for your message. One of us will be in touch with you shortly."
    ),
    "auto_reply.demo": _reply(
        "Your demo", "thank you for asking for a demo. I look forward to showing you how we can help."
    ),
    "auto_reply.pricing": _reply(
        "Your question on pricing", "thank you for asking about our prices. I will get back to you shortly."
    ),
    "auto_reply.trial": _reply("Your trial", "welcome to your trial. If anything is unclear, just answer this mail."),
    "auto_reply.content": _reply(
        "What you asked for", "thank you for your interest. I hope you enjoy the read; tell me what you think."
    ),
    "auto_reply.webinar": _reply(
        "Your seat at the webinar", "thank you for registering. I will be glad to answer questions afterwards."
    ),
}
