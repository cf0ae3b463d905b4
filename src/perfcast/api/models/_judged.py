"""The rows a version was judged by, beside its predictions of them."""

from threading import Lock
from typing import Any

import msgspec

from perfcast.api.http._numbers import rounded, shown_values
from perfcast.datasets import MOST_SHOWN, Dataset, Datasets, Part, judging_rows, moment_texts, spread
from perfcast.errors import Conflict, NotFound
from perfcast.manifest import DEFAULT_COVERAGE, DataFacts
from perfcast.registry import Version
from perfcast.serving import AnswerCache, Follower, Predictor
from perfcast.storage import sha256
from perfcast.workloads import same_rows


class Judgements:
    """Predicts held-out rows again when somebody wants to see them, one version at a time, and remembers the answer."""

    def __init__(self, follower: Follower, datasets: Datasets, answers: AnswerCache) -> None:
        self._follower, self._datasets, self._answers = follower, datasets, answers
        self._working = Lock()

    def of(self, version: Version, limit: int) -> dict[str, Any]:
        """At most so many of the rows that judged a version, spread over all of them, the same ones each time.

        Raises:
            Conflict: It has no such rows, or they are not here; says why.
            BrokenVersion: Its graph or its dataset can't be read.
        """
        facts = version.manifest.data
        if facts is None:
            raise Conflict(
                f"{version.reference} was not trained here and names no dataset (it was uploaded or imported), so "
                "there are no rows that judged it"
            )
        key, question = version.manifest.graph.sha256, f"judged:{sha256(version.manifest.to_json())}"
        with self._working:
            known = self._answers.get(key, question)
            if known is None:
                known = msgspec.json.encode(self._judge(version, facts))
                self._answers.put(key, question, known)
        return _fewer(msgspec.json.decode(known), limit)

    def _judge(self, version: Version, facts: DataFacts) -> dict[str, Any]:
        dataset, predictor = self._load(version, facts), self._follower.load(version)
        if not same_rows(dataset.workload, predictor.workload):
            raise Conflict(f"{version.reference} reads other features than its dataset '{facts.name}' has")
        held = dataset.rows.take(judging_rows(dataset.rows, facts, dataset.workload.identifying))
        if not len(held):
            raise Conflict(f"{version.reference} doesn't say which rows of dataset '{facts.name}' judged it")
        return {"held_out_rows": len(held), **_judged(predictor, held.take(spread(len(held), MOST_SHOWN)))}

    def _load(self, version: Version, facts: DataFacts) -> Dataset:
        try:
            return self._datasets.load(self._datasets.find(facts.name, facts.digest))
        except NotFound:
            raise Conflict(
                f"{version.reference} was made from dataset '{facts.name}@{facts.digest[:12]}', which is not kept here "
                "(any more), so the rows that judged it are gone"
            ) from None


def _judged(predictor: Predictor, rows: Part) -> dict[str, Any]:
    answer = predictor.predict(rows.features)
    features = predictor.workload.features
    return {
        "coverage": None if answer.lower is None else DEFAULT_COVERAGE,
        "actual": rounded(rows.cost),
        "predicted": rounded(answer.cost),
        "lower": None if answer.lower is None else rounded(answer.lower),
        "upper": None if answer.upper is None else rounded(answer.upper),
        "features": {item.name: shown_values(item, rows.features[:, at]) for at, item in enumerate(features)},
        "measured_at": None if rows.measured_at is None else moment_texts(rows.measured_at),
    }


def _fewer(found: dict[str, Any], limit: int) -> dict[str, Any]:
    """What was found, with at most so many rows."""
    chosen = spread(len(found["actual"]), limit).tolist()

    def fewer(column: list[Any] | None) -> list[Any] | None:
        return None if column is None else [column[row] for row in chosen]

    columns = {name: fewer(found[name]) for name in ("actual", "predicted", "lower", "upper", "measured_at")}
    features = {name: fewer(column) for name, column in found["features"].items()}
    return {**found, "shown": len(chosen), **columns, "features": features}
