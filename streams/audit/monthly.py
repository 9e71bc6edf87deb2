"""The monthly pack: roster, territories, accounts, unexpected assignments, reports per rep (GOV-6). Pure."""

from collections import Counter, defaultdict
from statistics import mean, median

from routing.groups import fits
from routing.rep_state import row_of
from schemas.account import is_stale
from streams.audit.evidence import Case, Evidence, kept
from streams.audit.pack import Pack, Table, share
from streams.quantity import counted


def monthly(found: Evidence) -> Pack:
    """Return the pack of a month."""
    cases = list(found.cases.values())
    missed = sum(case.row.breach is not None for case in cases)
    opening = (
        f"{counted(len(cases), 'lead')} arrived in {found.period.name}; {missed:,} of them not contacted in time "
        f"({share(missed, len(cases))}). To be gone through on {found.period.due:%A %d %B %Y}, the first Monday."
    )
    tables = (_roster(found), _territories(found), _accounts(found), _unexpected(found), _reps(found), _fit(found))
    return Pack(f"monthly-{found.period.name}", f"Audit of {found.period.name}", opening, tables)


def _roster(found: Evidence) -> Table:
    rows = []
    owned = Counter(case.row.owner for case in found.cases.values() if case.row.is_open)
    for rep in sorted(found.reps.values(), key=lambda one: one.id):
        policy = found.policies.get(rep.division)
        row = row_of(rep)
        pools = [name for name, pool in policy.file.pools.items() if fits(pool.members, row)] if policy else []
        problems = []
        if not rep.active and owned[rep.id]:
            problems.append("deactivated, and still owns leads")
        for who, what in ((rep.manager, "manager"), *((backup.rep, "backup") for backup in rep.backups)):
            if who and (who not in found.reps or not found.reps[who].active):
                problems.append(f"{what} {who} is not there")
        if rep.active and rep.role not in ("manager", "leadership", "reviewer") and not pools:
            problems.append("in no pool")
        to_check = "; ".join(problems)
        rows.append((rep.id, rep.name, rep.role, rep.team, " ".join(pools), rep.active, owned[rep.id], to_check))
    rows.sort(key=lambda row: (not row[-1], row[0]))
    says = "Is everybody here who should be, in the right team and pools, with a manager and a backup who are there?"
    columns = ("id", "name", "role", "team", "pools", "active", "open leads", "to check")
    return Table("roster", "Roster", says, columns, rows)


def _territories(found: Evidence) -> Table:
    groups: dict[tuple[str, str, str], list[Case]] = defaultdict(list)
    for case in found.cases.values():
        company = case.lead.company
        where = case.row.pool or case.row.queue or "none"
        groups[company.country or "unknown", company.state or "", where].append(case)
    rows = [(*key, len(cases), *kept(cases)) for key, cases in groups.items()]
    rows.sort(key=lambda row: (-row[3], row[0], row[1]))
    columns = ("country", "state", "pool", "leads", "moved", "contacted in time")
    return Table("territories", "Territories", "Did each place go to the team that covers it?", columns, rows)


def _accounts(found: Evidence) -> Table:
    leads = Counter(case.row.account for case in found.cases.values() if case.row.account)
    rows = []
    for domain, account in sorted(found.accounts.items()):
        owner = found.reps.get(account.owner or "")
        problems = []
        if account.owner and (owner is None or not owner.active):
            problems.append("the owner is not there")
        if account.is_named and not account.owner:
            problems.append("named, without an owner")
        if account.last_activity_at and is_stale(account.last_activity_at, found.period.until):
            problems.append(f"nothing since {account.last_activity_at:%Y-%m-%d}")
        name = owner.name if owner else account.owner
        rows.append((domain, account.name, account.is_named, name, leads[domain], "; ".join(problems)))
    rows.sort(key=lambda row: (not row[-1], -row[4], row[0]))
    says = "Which accounts have lost their owner, moved or gone quiet?"
    return Table("accounts", "Accounts", says, ("domain", "name", "named", "owner", "leads", "to check"), rows)


def _unexpected(found: Evidence) -> Table:
    rows = []
    for lead_id, case in found.cases.items():
        row = case.row
        policy = found.policies.get(row.division)
        last = policy.file.rules[-1].name if policy else None
        why = []
        if row.by_hand:
            why.append(f"moved by a person {row.by_hand} times" if row.by_hand > 1 else "moved by a person")
        if row.first_rule == last and last is not None:
            why.append("no rule but the last matched")
        if row.owner_kind == "team_lead":
            why.append("went to the team lead")
        if len(row.moved_at) >= 2:
            why.append(f"changed hands {len(row.moved_at)} times")
        if why:
            rows.append((lead_id, row.domain, row.tier, row.first_rule, case.first_owner, row.owner, "; ".join(why)))
    rows.sort(key=lambda row: (-len(str(row[-1]).split("; ")), str(row[0])))
    says = "Each is a lead that the rules did not place well the first time. What would have?"
    columns = ("lead", "domain", "tier", "rule", "first owner", "owner", "why it is here")
    return Table("unexpected", "Unexpected assignments", says, columns, rows)


def _reps(found: Evidence) -> Table:
    groups: dict[str, list[Case]] = defaultdict(list)
    charged = Counter(case.row.charged_to for case in found.cases.values() if case.row.charged_to)
    for case in found.cases.values():
        if case.row.owner is not None and case.row.owner_kind == "rep":
            groups[case.row.owner].append(case)
    rows = []
    for rep, cases in sorted(groups.items()):
        waits = [(one.row.contacted_at - one.row.submitted_at).total_seconds() for one in cases if one.row.contacted_at]
        name = found.reps[rep].name if rep in found.reps else rep
        wait = round(median(waits) / 60, 1) if waits else None
        ended = Counter(one.ended for one in cases)
        rows.append((rep, name, len(cases), *kept(cases), charged[rep], wait, ended["won"], ended["disqualified"]))
    figures = ("leads", "moved", "contacted in time", "misses charged", "median minutes", "won", "disqualified")
    columns = ("id", "name", *figures)
    rows.sort(key=lambda row: -row[5])
    says = (
        "One report a rep. Misses are charged to who had the lead when its deadline passed, for causes of theirs only."
    )
    return Table("reps", "Reps", says, columns, rows)


def _fit(found: Evidence) -> Table:
    groups: dict[str, list[float]] = defaultdict(list)
    for source, value in found.ratings:
        groups[source].append(value)
    rated = ((source, len(values), round(mean(values), 2)) for source, values in groups.items())
    rows = sorted(rated, key=lambda row: row[2])
    says = "How reps rated the fit of leads, by where these came from."
    return Table("fit", "Fit ratings", says, ("source", "ratings", "average"), rows)
