"""Conditions against the facts there are: unknown names, words that never occur, comparisons that never hold."""

from collections.abc import Iterator

from routing.catalogue import CHOICES, KINDS, FactKind, kind_of
from routing.conditions import Condition, written
from routing.expression import Comparison, Op, leaves
from routing.finding import Finding, Severity
from routing.policy_errors import meant, place
from routing.policy_yaml import Document, Path
from schemas.policy_file import PolicyFile

_ERROR = Severity.ERROR
# What a lead's past and the policy's clock tell is known when the rules are asked, after a lead has been graded.
AFTER_GRADING = (
    *("lead.open_duplicate", "lead.recycled", "lead.disqualified_days", "lead.touch", "lead.history"),
    *("treatment", "score", "weekday", "hour", "time_of_day", "date"),
)
# In the order of grading: what each step may not ask, since it is worked out by the step itself or later.
NOT_YET: dict[str, tuple[str, ...]] = {
    "icp": ("intent", "icp", "segment", "tier", *AFTER_GRADING),
    "tiers": ("tier", *AFTER_GRADING),
    "scoring": AFTER_GRADING,
}
_STEPS = {"icp": "the ideal customer is", "tiers": "tiers are", "scoring": "scores are"}
# What people call a fact elsewhere, by its last part.
OTHER_WORDS = {
    **dict.fromkeys(("headcount", "size", "employee_count", "company_size", "num_employees"), "company.employees"),
    **dict.fromkeys(("vertical", "sector"), "company.industry"),
    **dict.fromkeys(("province", "state_code"), "company.state"),
    **dict.fromkeys(("country_code", "hq_country"), "company.country"),
    **dict.fromkeys(("zip", "zip_code", "zipcode", "postcode", "postal_code"), "company.postcode_area"),
    **dict.fromkeys(("lead_score", "points"), "score"),
    **dict.fromkeys(("priority", "urgency"), "tier"),
    **dict.fromkeys(("title", "job_title", "level"), "lead.seniority"),
    **dict.fromkeys(("lead_source", "utm_source"), "lead.source"),
    **dict.fromkeys(("email_domain",), "mail.domain"),
    **dict.fromkeys(("form_action", "conversion", "intent_action"), "lead.action"),
}


def condition_findings(file: PolicyFile, document: Document, path: Path, condition: Condition) -> Iterator[Finding]:
    """Yield facts that do not exist, words outside their closed set, and comparisons that can never hold."""
    yield from _asked_too_early(document, path, condition)
    for name in condition.fields:
        if kind_of(name) is None:
            what = f"{name} is no fact of a lead.{meant_fact(name)}"
            allowed = "The facts are listed in docs/policy.md."
            if name.isidentifier() and not meant_fact(name):
                allowed = f'A word needs quotes: "{name}". {allowed}'
            yield place(document, path, _ERROR, "condition.fact", what, allowed)
        elif name.startswith("calendar.") and name.removeprefix("calendar.") not in file.calendars:
            what = f"{name} asks for a calendar that the policy does not have."
            yield place(document, path, _ERROR, "condition.calendar", what, _allowed(tuple(file.calendars)))
    for leaf in leaves(condition.node):
        if isinstance(leaf, Comparison) and kind_of(leaf.field) is not None:
            yield from _comparison(file, document, path, leaf)


def _asked_too_early(document: Document, path: Path, condition: Condition) -> Iterator[Finding]:
    step = str(path[0])
    for name in condition.fields if step in NOT_YET else ():
        if name in NOT_YET[step] or name.startswith("calendar."):
            what = f"{name} is not known yet where {_STEPS[step]} worked out: it would never hold."
            allowed = "First comes the ideal customer, then tier and score; treatment, past and clock are for rules."
            yield place(document, path, _ERROR, "condition.too_early", what, allowed)


def meant_fact(name: str) -> str:
    """Return the guess what was meant: another word for a fact, else one that is spelt alike."""
    known = OTHER_WORDS.get(name.rpartition(".")[2].lower())
    return f" Did you mean {known!r}?" if known else meant(name, tuple(KINDS))


def allowed_words(file: PolicyFile, name: str) -> tuple[str, ...] | None:
    """Return the words that a fact can have, None where they are open."""
    if name == "tier":
        return tuple(file.tiers)
    if name == "segment":
        return tuple(segment.name for segment in file.segments)
    return CHOICES.get(name)


def _allowed(names: tuple[str, ...]) -> str:
    return f"Allowed: {', '.join(names)}." if names else "There is none yet."


def _comparison(file: PolicyFile, document: Document, path: Path, test: Comparison) -> Iterator[Finding]:
    kind = kind_of(test.field)
    values = test.expected if isinstance(test.expected, tuple) else (test.expected,)
    words = allowed_words(file, test.field)
    for value in values:
        if value is None:
            continue
        if words is not None and isinstance(value, str) and value not in words and test.op not in (Op.STARTS, Op.ENDS):
            what = f"{test.field} is never {written(value)}.{meant(value, words)}"
            yield place(document, path, _ERROR, "condition.word", what, _allowed(words))
        elif not test.field.startswith("answers.") and not _comparable(kind, test.op, value):
            what = f"{test.field} is a {kind.value if kind else 'word'}; {test.text} can never hold."
            yield place(document, path, _ERROR, "condition.kind", what, _kind_hint(kind))
    if test.op is Op.TRUE and kind is not FactKind.YES_NO and not test.field.startswith("answers."):
        what = f"{test.field} is a {kind.value if kind else 'word'}, which is neither true nor false."
        yield place(document, path, _ERROR, "condition.kind", what, _kind_hint(kind))


def _comparable(kind: FactKind | None, op: Op, value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is FactKind.NUMBER:
        return is_number and op not in (Op.HOLDS, Op.STARTS, Op.ENDS, Op.CONTAINS)
    if kind is FactKind.WORD:
        return isinstance(value, str) and op is not Op.HOLDS
    if kind is FactKind.WORDS:
        return isinstance(value, str) and op is Op.HOLDS
    return False


def _kind_hint(kind: FactKind | None) -> str:
    hints = {
        FactKind.NUMBER: "Compare it with a number, without quotes.",
        FactKind.WORD: 'Compare it with a word in quotes, such as "saas".',
        FactKind.WORDS: 'Write "word" in the list.',
        FactKind.YES_NO: "Write it alone, or with ! before it.",
    }
    return hints[kind] if kind else ""
