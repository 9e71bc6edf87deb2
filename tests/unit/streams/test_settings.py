"""Settings come from the environment, say what is wrong, and never show a secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from streams.settings import PersonSecret, SettingsError, load


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("LEADSTREAM_"):
            monkeypatch.delenv(name)


def test_the_environment_decides_and_the_command_line_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSTREAM_BOOTSTRAP", "kafka:9092")
    monkeypatch.setenv("LEADSTREAM_SLOTS", '{"score": 2}')
    assert load().cluster.bootstrap == "kafka:9092"
    assert load(bootstrap="other:1").cluster.bootstrap == "other:1"
    assert load().slots == {"score": 2}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LEADSTREAM_BOOTSTRP", "x", "LEADSTREAM_BOOTSTRP is no setting, LEADSTREAM_BOOTSTRAP is"),
        ("LEADSTREAM_HTTP_PORT_BASE", "abc", "LEADSTREAM_HTTP_PORT_BASE: Input should be a valid integer"),
        ("LEADSTREAM_LOG_LEVEL", "loud", "LEADSTREAM_LOG_LEVEL: Input should be 'debug'"),
        ("LEADSTREAM_SECURITY_PROTOCOL", "SASL_SSL", "needs sasl_mechanism, sasl_username and sasl_password"),
        ("LEADSTREAM_CHANNELS", "{", "must be JSON"),
        ("LEADSTREAM_CHANNELS", '{"smtp": {"host": "h"}}', "LEADSTREAM_CHANNELS.smtp.sender: Field required"),
        ("LEADSTREAM_CHANNELS_FILE", "/nowhere.yaml", "LEADSTREAM_CHANNELS_FILE cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        load()
    assert said in str(raised.value)


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSTREAM_INTAKE_PORT", "8080")
    monkeypatch.setenv("LEADSTREAM_APOLLO_KEY", "a provider's, named in the org file")
    load()


def test_a_wrong_secret_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSTREAM_CHANNELS", '{"smtp": {"host": "h", "sender": "s", "password": ["hunter2"]}}')
    with pytest.raises(SettingsError) as raised:
        load()
    assert "hunter2" not in str(raised.value)


def test_what_is_logged_hides_every_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSTREAM_PERSON_SECRET", "correct-horse-battery")
    monkeypatch.setenv("LEADSTREAM_SASL_PASSWORD", "hunter2hunter2")
    monkeypatch.setenv("LEADSTREAM_CHANNELS", '{"slack": {"token": "xoxb-secret"}}')
    said = str(load().redacted()) + repr(load())
    for secret in ("correct-horse", "hunter2", "xoxb"):
        assert secret not in said


def test_the_person_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file-0123456789\n")
    assert load(person_secret="0123456789abcdef").person_key() == b"0123456789abcdef"
    assert load(person_secret_file=file).person_key() == b"from-a-file-0123456789"


@pytest.mark.parametrize("given", [{}, {"person_secret": "short"}])
def test_without_a_person_secret_worth_the_name_nothing_starts(given: dict[str, str]) -> None:
    with pytest.raises(PersonSecret, match="set LEADSTREAM_PERSON_SECRET"):
        load(**given).person_key()


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LEADSTREAM_PERSON_SECRET_FILE cannot be read"):
        load(person_secret_file=tmp_path / "none").person_key()


def test_channels_come_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "channels.yaml"
    file.write_text("smtp: {host: mail.example, sender: a@b.example}\n")
    smtp = load(channels_file=file).channels.smtp
    assert smtp is not None and smtp.host == "mail.example"
    file.write_text("smtp: {hst: mail.example}\n")
    with pytest.raises(SettingsError, match=r"channels.yaml: smtp\.host: Field required"):
        load(channels_file=file)


def test_secrets_of_channels_are_laid_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "channels.yaml"
    file.write_text("smtp: {host: mail.example, sender: a@b.example}\nteam_name: The team\n")
    monkeypatch.setenv("LEADSTREAM_CHANNELS_FILE", str(file))
    monkeypatch.setenv("LEADSTREAM_CHANNELS", '{"smtp": {"password": "hunter2"}, "slack": {"token": "xoxb"}}')
    channels = load().channels
    assert channels.smtp is not None and channels.slack is not None
    assert (channels.smtp.host, channels.smtp.password) == ("mail.example", SecretStr("hunter2"))
    assert (channels.team_name, channels.slack.token) == ("The team", SecretStr("xoxb"))
    monkeypatch.setenv("LEADSTREAM_CHANNELS", "{")
    with pytest.raises(SettingsError, match="LEADSTREAM_CHANNELS: it must be JSON"):
        load()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load().namespace = "other"
