"""Ids of people: what would part a key, or would not be seen by who writes it, comes in by no door."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from notifiers.crm.mirror import HeldUser
from schemas.poison import Poison
from schemas.rep import Rep
from schemas.wire import decode
from streams.crm.reading import Known, newcomers
from streams.intake import submission
from streams.intake.problem import Refused

WRONG = {
    "amer/ann": "has a slash",
    " ann": "has a space at an end",
    "ann\t": "has a character that is not printed",
    "a\nb": "has a character that is not printed",
    "a\x00b": "has a character that is not printed",
    "": "at least 1 character",
    "a" * 65: "at most 64 characters",
}


@pytest.mark.parametrize(("rep_id", "says"), WRONG.items(), ids=repr)
def test_an_id_that_would_not_be_found_again_is_refused_everywhere(rep_id: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Rep(id=rep_id, name="Ann")
    with pytest.raises(Poison):  # a record of the topic reps: a dead letter
        decode("rep.put", 1, Rep(id="ann", name="Ann").model_copy(update={"id": rep_id}).model_dump_json().encode())
    with pytest.raises(Refused) as refused:  # PUT /reps/{id}
        submission.rep({"name": "Ann"}, rep_id)
    assert says in str(refused.value.details.errors)


@pytest.mark.parametrize(
    "rep_id", ["ann", "r-ann", "ann@acme.example", "Ann Müller", "0055g00000AbCdE", "李", "a" * 64]
)
def test_ids_as_people_and_crms_write_them_are_taken(rep_id: str) -> None:
    assert Rep(id=rep_id, name="Ann").id == rep_id


def test_a_crms_user_gets_an_id_that_is_taken_whatever_theirs_is() -> None:
    users = [HeldUser(name, "Ann", f"{at}@a.example", True, datetime.now(UTC)) for at, name in enumerate(WRONG) if name]
    found = newcomers(users, Known({}, {}, {}, {}, {}))
    assert [rep.id for rep in found[:3]] == ["crm-amer-ann", "crm--ann", "crm-ann-"]
    assert [rep.crm_id for rep in found] == [user.id for user in users]
