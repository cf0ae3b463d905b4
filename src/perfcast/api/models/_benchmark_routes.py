"""`GET /benchmark/{model}`: how quickly a version answers."""

from typing import Annotated

from fastapi import APIRouter, Query

from perfcast.api.http._reply import Json, held
from perfcast.api.http._schemas import said
from perfcast.api.models._answers import Benchmark
from perfcast.api.models._benchmarks import Benchmarks

router = APIRouter(tags=["models"])
Iterations = Annotated[int, Query(ge=1, le=10_000, description="Rows to predict, one after another")]
Fresh = Annotated[bool, Query(description="Measure, even if the same was measured before")]


@router.get(
    "/benchmark/{model}", summary="How quickly a version answers", **said(Benchmark, "What was measured", 404, 422, 503)
)
async def benchmark(
    model: str,
    benchmarks: Annotated[Benchmarks, held(Benchmarks)],
    iterations: Iterations = 100,
    *,
    fresh: Fresh = False,
) -> Json:
    """Latencies of single predictions inside the server, and the version's held-out metrics.

    One runs at a time (503 beyond), in slices that let live traffic pass. The result is kept until the version is
    replaced.
    """
    return Json(await benchmarks.run(model, iterations, fresh=fresh))
