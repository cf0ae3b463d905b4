"""No secret stands in a line, however it got there."""

import json
import logging
from pathlib import Path

import pytest
import structlog

from perfcast.logs import Redaction, configure_logs
from perfcast.logs._redaction import secrets_of
from perfcast.settings import Settings, load_settings

KEYS = ("key-of-the-shop", 'key"with\\marks')
SECRETS = (*KEYS, "database pass/word", "redis-pass", "mlflow-pass", "bucket-pass", "cloud-secret", "collector-token")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Secrets wherever one can be."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "cloud-secret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=shop,authorization=Bearer%20collector-token")
    return load_settings(
        api_key=f"{KEYS[0]}:read+predict,{KEYS[1]}",
        database_url="postgresql://perfcast:database%20pass%2Fword@db/perfcast",
        redis_url="redis://:redis-pass@redis:6379/0",
        mlflow_tracking_uri="https://somebody:mlflow-pass@mlflow",
        artifacts_url="s3://me:bucket-pass@bucket",
        log_file=tmp_path / "perfcast.log",
    )


def open_missing(name: str) -> None:
    """Fails with the name in its text and in its traceback's lines."""
    raise FileNotFoundError(name)


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_form_of_line_tells_a_secret(
    settings: Settings, form: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    configure_logs(settings.model_copy(update={"log_format": form}))
    log = structlog.stdlib.get_logger("perfcast.tried")
    for secret in SECRETS:
        event = f"event with {secret}"
        log.warning(event, value=secret, nested={"list": [secret, {secret: secret}]}, path=Path(secret))
        logging.getLogger("library").warning(
            "could not reach %s", f"https://me:{secret}@somewhere", extra={"x": secret}
        )
        try:
            open_missing(secret)
        except OSError:
            log.exception("failed", settings=[settings.database_url, settings.redis_url])
    told = capsys.readouterr().err
    assert told.count("could not reach") == told.count("Traceback") == len(SECRETS)
    for text in (told, (tmp_path / "perfcast.log").read_text()):
        for secret in SECRETS:
            assert [form for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]) if form in text] == []
        assert "database%20pass" not in text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("postgresql://me:pw@db:5432/x refused", "postgresql://me:***@db:5432/x refused"),
        ("redis://:a@h and amqp://b:c@d", "redis://:***@h and amqp://b:***@d"),
        ("host=db password=pw user=me", "host=db password=*** user=me"),
        ("{'api_key': 'x y', 'a': 1}", "{'api_key': ***, 'a': 1}"),
        ("Authorization: Bearer abc.def, next", "Authorization: ***, next"),
        ("http://localhost:8000/a:b@c", "http://localhost:8000/a:b@c"),
        ("2 keys; 600 requests in 60 s", "2 keys; 600 requests in 60 s"),
        ("at 14:05:00, models/m:2", "at 14:05:00, models/m:2"),
    ],
)
def test_passwords_are_known_by_where_they_stand(said: str, told: str) -> None:
    assert Redaction(()).text(said) == told


def test_words_are_not_torn_by_short_secrets_or_by_what_is_none() -> None:
    environment = {"USE_TOKEN": "true", "SOME_KEY": "us", "DATABASE_PASSWORD": "e"}
    clean = Redaction(secrets_of(load_settings(), environment))
    assert clean.text("true users use 'us'") == "true users use 'us'"


def test_level_and_logger_stay_whatever_the_password_is(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(load_settings(log_format="json", database_url="postgresql://perfcast:perfcast@db/ERROR"))
    structlog.stdlib.get_logger("perfcast.tried").error("refused by perfcast")
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["logger"], line["event"]) == ("ERROR", "perfcast.tried", "refused by ***")
