"""The file that says what is collected: a server, a query for each feature and for the cost, and the rhythm."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from perfcast.collect._access import Access
from perfcast.collect._duration import seconds
from perfcast.collect._promql import WINDOW, narrowed
from perfcast.datasets import check_name
from perfcast.errors import InvalidSetting, PerfcastError
from perfcast.workloads import Workload, find_workload, load_workload, read_yaml

CAPACITY = "capacity"
"""What the query for the service's capacity is called."""
_FEWEST_KEPT, _MOST_KEPT = 1000, 2_000_000


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it is written.

    Attributes:
        server: Where the series are.
        workload: A workload's name, or a YAML file that declares yours, beside this file.
        dataset: The line of datasets that grows; also the name of the journal.
        model: Who predicts each row, so that its answer is compared with what came; empty: nobody.
        features: PromQL, or a number that never changes, for each feature but those of the clock.
        target: PromQL of the cost, or of CPU cores used where there is a capacity.
        capacity: Cores that the service may use, as a number or PromQL: turns the target into percent of them.
        step: From one row to the next.
        window: What `$window` stands for in every query; the step if not given.
        lag: How old an instant must be before it is asked for: scraping, writing and the server's own delay.
        late: How long a row that couldn't be made is asked for again, since samples may arrive late.
        keep_rows: Most rows of the line; the oldest leave.
        publish_rows: A new dataset is written after so many new rows.
        keep_datasets: Most datasets of the line that this collector leaves behind.
    """

    server: Access
    workload: str
    dataset: str
    features: dict[str, str | float]
    target: str
    model: str = ""
    capacity: str | float = ""
    step: str | float = 60
    window: str | float = ""
    lag: str | float = 90
    late: str | float = 3600
    keep_rows: int = 130_000
    publish_rows: int = 360
    keep_datasets: int = 8


@dataclass(frozen=True)
class Collection:
    """A file made ready.

    Attributes:
        workload: What the rows are measurements of.
        queries: By name (features, the cost, `capacity`), with the window filled in; the matcher is added when asked.
        constants: Values that never change, by feature or `capacity`.
        step, window, lag, late: Seconds.
    """

    document: Document
    workload: Workload
    queries: Mapping[str, str]
    constants: Mapping[str, float]
    step: int
    window: int
    lag: float
    late: float

    @property
    def name(self) -> str:
        """Of the line of datasets."""
        return self.document.dataset

    @property
    def has_capacity(self) -> bool:
        """Whether the cost is the target in percent of a capacity."""
        return self.document.capacity != ""

    @property
    def signature(self) -> str:
        """Changes when the same instants would give other rows."""
        told = repr((self.workload.name, sorted(self.queries.items()), sorted(self.constants.items()), self.step))
        return hashlib.sha256((told + self.document.server.matcher).encode()).hexdigest()[:16]

    @property
    def clock_features(self) -> list[str]:
        """The features that each row's time decides."""
        given = self.document.features
        return [f.name for f in self.workload.features if f.declaration.clock and f.name not in given]


_SECRETS = ("server.bearer_token: expected", "server.password: expected")


def read_collection(path: Path, workloads: Mapping[str, Workload]) -> Collection:
    """Read a file that says what is collected; secrets are looked for, but stay where they are.

    Raises:
        InvalidSetting: A field is wrong; the text names the file and the field, and shows the value.
    """
    try:
        document = read_yaml(path.read_bytes(), Document)
        return _ready(document, _workload(document, path, workloads))
    except (PerfcastError, ValueError) as error:
        secret = str(error).startswith(_SECRETS)
        advice = "; a secret stands elsewhere, say {env: NAME} or {file: PATH}" if secret else ""
        raise InvalidSetting(f"{path}: {error}{advice}") from None


def _workload(document: Document, path: Path, workloads: Mapping[str, Workload]) -> Workload:
    if document.workload.endswith((".yaml", ".yml")):
        return load_workload(path.parent / document.workload, workloads)
    return find_workload(document.workload, workloads)


def _ready(document: Document, workload: Workload) -> Collection:
    document.server.check()
    check_name(document.dataset)
    _check_features(document, workload)
    step = _whole("step", document.step)
    window = _whole("window", document.window) if document.window else step
    asked = {name: document.features[name] for name in workload.feature_names if name in document.features}
    asked |= {workload.cost.name: document.target} | ({CAPACITY: document.capacity} if document.capacity != "" else {})
    queries = {name: _query(name, query, window) for name, query in asked.items() if isinstance(query, str)}
    constants = {name: float(value) for name, value in asked.items() if not isinstance(value, str)}
    if constants.get(CAPACITY, 1.0) <= 0:
        raise InvalidSetting(f"capacity: must be above 0 cores, got {document.capacity}")
    if not _FEWEST_KEPT <= document.keep_rows <= _MOST_KEPT:
        raise InvalidSetting(f"keep_rows: must be from {_FEWEST_KEPT:,} to {_MOST_KEPT:,}, got {document.keep_rows}")
    for field in ("publish_rows", "keep_datasets"):
        if (value := getattr(document, field)) < 1:
            raise InvalidSetting(f"{field}: must be 1 or more, got {value}")
    lag, late = seconds("lag", document.lag), seconds("late", document.late)
    for query in queries.values():
        narrowed(query, document.server.matcher)
    return Collection(document, workload, queries, constants, step, window, lag, late)


def _check_features(document: Document, workload: Workload) -> None:
    known = {feature.name: feature for feature in workload.features}
    for name in document.features:
        if name not in known:
            raise InvalidSetting(f"features: {workload.name} has no feature '{name}'; it has {', '.join(known)}")
        if known[name].declaration.values:
            raise InvalidSetting(f"features.{name}: is a choice of texts, which no query gives")
    for feature in workload.features:
        if feature.name not in document.features and feature.required and not feature.declaration.clock:
            raise InvalidSetting(f"features: a query for {feature.name} is missing ({feature.declaration.meaning})")
    if not document.target.strip():
        raise InvalidSetting("target: is empty, where PromQL for the cost is expected")


def _whole(field: str, value: str | float) -> int:
    found = seconds(field, value)
    if found != int(found):
        raise InvalidSetting(f"{field}: must be whole seconds, got {value!r}")
    return int(found)


def _query(name: str, query: str, window: int) -> str:
    """The query with its window filled in."""
    if not query.strip():
        raise InvalidSetting(f"{name}: the query is empty")
    return query.strip().replace("${window}", WINDOW).replace(WINDOW, f"{window}s")
