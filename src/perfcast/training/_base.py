"""What new versions start from: the answers of an older one, such as another device's, or a basis of the workload."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.datasets import BY_HASH
from perfcast.errors import Refused
from perfcast.export import compose
from perfcast.manifest import Calibration, GraphFacts, Manifest
from perfcast.sessions import Costs, open_session, run, run_with_spread
from perfcast.workloads import Name, Rows, Workload, differences, same_rows, workload_from_document

BASIS = "basis"
"""The manifest's type of a base that is no version but a derived quantity of the workload."""


@dataclass(frozen=True)
class Base:
    """A version that predicts the same cost of the same features, measured elsewhere, or a basis; pickles.

    Attributes:
        reference: What the registry calls it: `NAME:VERSION`; a basis' name.
        manifest: What it says about itself.
        graph: Its serialised graph, which those of the new versions will contain.
    """

    reference: str
    manifest: Manifest
    graph: bytes

    @property
    def is_basis(self) -> bool:
        """Whether it is the workload's basis, as a multiple of which the cost is always learnt."""
        return self.manifest.type == BASIS

    @property
    def has_basis(self) -> bool:
        """Whether what it answers is a multiple of its workload's basis, or that itself."""
        return self.is_basis or workload_from_document(self.manifest.workload).cost.basis is not None

    @property
    def version(self) -> str:
        """Its reference where it is a version, which is what manifests tell; else nothing."""
        return "" if self.is_basis else self.reference

    def require(self, workload: Workload) -> None:
        """Refuse to start from it for another workload.

        Raises:
            Refused: It answers for another one, or reads other features.
        """
        theirs = workload_from_document(self.manifest.workload)
        if theirs.name != workload.name:
            raise Refused(
                f"{self.reference} answers for '{theirs.name}', but these rows are of '{workload.name}'; start from a "
                "version of the same workload"
            )
        if not same_rows(theirs, workload):
            raise Refused(
                f"{self.reference} reads other features than '{workload.name}' has now, so nothing can start from it: "
                f"{'; '.join(differences(theirs, workload))}"
            )

    def cost(self, features: Rows) -> Rows:
        """What it answers to float32 [rows, features]: float32 [rows], in the cost's unit.

        Raises:
            Refused: An answer is not finite.
        """
        cost = run(self._session, features)
        if not np.isfinite(cost).all():
            raise Refused(
                f"{self.reference} gives a cost that is not a finite number on these rows; start from another"
            )
        return cost

    def as_unseen(self, answers: Costs, actual: Rows, features: Rows) -> Costs:
        """Answers of a version that starts from it, no nearer to the measured costs than the base's own would be.

        A base that has learnt from its calibrating rows too knows the configurations of the new version's, if both were
        measured on the same ones: a configuration's part is the same in every dataset. Intervals sized by those would
        be too narrow. So no error is less than one that is drawn from the base's intervals, which were sized before.
        """
        facts, table = self.manifest.data, self.manifest.calibration
        if not self.manifest.learnt_all or facts is None or not facts.split.startswith(BY_HASH) or table is None:
            return answers
        least, measured = self._errors(table, features), actual.astype(np.float64)
        if not table.relative:
            error = answers.cost - measured
            cost = measured + np.where(error < 0, -1, 1) * np.maximum(np.abs(error), least)
        else:
            error = np.log(np.maximum(answers.cost, np.finfo(np.float32).tiny) / measured)
            cost = measured * np.exp(np.where(error < 0, -1, 1) * np.maximum(np.abs(error), least))
        return Costs(cost.astype(np.float32), answers.spread)

    def _errors(self, table: Calibration, features: Rows) -> npt.NDArray[np.float64]:
        """Errors such as its intervals promise, float64 [rows], drawn by chance; logarithms where they are relative."""
        known, share = run_with_spread(self._session, features), np.random.default_rng(0).uniform(size=len(features))
        levels = sorted(table.widths, key=float)
        error, bands = np.zeros(len(features)), table.bands_of(known.cost, known.spread)
        for band in range(table.bands):
            here, reach = bands == band, [table.distances(level)[1][band] for level in levels]
            error[here] = np.interp(share[here], [0.0, *map(float, levels)], [0.0, *reach])
        return error

    @cached_property
    def _session(self) -> ort.InferenceSession:
        return open_session(self.graph, self.reference)

    def __getstate__(self) -> dict[str, Any]:
        """All but the session, which doesn't pickle."""
        return {name: value for name, value in vars(self).items() if name != "_session"}


def basis_of(workload: Workload) -> Base | None:
    """The base that is the basis of a workload's cost; None where it declares none."""
    basis = workload.cost.basis
    if basis is None:
        return None
    read = spox.argument(spox.Tensor(np.float32, ("rows", 1)))
    body = spox.build({"inputs": read}, {"target": op.identity(read)})
    graph = compose(workload, body, inputs=[Name(basis)])
    facts = GraphFacts(sha256="", bytes=len(graph), opset=0, ir=0, row_us=0.0)
    manifest = Manifest(type=BASIS, workload=dict(workload.document()), ranges={}, graph=facts, created_at="")
    return Base(basis, manifest, graph)
