import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from notifiers.channel import CHANNELS
from notifiers.sandbox import check
from notifiers.settings import ChannelSettings

PAGE = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()


def example() -> ChannelSettings:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return ChannelSettings.model_validate(yaml.safe_load(found[1]))


def test_the_settings_in_the_docs_configure_every_channel() -> None:
    settings = example()
    assert [name for name, channel in CHANNELS.items() if not channel.is_configured(settings)] == []


def test_the_text_in_the_docs_is_allowed() -> None:
    found = re.search(r"^    (Hello\{%.*)$", PAGE, re.MULTILINE)
    assert found is not None
    check(found[1])


def test_by_default_only_the_board_is_told() -> None:
    assert [name for name, channel in CHANNELS.items() if channel.is_configured(ChannelSettings())] == ["in_app"]


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    shown = f"{example()!r} {example().model_dump(mode='json')}"
    for secret in ("xoxb", "whsec", "pat-"):
        assert secret not in shown


def test_a_misspelt_setting_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="slak"):
        ChannelSettings.model_validate({"slak": {}})
