"""An older version, such as another device's, from whose answers new ones start."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnxruntime as ort

from perfcast.errors import Refused
from perfcast.manifest import Manifest
from perfcast.sessions import open_session, run
from perfcast.workloads import Rows, Workload, differences, same_rows, workload_from_document


@dataclass(frozen=True)
class Base:
    """A version that predicts the same cost of the same features, measured elsewhere; pickles.

    Attributes:
        reference: What the registry calls it: `NAME:VERSION`.
        manifest: What it says about itself.
        graph: Its serialised graph, which those of the new versions will contain.
    """

    reference: str
    manifest: Manifest
    graph: bytes

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

    @cached_property
    def _session(self) -> ort.InferenceSession:
        return open_session(self.graph, self.reference)

    def __getstate__(self) -> dict[str, Any]:
        """All but the session, which doesn't pickle."""
        return {name: value for name, value in vars(self).items() if name != "_session"}
