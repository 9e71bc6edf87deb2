from streams.cli.otherwise import sentences
from tests.worked.world import Arrival, World


def test_a_lead_in_the_journal_is_told_what_would_have_changed_its_owner() -> None:
    world = World()
    decision = world.arrives(Arrival(employees=210, action="webinar"))
    world.seal()
    told = sentences(world.journal, world.policies.get, decision)
    assert told[0].startswith("With employees 199 instead of 210 it would have gone to S")
    assert len(told) == 2


def test_a_lead_that_the_journal_does_not_hold_is_said_to_be_missing() -> None:
    world = World()
    decision = world.arrives(Arrival())
    assert sentences([], world.policies.get, decision) == [
        "What would have chosen otherwise cannot be told: the journal does not hold this decision."
    ]


def test_a_policy_that_is_gone_is_named() -> None:
    world = World()
    decision = world.arrives(Arrival())
    world.seal()
    (told,) = sentences(world.journal, lambda _: None, decision)
    assert world.policy.hash in told
