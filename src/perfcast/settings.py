"""Every setting of Perfcast, each one an environment variable of the same name in capitals (rule R9)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from perfcast.errors import InvalidSetting

_ACCESS_RULES = ("API_KEY", "RATE_LIMIT")


class Settings(BaseSettings):
    """What can be configured, with its default. `docs/settings.md` is written from this class."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    api_host: str = Field("127.0.0.1", description="Address the API listens on; 0.0.0.0 for all interfaces.")
    api_port: int = Field(8000, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`json` for machines, `text` for people, `auto` decides by whether it is a terminal."
    )
    data_dir: Path = Field(Path("var"), description="Folder of everything that is kept when no other address is given.")
    database_url: str = Field(
        "", description="SQLAlchemy address of the state; empty means SQLite in `DATA_DIR`. PostgreSQL in production."
    )
    database_pool_size: int = Field(5, ge=1, le=100, description="Most database connections one process holds.")
    artifacts_url: str = Field(
        "", description="fsspec address of graphs and datasets (`s3://…`, a folder); empty means `DATA_DIR`/artifacts."
    )
    workloads_dir: Path | None = Field(None, description="Folder of your own workloads' YAML files.")
    service_timezone: str = Field("UTC", description="Time zone in which a `timestamp` becomes time features.")
    refresh_seconds: float = Field(
        0.5, gt=0, le=2, description="How often a serving process looks for changed aliases and versions."
    )
    max_body_bytes: int = Field(10_000_000, ge=1024, description="Largest request body, except for batches.")
    max_batch_bytes: int = Field(200_000_000, ge=1024, description="Largest body of a batch.")
    max_batch_rows: int = Field(1_000_000, ge=1, description="Most rows of a batch.")
    batch_threads: int = Field(
        0, ge=0, le=256, description="Threads that predict the rows of batches; 0 takes one for each core."
    )
    prediction_log: bool = Field(
        default=True, description="Keep a record of each prediction, for live accuracy and drift."
    )
    prediction_log_seconds: float = Field(
        0.5, gt=0, le=1, description="How often the records of predictions are written to the database."
    )

    redis_url: str = Field(
        "", description="`redis://…` carries the queue between machines; empty means a file in `DATA_DIR`."
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
    job_study_days: float = Field(
        30.0, gt=0, le=36_500, description="How long the search of a finished job is kept for Optuna's dashboard."
    )

    dask_scheduler_address: str = Field(
        "", description="Dask scheduler (`tcp://host:8786`) whose workers run trials and batch scoring; empty: here."
    )
    mlflow_tracking_uri: str = Field(
        "", description="MLflow server (`http://…`) where each training run is also written; empty: nowhere."
    )

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://; an example is redis://localhost:6379/0")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("service_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no time zone is called {value!r}; an example is Europe/Berlin") from error
        return value

    @property
    def database_address(self) -> str:
        """The SQLAlchemy address in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'perfcast.db').absolute()}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that give another process the same settings."""
        given = {name.upper(): getattr(self, name) for name in type(self).model_fields}
        return {name: str(value) for name, value in given.items() if value is not None}

    @property
    def artifacts_address(self) -> str:
        """The fsspec address in force."""
        return self.artifacts_url or str((self.data_dir / "artifacts").absolute())


def refuse_access_rules(environment: Mapping[str, str]) -> None:
    """Refuse to serve while an access rule is configured that isn't enforced: the server would stand open unnoticed.

    Args:
        environment: The process's environment variables.

    Raises:
        InvalidSetting: `API_KEY` or `RATE_LIMIT` is set.
    """
    filled = {name.upper() for name, value in environment.items() if value.strip()}
    given = [name for name in _ACCESS_RULES if name in filled]
    if given:
        raise InvalidSetting(
            f"{' and '.join(given)} is set, but this version of Perfcast has no access rules yet, so everybody would "
            f"be let in; unset {' and '.join(given)}, and keep the port private (API_HOST=127.0.0.1, or a reverse "
            "proxy that checks callers)"
        )


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Args:
        **overrides: Values that win over the environment; None means not given.

    Raises:
        InvalidSetting: A value can't be used; the text names the variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = [f"{str(e['loc'][0]).upper() if e['loc'] else 'settings'}: {e['msg']}" for e in error.errors()]
        raise InvalidSetting("; ".join(wrong)) from None
