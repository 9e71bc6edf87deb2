"""What a policy file may not say, beyond the forty broken files: the place, the code and the words of each finding."""

import pytest

from routing.finding import Finding
from routing.policy import PolicyInvalid, compile_policy
from tests.unit.routing.policies import text_of

BEFORE = "queues:\n"


def findings(*edits: tuple[str, str]) -> list[Finding]:
    """The errors of the default policy with these edits, each at one place."""
    text = text_of("default")
    for old, new in edits:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    try:
        compile_policy(text)
    except PolicyInvalid as error:
        return [*error.findings]
    return []


def added(lines: str) -> tuple[str, str]:
    """An edit that adds top-level lines."""
    return BEFORE, f"{lines}\n{BEFORE}"


LANE = "    strategy: weighted\n"


@pytest.mark.parametrize(
    ("edit", "path", "code", "what"),
    [
        pytest.param(
            ("name: small business\n", "name: mid-market Southwest\n"),
            "rules[8].name",
            "name.repeated",
            "the name 'mid-market Southwest' is used twice in rules.",
            id="two rules of one name",
        ),
        pytest.param(
            ("{name: smb, from", "{name: enterprise, from"),
            "segments[2].name",
            "name.repeated",
            "the name 'enterprise' is used twice in segments.",
            id="two segments of one name",
        ),
        pytest.param(
            ("- name: a customer\n", "- name: a small business\n"),
            "examples[4].name",
            "name.repeated",
            "the name 'a small business' is used twice in examples.",
            id="two examples of one name",
        ),
        pytest.param(
            added("ladder: []"),
            "ladder",
            "ladder.empty",
            "this ladder has no step: nobody would hear of a lead that waits.",
            id="a ladder without steps",
        ),
        pytest.param(
            (LANE, LANE + "    ladder: []\n"),
            "pools.mm-southwest.ladder",
            "ladder.empty",
            "this ladder has no step: nobody would hear of a lead that waits.",
            id="a pool's",
        ),
        pytest.param(
            (LANE, LANE + "    ladders: {T1: []}\n"),
            "pools.mm-southwest.ladders.T1",
            "ladder.empty",
            "this ladder has no step: nobody would hear of a lead that waits.",
            id="a pool's for one tier",
        ),
        pytest.param(
            ("  manual-review:\n    owner", "  manual-review:\n    ladder: []\n    owner"),
            "queues.manual-review.ladder",
            "ladder.empty",
            "this ladder has no step: nobody would hear of a lead that waits.",
            id="a queue's",
        ),
        pytest.param(
            ("    label: hot\n", "    label: hot\n    ladder: []\n"),
            "tiers.T1.ladder",
            "ladder.empty",
            "this ladder has no step: nobody would hear of a lead that waits.",
            id="a tier's",
        ),
        pytest.param(
            added('ladder: [{at: 1x, do: move, to: "pool:smb"}]'),
            "ladder[0].to",
            "pool.unknown",
            "there is no pool 'smb'.",
            id="a step to no pool",
        ),
        pytest.param(
            added('ladder: [{at: 1x, do: move, to: "queue:smb-sdr"}]'),
            "ladder[0].to",
            "queue.unknown",
            "there is no queue 'smb-sdr'.",
            id="a step to a queue that is a pool",
        ),
        pytest.param(
            (LANE, LANE + "    ladders: {T4: [{at: 1x, do: alert_manager}]}\n"),
            "pools.mm-southwest.ladders.T4",
            "tier.unknown",
            "there is no tier 'T4'.",
            id="a ladder of no tier",
        ),
        pytest.param(
            ("treatment: {self_serve", "treatment: {selfserve"),
            "tiers.T3.treatment.selfserve",
            "segment.unknown",
            "there is no segment 'selfserve'. Did you mean 'self_serve'?",
            id="a treatment of no segment",
        ),
        pytest.param(
            (LANE, LANE + "    when_full: {T9: [catch_all], else: [catch_all]}\n"),
            "pools.mm-southwest.when_full.T9",
            "tier.unknown",
            "there is no tier 'T9'.",
            id="a full pool's fallback of no tier",
        ),
        pytest.param(
            added("when_empty: {T9: [catch_all], else: [catch_all]}"),
            "when_empty.T9",
            "tier.unknown",
            "there is no tier 'T9'.",
            id="an empty pool's",
        ),
        pytest.param(
            ('    when: intent == "high" && icp\n    label: hot', "    label: hot"),
            "tiers.T1",
            "tier.takes_all",
            "tier 'T1' has no `when` and takes every lead: the tiers after it are never reached.",
            id="a tier before others without condition",
        ),
        pytest.param(
            ('    when: intent == "medium" && icp || intent == "high"\n', ""),
            "tiers.T2",
            "tier.takes_all",
            "tier 'T2' has no `when` and takes every lead: the tiers after it are never reached.",
            id="the last but one",
        ),
        pytest.param(
            ("    when: '!has(company.employees)'\n", ""),
            "rules[11]",
            "rule.takes_all",
            "rule 'size unknown' has no `when` and takes every lead: the rules after it are never reached.",
            id="the last rule but one without condition",
        ),
        pytest.param(
            ("within: 7d, queue: manual-review", "within: 7d, queue: mars"),
            "nurture.queue",
            "queue.unknown",
            "there is no queue 'mars'.",
            id="nurtured leads that wake into no queue",
        ),
        pytest.param(
            ("quarantine: {queue: manual-review}", "quarantine: {queue: mars}"),
            "quarantine.queue",
            "queue.unknown",
            "there is no queue 'mars'.",
            id="a quarantine of no queue",
        ),
        pytest.param(
            ("    to: {pool: general-qual}\n  - name: a country", "    to: {pool: mars}\n  - name: a country"),
            "examples[7].to",
            "pool.unknown",
            "there is no pool 'mars'.",
            id="an example of no pool",
        ),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(edit: tuple[str, str], path: str, code: str, what: str) -> None:
    found = findings(edit)
    assert [(one.where.path, one.code, one.what) for one in found if one.code == code] == [(path, code, what)]
    assert found[0].where.line


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(added("ladder: [{at: 1x, do: alert_manager}, {at: 1x, do: reassign}]"), id="steps at one time"),
        pytest.param(added('ladder: [{at: 15m, do: move, to: "pool:smb-sdr"}]'), id="a step to a pool there is"),
        pytest.param(added("when_full: {T1: [team_lead], else: [over_limit]}"), id="a fallback of a tier there is"),
        pytest.param((LANE, LANE + "    ladders: {T1: [{at: 1x, do: reassign}]}\n"), id="a ladder of a tier"),
    ],
)
def test_what_is_right_is_not_complained_of(edit: tuple[str, str]) -> None:
    assert findings(edit) == []


@pytest.mark.parametrize(("every", "said"), [("0x", "0x"), ("0m", "0s")])
def test_repeats_without_time_between_them_are_refused_and_not_left_out(every: str, said: str) -> None:
    (found,) = findings(added(f"sla: {{repeat: {{every: {every}}}}}"))
    assert found.where.path == "sla.repeat.every"
    assert found.what == f"{said} is no time between two repeats; write 1x or 15m, or repeat: null for none."
