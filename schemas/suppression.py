"""Who wants no automatic mail."""

from pydantic import AwareDatetime

from schemas.model import Written


class Suppression(Written):
    """In `suppressions`, by person: automatic replies to this person end. A tombstone lets them begin again.

    by: how it came: "link" (the mail's one-click link), or who wrote it.
    """

    person: str
    at: AwareDatetime
    by: str = "link"
