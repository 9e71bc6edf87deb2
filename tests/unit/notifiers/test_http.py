from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from notifiers.http import check_status, retry_after
from notifiers.outcome import Refused, Retryable


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("1e99", 86_400.0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_in_seconds(said: str | None, seconds: float | None) -> None:
    assert retry_after({} if said is None else {"Retry-After": said}) == seconds


def test_retry_after_as_a_date() -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    seconds = retry_after({"Retry-After": format_datetime(at, usegmt=True)})
    assert seconds is not None
    assert 3_400 < seconds <= 3_600


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_status_of_success_passes(status: int) -> None:
    check_status(status, {}, "it")


@pytest.mark.parametrize("status", [401, 403, 408, 409, 423, 425, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_later_is_retried(status: int) -> None:
    with pytest.raises(Retryable) as refused:
        check_status(status, {}, "it")
    assert refused.value.may_have_arrived == (status in (500, 502, 504))


@pytest.mark.parametrize("status", [301, 302, 400, 404, 405, 410, 413, 415, 422])
def test_any_other_status_is_final_and_redirects_are_not_followed(status: int) -> None:
    with pytest.raises(Refused):
        check_status(status, {}, "it")
