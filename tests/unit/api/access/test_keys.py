"""What `API_KEY` may say, and that secrets stay secret."""

import hmac
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.api import Services, create_app, listen
from perfcast.api.access import _keys
from perfcast.api.access._keys import ALL, find, parse_keys
from perfcast.errors import InvalidSetting
from perfcast.settings import Settings, load_settings

SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",:"), min_size=1, max_size=40)


def scopes(text: str, secret: str) -> frozenset[str] | None:
    keys = parse_keys(text)
    assert keys is not None
    key = find(keys, secret.encode())
    return None if key is None else key.scopes


@given(SECRET, SECRET)
def test_a_key_is_found_by_its_secret_and_by_no_other(secret: str, other: str) -> None:
    assert scopes(secret, secret) == ALL
    assert (scopes(secret, other) is None) == (secret != other)


def test_each_key_has_its_own_scopes() -> None:
    text = "one:read+predict, two:admin ,three"
    assert scopes(text, "one") == {"read", "predict"}
    assert scopes(text, "two") == ALL
    assert scopes(text, "three") == ALL
    assert scopes(text, "one:read+predict") is None
    assert scopes(text, "") is None


def test_no_key_is_no_gate() -> None:
    assert parse_keys("  ") is None


@pytest.mark.parametrize(
    "text",
    [
        "secret:",
        "secret:reed",
        "secret:read+",
        "secret:read:admin",
        ",",
        "secret,",
        ":read",
        "se cret",
        "sécret",
        "a,a",
    ],
)
@pytest.mark.parametrize("start", [listen, Services, create_app])
def test_a_key_that_cannot_be_used_stops_the_start_and_is_not_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, text: str, start: Any
) -> None:
    monkeypatch.setenv("API_KEY", text)
    with pytest.raises(InvalidSetting) as caught:
        start(load_settings(data_dir=settings.data_dir, api_port=0))
    assert "API_KEY" in str(caught.value)
    assert "secret" not in str(caught.value).replace("SECRET", "").replace("each secret", "").replace("a secret", "")


def test_a_secret_is_kept_only_as_its_digest() -> None:
    keys = parse_keys("hunter2-hunter2:read")
    assert keys is not None
    (key,) = keys
    assert "hunter2" not in repr(key) + key.caller
    assert key.caller == f"key:{key.digest.hex()[:8]}"


def test_every_key_is_compared_whichever_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = parse_keys("first,second,third")
    compared: list[bytes] = []

    def counting(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(_keys, "hmac", SimpleNamespace(compare_digest=counting))
    assert keys is not None
    for secret in (b"first", b"third", b"fourth", b"", b"f" * 100_000):
        compared.clear()
        find(keys, secret)
        assert len(compared) == 3
        assert len({len(digest) for digest in compared}) == 1


def test_the_settings_do_not_show_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    monkeypatch.setenv("PERFCAST_API_KEY", "hunter2-client")
    settings = load_settings()
    assert settings.api_key.get_secret_value() == "hunter2-hunter2"
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(settings.environment)]
    assert "hunter2" not in "".join(shown)
    assert "hunter2" not in repr(settings.child_environment)
    assert settings.child_environment["PATH"]


@pytest.mark.parametrize("name", ["api_key", "API_KEY", "Api_Key"])
def test_a_started_process_gets_no_key_however_it_is_spelled(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hunter2-hunter2")
    assert "hunter2" not in repr(load_settings().child_environment)


def test_an_invalid_setting_beside_it_does_not_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    monkeypatch.setenv("API_PORT", "no number")
    with pytest.raises(InvalidSetting) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
