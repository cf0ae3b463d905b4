"""`GET /models/{ref}/judged`: the rows a version was judged by, and what it says of them."""

from typing import Annotated

from fastapi import APIRouter, Query

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Json, Registered, held
from perfcast.api.http._schemas import said
from perfcast.api.models._judged import Judgements
from perfcast.api.models._judged_answers import JudgedRows
from perfcast.api.models._moves import described
from perfcast.datasets import MOST_SHOWN

router = APIRouter(prefix="/models", tags=["models"])


@router.get(
    "/{ref}/judged", summary="Held-out rows with predictions", **said(JudgedRows, "The rows", 404, 409, 422, 503)
)
def show_judged(
    ref: str,
    registry: Registered,
    judgements: Annotated[Judgements, held(Judgements)],
    limit: Annotated[int, Query(ge=1, le=MOST_SHOWN, description="At most so many rows")] = 1000,
) -> Json:
    """Actual and predicted cost, with the interval as it was calibrated, of rows that nothing else had seen.

    Spread over all held-out rows, the same ones each time. 409 where a version has none: it was uploaded or imported,
    or its dataset is gone.
    """
    version = registry.resolve(ref)
    facts = version.manifest.data
    document = {
        **described(version),
        "dataset": "" if facts is None else f"{facts.name}@{facts.digest}",
        "cost": version.manifest.workload["cost"]["name"],
        "unit": version.manifest.workload["cost"].get("unit", ""),
        **judgements.of(version, limit),
        "timestamp": timestamp(),
    }
    return Json(document)
