"""A condition in words: 'the segment is enterprise and the company's region is amer'."""

from routing.expression import And, Comparison, Fact, Node, Not, Op, Opaque, Or

NAMES = {
    "lead.open_duplicate": "the person has an open lead",
    "lead.is_suspect": "it looks like spam",
    "lead.recycled": "it was disqualified a short while ago",
    "lead.has_phone": "a phone number is known",
    "lead.has_consent": "consent was given",
    "lead.bot_qualified": "a bot has qualified it",
    "lead.is_bulk": "it came by import",
    "account.is_named": "the account is a named account",
    "account.is_customer": "the account is a customer",
    "account.has_open_opportunity": "the account has an open opportunity",
    "mail.is_role": "the address is one of a role",
    "icp": "it fits the ideal customer",
}
NOT_NAMES = {
    "lead.open_duplicate": "the person has no open lead",
    "lead.is_suspect": "it does not look like spam",
    "icp": "it does not fit the ideal customer",
}
_FACTS = {
    "company.employees": "the headcount",
    "mail.kind": "the kind of address",
    "mail.domain": "the mail domain",
    "lead.disqualified_days": "the number of days since it was disqualified",
}
_OWNERS = {"lead": "the lead's", "company": "the company's", "mail": "the address's", "account": "the account's"}
_GROUPS = {"answers": "the answer", "calendar": "the calendar"}
_WORDS = {
    Op.EQUAL: "is",
    Op.NOT_EQUAL: "is not",
    Op.LESS: "is below",
    Op.AT_MOST: "is at most",
    Op.MORE: "is above",
    Op.AT_LEAST: "is at least",
    Op.STARTS: "starts with",
    Op.ENDS: "ends with",
    Op.CONTAINS: "contains",
}


def sentence(node: Node) -> str:
    """Return the condition in words, without a capital or a full stop."""
    if isinstance(node, And):
        return " and ".join(_inside(part, Or) for part in node.parts)
    if isinstance(node, Or):
        parts = [_inside(part, And) for part in node.parts]
        return ", or ".join(parts) if any(isinstance(part, And) for part in node.parts) else " or ".join(parts)
    if isinstance(node, Opaque):
        return f"`{node.text}`"
    return _negated(node) if isinstance(node, Not) else _plain(node)


def fact_name(field: str) -> str:
    """Return a fact in words: company.postcode_area gives "the company's postcode area"."""
    if field in _FACTS:
        return _FACTS[field]
    group, _, name = field.partition(".")
    if not name:
        return f"the {group.replace('_', ' ')}"
    if group in _GROUPS:
        return f"{_GROUPS[group]} {name.replace('_', ' ')}"
    return f"{_OWNERS.get(group, group)} {name.replace('_', ' ')}"


def _inside(part: Node, other: type[Or] | type[And]) -> str:
    said = sentence(part)
    return f"({said})" if isinstance(part, other) and other is Or else said


def _negated(node: Not) -> str:
    part = node.part
    if isinstance(part, Comparison):
        if part.op is Op.KNOWN:
            return f"{fact_name(part.field)} is unknown"
        if part.op is Op.TRUE:
            return NOT_NAMES.get(part.field, f"it is not so that {_plain(part)}")
    return f"it is not so that {sentence(part)}"


def _plain(test: Comparison) -> str:
    if test.op is Op.TRUE:
        if test.field.startswith("calendar."):
            return f"{fact_name(test.field)} is open"
        return NAMES.get(test.field, f"{fact_name(test.field)} is so")
    name = fact_name(test.field)
    if test.op is Op.KNOWN:
        return f"{name} is known"
    if test.op is Op.HOLDS:
        return f"{name} includes {_value(test.expected)}"
    if isinstance(test.expected, tuple):
        words = [_value(each) for each in test.expected]
        return f"{name} is {', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else f"{name} is {''.join(words)}"
    return f"{name} {_WORDS[test.op]} {_value(test.expected)}"


def _value(value: Fact | tuple[Fact, ...] | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
