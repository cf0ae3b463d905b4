"""The parameters of a simulated service: its traffic, its machine and how it is watched."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from perfcast.errors import FieldError, InvalidInput

# Requests relative to the busiest hour, one value for each hour 0-23.
WORKDAY_SHAPE = (
    0.20, 0.16, 0.14, 0.13, 0.14, 0.18, 0.28, 0.45, 0.68, 0.88, 0.98, 1.00,
    0.90, 0.86, 0.94, 0.97, 0.92, 0.80, 0.68, 0.62, 0.60, 0.52, 0.40, 0.28,
)  # fmt: skip
WEEKEND_SHAPE = (
    0.24, 0.19, 0.15, 0.13, 0.12, 0.13, 0.16, 0.22, 0.30, 0.39, 0.46, 0.50,
    0.50, 0.48, 0.47, 0.47, 0.49, 0.52, 0.55, 0.57, 0.56, 0.50, 0.41, 0.31,
)  # fmt: skip
HOLIDAYS_2025 = (
    "2025-01-01", "2025-01-20", "2025-05-26", "2025-07-04",
    "2025-09-01", "2025-11-27", "2025-12-25",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The load that users bring, before the service answers any of it."""

    peak_rate: float = 158.0  # requests/s of the busiest workday hour in the first week, without noise
    # 24 factors of `peak_rate`, one for each hour, Monday to Friday
    workday_shape: tuple[float, ...] = WORKDAY_SHAPE
    weekend_shape: tuple[float, ...] = WEEKEND_SHAPE  # the same for Saturday and Sunday
    weekday_factors: tuple[float, ...] = (1.0, 1.03, 1.02, 1.0, 0.93, 0.95, 1.0)  # 7 further factors, Monday first
    holidays: tuple[str, ...] = HOLIDAYS_2025  # dates (ISO 8601) that look like a Sunday
    growth_per_week: float = 0.01  # relative growth of the load each week (0.01 = 1 %)
    noise: float = 0.07  # standard deviation of the autocorrelated noise of the rate's logarithm
    noise_minutes: float = 45.0  # correlation time of that noise
    bursts_per_day: float = 4.0  # mean number of short bursts (retries, crawlers) a day
    burst_size: float = 0.25  # mean height of a burst, relative to the load at that time
    burst_minutes: float = 6.0  # time after which a burst has fallen to 1/e
    flash_crowds_per_week: float = 0.5  # flash crowds; the number in a simulation is rounded, not random
    flash_crowd_size: float = 0.5  # height of a flash crowd, relative to `peak_rate`
    flash_crowd_minutes: float = 40.0  # time after which a flash crowd has fallen to 1/e
    sessions_per_request: float = 1.0 / 600.0  # user sessions that begin for each request
    session_seconds: float = 300.0  # mean length of a session


@dataclass(frozen=True, kw_only=True)
class RequestClass:
    """One kind of request."""

    name: str  # what it is called
    cpu_seconds: float  # CPU-seconds that one such request takes on an idle machine
    share: float  # share of all requests outside business hours (0-1)
    business_share: float  # share of all requests within business hours (0-1)


@dataclass(frozen=True, kw_only=True)
class CronJob:
    """Work that the clock starts."""

    name: str  # what it is called
    cores: float  # busy cores while it runs
    minute: int  # minute of the hour at which it starts
    hour: int | None = None  # hour at which it starts each day; None = every hour
    duration_minutes: float = 2.0  # how long it runs


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """A release that steps the CPU demand of every request."""

    day: float  # days after the scenario's start (fractions allowed)
    demand_factor: float  # demand after it, relative to the demand before


@dataclass(frozen=True, kw_only=True)
class Service:
    """The machine and the program on it: how load becomes busy cores."""

    cores: int = 8  # cores of the machine; 100 % is all of them busy
    cap_percent: float = 100.0  # CPU quota at which the service is throttled (percent 0-100)
    contention: float = 0.03  # sigma of the Universal Scalability Law (serialised share of the work)
    coherency: float = 0.004  # kappa of the Universal Scalability Law (cost of keeping cores in agreement)
    base_cores: float = 0.35  # mean busy cores of the idle machine, unrelated processes included
    request_classes: tuple[RequestClass, ...] = (  # the kinds of requests and what they cost
        RequestClass(name="read", cpu_seconds=0.012, share=0.755, business_share=0.745),
        RequestClass(name="write", cpu_seconds=0.030, share=0.200, business_share=0.200),
        RequestClass(name="report", cpu_seconds=0.150, share=0.045, business_share=0.055),
    )
    cores_per_user: float = 0.004  # busy cores for each active user (heartbeats, open sockets)
    cores_per_connection: float = 0.008  # busy cores for each open database connection
    connection_seconds: float = 0.18  # time that a request holds a connection on an idle machine
    pool_minimum: int = 5  # connections that stay open without load
    pool_limit: int = 60  # connections that the pool never exceeds
    pool_idle_seconds: float = 600.0  # time after which idle connections beyond the need have fallen to 1/e
    gc_requests: float = 12_000.0  # requests between two full garbage collections (allocation drives them)
    gc_cpu_seconds: float = 5.0  # CPU-seconds of one full garbage collection
    cron_jobs: tuple[CronJob, ...] = (  # work that the clock starts
        CronJob(name="log rotation", cores=0.3, minute=0, duration_minutes=3.0),
        CronJob(name="backup", cores=1.3, minute=30, hour=2, duration_minutes=28.0),
    )
    # releases that step the demand, in the order of their days
    deploys: tuple[Deploy, ...] = (Deploy(day=8.4, demand_factor=1.04), Deploy(day=16.6, demand_factor=0.97))
    warm_up_factor: float = 0.25  # extra demand right after a deploy (0.3 = 30 % more), falling from there
    warm_up_minutes: float = 8.0  # time after which that extra demand has fallen to 1/e
    demand_noise: float = 0.03  # standard deviation of the demand's logarithm (what requests ask for varies)
    demand_noise_minutes: float = 10.0  # correlation time of that noise
    neighbour_cores: float = 0.08  # scale (half-normal) of the busy cores that unrelated processes take
    neighbour_minutes: float = 20.0  # correlation time of those


@dataclass(frozen=True, kw_only=True)
class Observation:
    """How the service is watched."""

    jitter_seconds: float = 0.8  # scale of the delay of a scrape (half-normal; never early)
    missing_share: float = 0.01  # share of scrapes that fail and leave no row (0 <= share < 1)
    outage_scrapes: float = 3.0  # mean number of scrapes that fail in a row
    reading_error: float = 0.8  # standard deviation of the utilisation's reading error (percent points)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything that a simulation depends on."""

    days: float = 30.0  # length of the simulated time
    step_seconds: float = 60.0  # time between two scrapes
    start: datetime = datetime(2025, 1, 6, tzinfo=UTC)  # first moment (with a time zone; Monday 2025-01-06 by default)
    seed: int = 0  # seed of all randomness
    traffic: Traffic = field(default_factory=Traffic)  # the load
    service: Service = field(default_factory=Service)  # the machine
    observation: Observation = field(default_factory=Observation)  # the watching

    def __post_init__(self) -> None:
        """Refuse what can't be simulated (raises `InvalidInput`)."""
        wrong = {
            "days": "at least one step must fit in" if self.steps < 1 else "",
            "seed": "must not be negative" if self.seed < 0 else "",
        }
        errors = [FieldError(f"scenario.{name}", message) for name, message in wrong.items() if message]
        if errors:
            raise InvalidInput(errors)

    @property
    def steps(self) -> int:
        """Number of scrapes, those that will fail included."""
        return int(self.days * 86_400.0 / self.step_seconds)
