from notifiers.settings import ChannelSettings
from notifiers.unsubscribe import is_unsubscribe_token, unsubscribe_link, unsubscribe_token


def test_a_link_names_the_person_by_id_and_is_signed() -> None:
    settings = ChannelSettings.model_validate({"unsubscribe_url": "https://us.example/stop", "unsubscribe_secret": "s"})
    token = unsubscribe_token(b"s", "4f4f")
    assert unsubscribe_link(settings, "4f4f") == f"https://us.example/stop?p=4f4f&t={token}"
    assert is_unsubscribe_token(b"s", "4f4f", token)


def test_a_token_of_another_person_or_secret_is_none() -> None:
    assert not is_unsubscribe_token(b"s", "5a5a", unsubscribe_token(b"s", "4f4f"))
    assert not is_unsubscribe_token(b"t", "4f4f", unsubscribe_token(b"s", "4f4f"))


def test_without_url_or_secret_there_is_no_link() -> None:
    assert unsubscribe_link(ChannelSettings(), "4f4f") is None
