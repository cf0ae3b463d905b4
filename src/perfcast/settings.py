"""Every setting of Perfcast, each one an environment variable of the same name in capitals (rule R9).

Or a file of the same name in the folder SETTINGS_DIR, which is how containers are given secrets.
"""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from types import NoneType
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from perfcast.errors import InvalidSetting

CLIENT_KEY = "PERFCAST_API_KEY"
"""The environment variable of the key that commands send to a server."""
_SETTINGS_DIR = "SETTINGS_DIR"
_SECRET_NAMES = re.compile(r"KEY|PASSWORD|SECRET|TOKEN|CREDENTIAL|_HEADERS$")


def _zone(name: str | ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no time zone is called {name!r}; an example is Europe/Berlin") from error


def _redis_address(value: str) -> str:
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://; an example is redis://localhost:6379/0")
    return value


def _bytes_of(size: str | int) -> int:
    """The bytes that a text such as `100MB`, `1.5 GiB` or `2000000` means; 0 for an empty one."""
    text = str(size).strip().lower()
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(k|m|g|t)?(i)?b?", text)
    if not text:
        return 0
    if found is None or (found[3] and not found[2]):
        raise ValueError(f"expected a size such as 100MB, 1GiB or a number of bytes, got {size!r}")
    power = " kmgt".index(found[2] or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


_Bytes = Annotated[int, BeforeValidator(_bytes_of)]


class Settings(BaseSettings):
    """What can be configured, with its default. `docs/settings.md` is written from this class."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    api_host: str = Field("127.0.0.1", description="Address the API listens on; 0.0.0.0 for all interfaces.")
    api_port: int = Field(8000, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    ui_host: str = Field("127.0.0.1", description="Address the web UI listens on; 0.0.0.0 for all interfaces.")
    ui_port: int = Field(8501, ge=1, le=65535, description="Port the web UI listens on.")
    api_url: str = Field("", description="Where the web UI finds the API; empty: at `API_PORT` of this machine.")
    api_public_url: str = Field(
        "", description="Where browsers find the API, for the UI's links to its documentation; empty: at `API_URL`."
    )
    grafana_url: str = Field("", description="Where Grafana is, for the UI's links; empty: none is linked.")
    docs_url: str = Field(
        "", description="Where these docs are served, for the UI's links to runbooks; empty: none is."
    )
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda value: str(value).upper())
    ] = Field("INFO", description="Least level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`json` for machines, `text` for people, `auto` decides by whether it is a terminal."
    )
    log_file: Path | None = Field(
        None, description="File that servers and workers also log to, all into one ([logs](logs.md)); empty: none."
    )
    log_file_bytes: _Bytes = Field(
        100_000_000, ge=1000, description="`LOG_FILE` is moved aside before it gets larger (`100MB`, `1GiB`)."
    )
    log_file_hours: float = Field(
        24.0, gt=0, le=8784, description="And when so many hours of the clock are over; 24: at midnight UTC."
    )
    log_file_keep: int = Field(14, ge=1, le=10_000, description="How many of those moved aside are kept.")
    log_predictions: float = Field(
        1.0, ge=0, le=1000, description="Most `prediction_latency` lines a second of one process; 0: none."
    )
    log_slow_seconds: float = Field(
        2.0, gt=0, le=3600, description="A request whose answer is so long in coming gets a line in the log."
    )
    otel_exporter_otlp_endpoint: str = Field(
        "",
        description="Collector (`http://…:4318`) that gets traces and metrics ([tracing](tracing.md)); empty: nobody.",
    )
    data_dir: Path = Field(Path("var"), description="Folder of everything that is kept when no other address is given.")
    database_url: str = Field(
        "", description="SQLAlchemy address of the state; empty means SQLite in `DATA_DIR`. PostgreSQL in production."
    )
    database_pool_size: int = Field(5, ge=1, le=100, description="Most database connections one process holds.")
    artifacts_url: str = Field(
        "", description="fsspec address of graphs and datasets (`s3://…`, a folder); empty means `DATA_DIR`/artifacts."
    )
    models_dir: Path | None = Field(
        None, description="Folder whose models workers convert and register; its joblib files may run code."
    )
    models_poll_seconds: float = Field(
        5.0, gt=0, le=3600, description="How often a worker looks whether `MODELS_DIR` has changed."
    )
    models_convert_seconds: float = Field(
        120.0, gt=0, le=3600, description="Longest that the conversion of one file may take."
    )
    models_unconfined: bool = Field(
        default=False, description="Load joblib files also where the kernel can't keep them from network and secrets."
    )
    workloads_dir: Path | None = Field(None, description="Folder of your own workloads' YAML files.")
    devices_dir: Path | None = Field(
        None, description="Folder of your own devices' YAML files ([devices](devices.md)); empty: `DATA_DIR`/devices."
    )
    service_timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = Field(  # type: ignore[assignment]  # read as given ones are
        "UTC", description="Time zone in which a `timestamp` becomes time features."
    )
    refresh_seconds: float = Field(
        0.5, gt=0, le=2, description="How often a serving process looks for changed aliases and versions."
    )
    model_cache_size: _Bytes = Field(  # type: ignore[assignment]  # read as given ones are
        "", description="Most bytes of graphs in memory (`100MB`, `1GiB`); least recently used leave; empty: no bound."
    )
    inference_device: Literal["cpu", "cuda", "auto"] = Field(
        "cpu", description="Where models run: `cpu`, `cuda` (needs `onnxruntime-gpu`), or `auto`: cuda where it works."
    )
    max_body_bytes: int = Field(10_000_000, ge=1024, description="Largest request body, except for batches.")
    api_processes: int = Field(1, ge=1, le=256, description="Serving processes on the one port.")
    max_concurrency: int = Field(
        256, ge=1, le=100_000, description="Most requests of a kind that one process works on; more get 503 at once."
    )
    max_heavy_concurrency: int = Field(
        4,
        ge=1,
        le=64,
        description="Most batches and benchmarks that one process works on, and a quarter of the looks at rows; "
        "more get 503 at once.",
    )
    request_timeout_seconds: float = Field(
        15.0, gt=0, le=3600, description="How long headers, a body, or the reading of an answer may stand still."
    )
    drain_seconds: float = Field(
        0.0, ge=0, le=600, description="How long a process told to end serves on as not ready, for a load balancer."
    )
    max_batch_bytes: int = Field(200_000_000, ge=1024, description="Largest body of a batch.")
    max_batch_rows: int = Field(1_000_000, ge=1, description="Most rows of a batch.")
    batch_threads: int = Field(
        0, ge=0, le=256, description="Threads that predict the rows of batches; 0 takes one for each processor."
    )
    prediction_log: bool = Field(
        default=True, description="Keep a record of each prediction, for live accuracy and drift."
    )
    prediction_log_seconds: float = Field(
        0.5, gt=0, le=1, description="How often the records of predictions are written to the database."
    )
    observe_seconds: float = Field(
        2.0, gt=0, le=60, description="How often a worker looks at new predictions and actuals."
    )
    actual_wait_hours: float = Field(
        24.0, gt=0, le=8760, description="How long an actual waits for the prediction it is about."
    )

    drift_alarms_per_week: float = Field(
        1.0, ge=0.25, le=4, description="False alarms of drift that are allowed: the nearest of 0.25, 0.5, 1, 2 and 4."
    )

    prediction_log_days: float = Field(
        30.0, gt=0, le=36_500, description="How long the records of predictions are kept ([records](predictions.md))."
    )
    prediction_log_bytes: _Bytes = Field(  # type: ignore[assignment]  # read as given ones are
        "5GB", description="Most bytes of records of predictions; the oldest leave; empty: no bound but the days."
    )
    prediction_export_url: str = Field(
        "",
        description="fsspec address (a folder, `s3://…`) where old records go as Parquet, then leave; empty: nowhere.",
    )

    backup_passphrase: SecretStr = Field(
        SecretStr(""), description="What `perfcast backup --encrypt` encrypts under ([backups](how-to/backup.md))."
    )

    api_key: SecretStr = Field(
        SecretStr(""),
        description="Keys that are let in: `SECRET` (may do everything) or `SECRET:read+predict,SECRET:admin`; empty: "
        "everybody is ([access](access.md)).",
    )
    rate_limit: str = Field(
        "", description="Most requests of a key, or without keys of an address: `600/minute`, several separated by `;`."
    )
    trusted_proxies: str = Field(
        "", description="Proxies whose `X-Forwarded-For` is believed: addresses or networks, separated by commas."
    )

    redis_url: Annotated[str, AfterValidator(_redis_address)] = Field(
        "",
        description="`redis://…` carries the queue and shares rate limits; empty: PostgreSQL or a file carries it "
        "([without Redis](how-to/add-machine.md#without-redis)).",
    )
    worker_concurrency: int = Field(1, ge=1, le=64, description="Training jobs that one worker runs at a time.")
    job_poll_seconds: float = Field(
        1.0, gt=0, le=60, description="How often a worker looks for queued jobs whose message was lost."
    )
    job_heartbeat_seconds: float = Field(
        2.0, gt=0, le=60, description="How often a worker says that a job's training process lives."
    )
    job_stale_seconds: float = Field(
        15.0, gt=0, le=3600, description="A running job without a heartbeat for so long is given to another worker."
    )
    job_attempts: int = Field(
        3, ge=1, le=100, description="How often a job is begun before it fails for good; stopped workers don't count."
    )
    job_retry_seconds: float = Field(
        10.0, ge=0, le=600, description="First pause before another attempt; each further one is four times as long."
    )
    job_study_days: float = Field(
        30.0, gt=0, le=36_500, description="How long the search of a finished job is kept for Optuna's dashboard."
    )

    dask_scheduler_address: str = Field(
        "", description="Dask scheduler (`tls://host:8786`) whose workers run trials and batch scoring; empty: here."
    )
    dask_unencrypted: bool = Field(
        default=False,
        description="Use a scheduler on another machine also without TLS; whoever reaches it can run any code there.",
    )
    mlflow_tracking_uri: str = Field(
        "",
        description="MLflow server (`http://…`) where each finished job is also written, however it ended "
        "([jobs](jobs.md#mlflow)); empty: nowhere.",
    )

    @property
    def database_address(self) -> str:
        """The SQLAlchemy address in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'perfcast.db').absolute()}"

    @property
    def data_folders(self) -> list[Path]:
        """Folders on this machine's disks that fill up as data grow."""
        file = self.database_address.partition("///")[2].partition("?")[0]
        return [self.data_dir, *([Path(file).parent] if self.database_address.startswith("sqlite") else [])]

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that give another process the same settings, without keys."""
        given = {name.upper(): getattr(self, name) for name in type(self).model_fields}
        return {name: str(value) for name, value in given.items() if not isinstance(value, (SecretStr, NoneType))}

    @property
    def child_environment(self) -> dict[str, str]:
        """The environment of a process that this one starts: its own with these settings, without keys."""
        secret = {name.upper() for name, value in self if isinstance(value, SecretStr)} | {CLIENT_KEY, _SETTINGS_DIR}
        kept = {name: value for name, value in os.environ.items() if name.upper() not in secret}
        return kept | self.environment

    @property
    def artifacts_address(self) -> str:
        """The fsspec address in force."""
        return self.artifacts_url or str((self.data_dir / "artifacts").absolute())


def environment_without_secrets() -> dict[str, str]:
    """This process's environment without keys, and without addresses, which may hold passwords.

    Neither those of the settings nor what libraries read, such as `AWS_SECRET_ACCESS_KEY` or `PGPASSWORD`.
    """
    fields = Settings.model_fields.items()
    secret = {_SETTINGS_DIR} | {
        name.upper()
        for name, field in fields
        if field.annotation is SecretStr or name.endswith(("_url", "_uri", "_endpoint"))
    }
    return {
        name: value for name, value in os.environ.items() if name.upper() not in secret and not is_secret_name(name)
    }


def is_secret_name(name: str) -> bool:
    """Whether what has that name may be secret, in any case."""
    return _SECRET_NAMES.search(name.upper()) is not None


def is_loopback(host: str) -> bool:
    """Whether what is sent to that host stays on this machine; other names than `localhost` are not looked up."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def settings_folder() -> Path | None:
    """Where settings lie as files, each called as its variable in small letters; variables go before.

    Raises:
        InvalidSetting: There is no such folder, or a file in it can't be read.
    """
    folder = Path(os.environ.get(_SETTINGS_DIR, ""))
    if not folder.name:
        return None
    if not folder.is_dir():
        raise InvalidSetting(f"{_SETTINGS_DIR}: expected a folder of files such as database_url, got {str(folder)!r}")
    files = [folder / name for name in Settings.model_fields]
    if unreadable := [str(file) for file in files if file.is_file() and not os.access(file, os.R_OK)]:
        raise InvalidSetting(f"{_SETTINGS_DIR}: this account (uid {os.getuid()}) may not read {', '.join(unreadable)}")
    return folder


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Args:
        **overrides: Values that win over the environment; None means not given.

    Raises:
        InvalidSetting: A value can't be used; the text names the variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(_secrets_dir=settings_folder(), **given)  # type: ignore[arg-type,call-arg]
    except ValidationError as error:
        wrong = [f"{str(e['loc'][0]).upper() if e['loc'] else 'settings'}: {e['msg']}" for e in error.errors()]
        raise InvalidSetting("; ".join(wrong)) from None
