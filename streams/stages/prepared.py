"""A lead on its way through ENRICH or PENDING."""

from dataclasses import dataclass

from enrichment.answer import Learnt
from schemas.lead import Contact, Lead

NOTHING = Learnt()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A lead with what was learnt for it. key: what the answers are kept under, None where nobody was asked."""

    lead: Lead
    contact: Contact
    key: str | None = None
    learnt: Learnt = NOTHING
