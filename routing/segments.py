"""The segment of a company: its band of headcount."""

from routing.policy import Policy


def segment_of(policy: Policy, employees: int | None) -> str | None:
    """Return the name of the band that holds `employees`; None where the headcount is unknown or no band is set."""
    if employees is None:
        return None
    return next((band.name for band in policy.bands if employees >= band.start), None)
