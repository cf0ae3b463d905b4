"""Access rules come later; until then they must not be ignored in silence."""

import pytest

from perfcast.api import Services, create_app, listen
from perfcast.errors import InvalidSetting
from perfcast.settings import Settings, load_settings


@pytest.mark.parametrize("name", ["API_KEY", "RATE_LIMIT", "api_key"])
@pytest.mark.parametrize("start", [listen, Services, create_app])
def test_nothing_is_served_while_an_access_rule_is_configured(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, start: object
) -> None:
    monkeypatch.setenv(name, "secret-1")
    assert callable(start)
    with pytest.raises(InvalidSetting) as caught:
        start(settings)
    assert name.upper() in str(caught.value)
    assert "unset" in str(caught.value)
    assert "secret-1" not in str(caught.value)


def test_an_empty_access_rule_is_none(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "")
    monkeypatch.setenv("RATE_LIMIT", " ")
    create_app(settings)


def test_a_client_may_have_its_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "secret-1")
    assert load_settings(api_port=0).api_port == 0
