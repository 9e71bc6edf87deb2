"""What one provider said of one lead, and when: what is merged, cached and named in the lead's facts."""

from dataclasses import dataclass
from datetime import datetime

from schemas.lead import Company


@dataclass(frozen=True, slots=True)
class Said:
    """One answer. company None: the provider knows nothing. at: when it answered, UTC.

    alternates: person ids of the same human's other addresses. is_fresh: asked for now, so not in the cache yet.
    """

    provider: str
    at: datetime
    company: Company | None = None
    confidence: float = 1.0
    others: tuple[Company, ...] = ()
    alternates: tuple[str, ...] = ()
    found_by: str = "domain"
    is_fresh: bool = False
    company_phone: str | None = None
    company_profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Learnt:
    """All that was learnt for a lead. unanswered: providers that had not answered at the deadline.

    failed: providers that were not asked or did not answer as they should; others stood in. called: providers that
    a request was made to for this lead, which its quota must remember.
    """

    answers: tuple[Said, ...] = ()
    unanswered: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
