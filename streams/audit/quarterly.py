"""The quarterly pack: rule conflicts, provider coverage, 50-lead spot check, path performance (GOV-6). Pure."""

import hashlib
from collections import Counter, defaultdict

from routing.lint import lint
from streams.audit.evidence import Case, Evidence, kept
from streams.audit.pack import Pack, Table, share
from streams.quantity import counted

SPOT_CHECKED = 50
FIELDS = ("company.domain", "company.employees", "company.industry", "company.country")


def quarterly(found: Evidence) -> Pack:
    """Return the pack of a quarter."""
    opening = (
        f"{counted(len(found.cases), 'lead')} arrived in {found.period.name}. To be gone through from "
        f"{found.period.due:%A %d %B %Y} on, with whoever owns the rules."
    )
    tables = (_conflicts(found), _usage(found), _coverage(found), _spot_check(found), _paths(found))
    return Pack(f"quarterly-{found.period.name}", f"Audit of {found.period.name}", opening, tables)


def _conflicts(found: Evidence) -> Table:
    reps = list(found.reps.values())
    rows = [
        (division, finding.severity.value, finding.code, str(finding.where), finding.what)
        for division, policy in sorted(found.policies.items())
        for finding in lint(policy, [rep for rep in reps if rep.division == division])
    ]
    says = "What the linter finds in the active policy: overlaps, unreachable rules, pools without people."
    return Table("conflicts", "Rule conflicts", says, ("division", "severity", "finding", "where", "what"), rows)


def _usage(found: Evidence) -> Table:
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in found.cases.values():
        groups[case.row.division, case.row.first_rule or "none"].append(case)
    rows = []
    for division, policy in sorted(found.policies.items()):
        for rule in policy.file.rules:
            cases = groups.get((division, rule.name), [])
            moved, _ = kept(cases)
            rows.append((division, rule.name, rule.owner, len(cases), share(moved, len(cases)), rule.say))
    rows.sort(key=lambda row: row[3])
    says = "Rules that took nothing, and rules whose leads people moved on. Does each still have its reason?"
    return Table("rules", "Rules", says, ("division", "rule", "owner", "leads", "moved", "says"), rows)


def _coverage(found: Evidence) -> Table:
    filled: Counter[tuple[str, str]] = Counter()
    for case in found.cases.values():
        for name in FIELDS:
            fact = case.lead.facts.get(name)
            filled[(fact.provider if fact else "nobody"), name] += 1
    total = len(found.cases)
    rows = [(provider, name, count, share(count, total)) for (provider, name), count in sorted(filled.items())]
    says = "Who filled which of the four fields that matter. `nobody`: it stayed unknown. At least 80% should be known."
    return Table("coverage", "Provider coverage", says, ("provider", "field", "leads", "share"), rows)


def _spot_check(found: Evidence) -> Table:
    """Choose 50 leads by a hash of their id and the quarter: nobody chooses, and a repeat chooses the same."""
    chosen = sorted(found.cases, key=lambda lead: hashlib.sha256(f"{found.period.name}/{lead}".encode()).digest())
    rows = []
    for lead_id in sorted(chosen[:SPOT_CHECKED]):
        company = found.cases[lead_id].lead.company
        providers = {fact.provider for name, fact in found.cases[lead_id].lead.facts.items() if name in FIELDS}
        known = (company.domain, company.name, company.employees, company.industry, company.country)
        rows.append((lead_id, *known, " ".join(sorted(providers)), "", ""))
    says = "Look each company up by hand and fill the last two columns."
    columns = ("lead", "domain", "name", "employees", "industry", "country", "by", "right? (y/n)", "what is right")
    return Table("spot-check", "Spot check of enrichment", says, columns, rows)


def _paths(found: Evidence) -> Table:
    groups: dict[tuple[str, str, str], list[Case]] = defaultdict(list)
    for case in found.cases.values():
        row = case.row
        groups[row.first_rule or "none", row.pool or row.queue or "none", row.segment or "unknown"].append(case)
    rows = []
    for key, cases in groups.items():
        ended = Counter(case.ended for case in cases)
        rows.append((*key, len(cases), *kept(cases), ended["won"], ended["lost"], share(ended["won"], len(cases))))
    rows.sort(key=lambda row: -row[3])
    says = "Which way through the rules leads to customers, and which does not."
    columns = ("rule", "pool", "segment", "leads", "moved", "contacted in time", "won", "lost", "conversion")
    return Table("paths", "Paths", says, columns, rows)
