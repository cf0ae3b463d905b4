"""From what a caller asks to a complete request: names are checked, what is left out is filled in."""

from collections.abc import Mapping
from dataclasses import dataclass

from perfcast.datasets import DatasetRecord, Datasets
from perfcast.errors import FieldError, InvalidInput, NotFound, NoUsableModel, UnknownModel, UnknownWorkload
from perfcast.jobs.queue._job import Effort, JobRequest
from perfcast.registry import DEFAULT_WORKLOAD, ModelSummary, Registry, check_name
from perfcast.workloads import Workload, builtin_workloads

FAMILIES = ("xgboost", "neural_network", "polynomial", "random_forest", "ensemble")
"""What `training.families` has, and their mean: named here so that the API need not import it; a test compares."""
MOST_TRIALS = 10_000
LONGEST_SECONDS = 7 * 24 * 3600.0
FEWEST_NEWEST, MOST_NEWEST = 250, 1_000_000_000
LARGEST_SEED = 2**31 - 1
_wrong = InvalidInput.of

STARTERS: Mapping[tuple[str, str], str] = {("simulated", "cpu-utilization"): "cpu-utilization"}
"""Datasets, with their workload, whose model has a name of its own."""
_ENDS: Mapping[str, str] = {"operator-execution-time": "-operators"}
"""What a workload's datasets end with, and their models leave out."""


class Asked(Effort, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller says; all of it may be left out."""

    workload: str | None = None
    model_name: str | None = None
    dataset: str | None = None
    metric: str | None = None


@dataclass(frozen=True)
class Submissions:
    """Completes requests against the datasets, models and known workloads; datasets of others bring their own."""

    datasets: Datasets
    registry: Registry
    workloads: Mapping[str, Workload]

    def complete(self, asked: Asked) -> JobRequest:
        """Check and fill in.

        Without a dataset the newest of the model's line is taken; without a model, the default model of the workload;
        without a workload, `cpu-utilization`.

        Raises:
            InvalidInput: Something is wrong; names every field.
        """
        _check_numbers(asked)
        model = self._model(asked)
        record = self._record(asked, model)
        name = model.name if model else asked.model_name or self._named(asked, record)
        self._check_model(name, record)
        return JobRequest(
            model=name,
            workload=record.workload,
            dataset=record.name,
            digest=record.digest,
            families=tuple(dict.fromkeys(asked.families)),
            n_trials=asked.n_trials,
            timeout_seconds=asked.timeout_seconds,
            metric=self._metric(asked, record),
            promote=asked.promote,
            seed=asked.seed,
            newest_rows=asked.newest_rows,
            base=self._base(asked, record),
            trends=asked.trends,
        )

    def _model(self, asked: Asked) -> ModelSummary | None:
        """The model that is meant, where it exists."""
        name = asked.model_name
        if name is None and asked.dataset is None:
            name = self.registry.defaults().get(asked.workload or DEFAULT_WORKLOAD)
        if name is None:
            return None
        try:
            check_name(name)
            return self.registry.model(name)
        except UnknownModel:
            return None
        except InvalidInput as error:
            raise _wrong("model_name", error.fields[0].message) from None

    def _record(self, asked: Asked, model: ModelSummary | None) -> DatasetRecord:
        if asked.dataset is not None:
            name, _, digest = asked.dataset.partition("@")
            try:
                record = self.datasets.find(name, digest or None)
            except NotFound as error:
                raise _wrong("dataset", str(error)) from None
            if asked.workload not in (None, record.workload):
                raise _wrong("workload", f"dataset '{name}' is of '{record.workload}', not '{asked.workload}'")
            return record
        workload = asked.workload or (model.workload if model else DEFAULT_WORKLOAD)
        records = [record for record in self.datasets.list() if record.workload == workload]
        of_model = [record for record in records if model is not None and record.name == model.dataset]
        if found := of_model or records:
            return found[0]
        known = {*self.workloads, *(record.workload for record in self.datasets.list())}
        if workload not in known:
            raise _wrong("workload", str(UnknownWorkload(workload, known)))
        raise _wrong(
            "dataset",
            f"there is none of '{workload}' to learn from; bring measured rows with `perfcast data import FILE "
            f"--workload {workload}`, or start with `perfcast up`, which brings the starters",
        )

    def _named(self, asked: Asked, record: DatasetRecord) -> str:
        """The name of the model where none is given: the default model if it learns from this line, else a new one."""
        usual = default_model(record.name, record.workload)
        if asked.dataset is None:
            return usual
        lines = [model.name for model in self.registry.models() if model.dataset == record.name]
        return usual if usual in lines or not lines else lines[0]

    def _check_model(self, name: str, record: DatasetRecord) -> None:
        try:
            model = self.registry.model(name)
        except UnknownModel:
            return
        if model.workload != record.workload:
            raise _wrong(
                "model_name",
                f"model '{name}' answers for '{model.workload}', but dataset '{record.name}' is of "
                f"'{record.workload}'; use another name or dataset",
            )

    def _base(self, asked: Asked, record: DatasetRecord) -> str | None:
        """The version to start from, by its number, so that an alias moved meanwhile changes nothing."""
        if not asked.base:
            return None
        try:
            version = self.registry.resolve(asked.base)
        except (NotFound, NoUsableModel) as error:
            raise _wrong("base", str(error)) from None
        except InvalidInput as error:
            raise _wrong("base", error.fields[0].message) from None
        workload = version.manifest.workload["name"]
        if workload != record.workload:
            raise _wrong(
                "base", f"{version.reference} answers for '{workload}', but the dataset is of '{record.workload}'"
            )
        return version.reference

    def _metric(self, asked: Asked, record: DatasetRecord) -> str | None:
        """What is tuned by; a workload that only the dataset itself declares is left to the training process."""
        workload = self.workloads.get(record.workload)
        if workload is None:
            return asked.metric
        metric = "mape" if workload.cost.relative else "mae"
        if asked.metric not in (None, metric):
            raise _wrong("metric", f"models of '{record.workload}' are tuned by {metric}, not '{asked.metric}'")
        return metric


def default_model(dataset: str, workload: str) -> str:
    """The name of the model that learns from a dataset when none is given."""
    known = STARTERS.get((dataset, workload))
    if known is not None:
        return known
    own = workload not in builtin_workloads() and f"{workload}-".startswith(f"{dataset}-")
    return workload if own else f"{workload}-{dataset.removesuffix(_ENDS.get(workload, ''))}"


def _check_numbers(asked: Asked) -> None:
    wrong = []
    if not 1 <= asked.n_trials <= MOST_TRIALS:
        wrong.append(FieldError("n_trials", f"must be from 1 to {MOST_TRIALS:,}, got {asked.n_trials}"))
    wrong += [
        FieldError("families", f"no family is called '{name}'; there are {', '.join(FAMILIES)}")
        for name in asked.families
        if name not in FAMILIES
    ]
    if asked.timeout_seconds is not None and not 1 <= asked.timeout_seconds <= LONGEST_SECONDS:
        wrong.append(FieldError("timeout_seconds", f"must be from 1 to {LONGEST_SECONDS:,.0f}"))
    if asked.newest_rows is not None and not FEWEST_NEWEST <= asked.newest_rows <= MOST_NEWEST:
        told = f"must be from {FEWEST_NEWEST} to {MOST_NEWEST:,}, got {asked.newest_rows}"
        wrong.append(FieldError("newest_rows", told))
    if not 0 <= asked.seed <= LARGEST_SEED:
        wrong.append(FieldError("seed", f"must be from 0 to {LARGEST_SEED:,}"))
    if wrong:
        raise InvalidInput(wrong)
