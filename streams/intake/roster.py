"""The roster as the intake knows it: who a caller's ids mean."""

from schemas.rep import Rep


class Roster:
    """Reps by id. One thread writes (`Follower`), the event loop reads.

    is_complete: the whole topic was read once; before, nobody can be told from an unknown person.
    """

    def __init__(self) -> None:
        self._reps: dict[str, Rep] = {}
        self.is_complete = False

    def put(self, rep_id: str, rep: Rep | None) -> None:
        """Take a record of the topic `reps`; None removes the entry."""
        if rep is None:
            self._reps.pop(rep_id, None)
        else:
            self._reps[rep_id] = rep

    def rep(self, rep_id: str) -> Rep | None:
        """Return the entry of a rep id."""
        return self._reps.get(rep_id)

    def of_slack(self, user: str) -> str | None:
        """Return the rep id of a Slack user id."""
        return next((rep.id for rep in tuple(self._reps.values()) if rep.slack == user), None)

    def of_crm(self, user: str) -> Rep | None:
        """Return the entry of a CRM's user id."""
        return next((rep for rep in tuple(self._reps.values()) if rep.crm_id == user), None) if user else None
