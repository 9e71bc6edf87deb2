"""How far an outside system has been read."""

from pydantic import AwareDatetime

from schemas.model import Written


class Bookmark(Written):
    """In `bookmarks`, by source ("crm/hubspot/leads"): what changed there before `at` has been taken over.

    at: by the other system's clock. Reading goes on from there; what is read twice has the same ids.
    """

    source: str
    at: AwareDatetime
