"""Settings from files: how containers are given secrets."""

import os
from pathlib import Path

import pytest

from perfcast.errors import InvalidSetting
from perfcast.settings import environment_without_secrets, load_settings

ADDRESS = "postgresql://perfcast:hidden-in-a-file@db/perfcast"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SETTINGS_DIR", str(tmp_path))
    (tmp_path / "database_url").write_text(ADDRESS + "\n")
    (tmp_path / "api_key").write_text("key-in-a-file:predict\n")
    return tmp_path


def test_a_file_gives_the_setting_of_its_name(folder: Path) -> None:
    settings = load_settings()
    assert settings.database_url == ADDRESS
    assert settings.api_key.get_secret_value() == "key-in-a-file:predict"


def test_a_variable_goes_before_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://other/db")
    assert load_settings().database_url == "postgresql://other/db"


def test_an_empty_file_is_an_empty_setting(folder: Path) -> None:
    (folder / "api_key").write_text("")
    assert load_settings().api_key.get_secret_value() == ""


def test_a_wrong_value_in_a_file_is_named_but_not_shown(folder: Path) -> None:
    (folder / "redis_url").write_text("password@somewhere")
    with pytest.raises(InvalidSetting, match="REDIS_URL") as refused:
        load_settings()
    assert "password@somewhere" not in str(refused.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTINGS_DIR", str(tmp_path / "absent"))
    with pytest.raises(InvalidSetting, match=r"SETTINGS_DIR: expected a folder.*absent"):
        load_settings()


def test_a_file_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda file, mode: file.name != "api_key")  # root may read everything
    with pytest.raises(InvalidSetting, match=r"may not read .*api_key"):
        load_settings()


def test_processes_that_get_no_keys_are_not_told_where_the_files_are(folder: Path) -> None:
    assert "SETTINGS_DIR" not in environment_without_secrets()
    assert "SETTINGS_DIR" not in load_settings().child_environment
