from routing.policy import compile_policy
from routing.policy_diff import diff
from tests.unit.routing.policies import edited, shipped, text_of


def test_a_policy_does_not_differ_from_itself() -> None:
    found = diff(shipped(), shipped())
    assert (found.moved, found.changed) == ((), ())


def test_a_comment_moves_nobody() -> None:
    found = diff(shipped(), compile_policy(text_of("default") + "# more\n"))
    assert (found.moved, found.changed) == ((), ())
    assert found.before != found.after


def test_a_lower_threshold_moves_the_leads_between() -> None:
    found = diff(shipped(), edited("default", ("name: mid_market, from: 200", "name: mid_market, from: 150")))
    routes = {(moved.before, moved.after) for moved in found.moved}
    assert ("pool smb-sdr", "pool mm-southwest") in routes
    example = next(moved.example for moved in found.moved if moved.after == "pool mm-southwest")
    assert 150 <= int(str(example["company.employees"])) < 200
    assert [(change.path, change.before, change.after) for change in found.changed] == [
        ("segments.mid_market.start", 200, 150)
    ]


def test_territory_first_moves_the_southwest_and_nobody_else() -> None:
    found = diff(shipped(), shipped("territory-first"))
    assert {moved.after for moved in found.moved} == {"pool mm-southwest"}
    assert any(moved.before == "pool ent-amer" and moved.kind.startswith("enterprise;") for moved in found.moved)


def test_a_changed_order_of_rules_is_told() -> None:
    text = text_of("default")
    start, end = text.index("  - name: personal email"), text.index("  - name: nurture")
    moved_up = text[:start] + text[end:]
    at = moved_up.index("  - name: account owner")
    found = diff(shipped(), compile_policy(moved_up[:at] + text[start:end] + moved_up[at:]))
    assert any(change.path == "rules (order)" for change in found.changed)
    assert any("personal mail" in moved.kind and moved.before == "the owner of the account" for moved in found.moved)


def test_a_setting_that_moves_no_lead_is_told_as_a_setting() -> None:
    found = diff(shipped(), edited("default", ("contact_within: 1h", "contact_within: 2h")))
    assert found.moved == ()
    assert [(change.path, change.before, change.after) for change in found.changed] == [
        ("tiers.T2.contact_within", "1h", "2h")
    ]
