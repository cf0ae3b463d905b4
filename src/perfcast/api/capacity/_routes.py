"""`POST /headroom`, `POST /runway` and `GET /autoscale/{model}`."""

from datetime import tzinfo
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from perfcast.api.capacity._answers import AutoscaleAnswer, HeadroomAnswer, HeadroomBody, RunwayAnswer, RunwayBody
from perfcast.api.capacity._autoscale import Autoscale
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import CallerKey, Configured, Following, Json, held
from perfcast.api.http._schemas import example_of, said
from perfcast.api.predict._routes import body_of
from perfcast.capacity import Question, RunwayQuestion, answer_headroom, answer_runway, named, newest_rows
from perfcast.datasets import Datasets
from perfcast.registry import DEFAULT_WORKLOAD
from perfcast.serving import Follower, Key, read_reaching

router = APIRouter(tags=["capacity"])
_EXAMPLE = {**example_of(HeadroomAnswer), "max_request_rate": 178.2}


@router.post(
    "/headroom",
    summary="How much load a limit allows",
    **said(HeadroomAnswer, "The largest load, and the curve", 400, 413, 422, 503, example=_EXAMPLE),
)
async def headroom(body: HeadroomBody, follower: Following, key: CallerKey) -> Json:
    """The largest load up to which the upper bound of the cost stays within the limit, what follows it moving along.

    What is beyond the version's experience is named. 422 for versions without intervals.
    """
    question = Question(**body.model_dump())
    return Json(await run_in_threadpool(_headroom, follower, question, key))


def _headroom(follower: Follower, question: Question, key: Key) -> dict[str, object]:
    asked = {"model_name": question.model_name, "features": question.scenario}
    request = read_reaching(follower, msgspec.json.encode(asked))
    arm, predictor = follower.pick(request.reference, request.reader.workload.name, key)
    found = answer_headroom(predictor, request.row, question, arm.slot.calibration)
    return {**found, "timestamp": timestamp()}


@router.post(
    "/runway",
    summary="When the load outgrows a limit",
    **said(RunwayAnswer, "When, with what probability, and replicas by hour", 400, 409, 413, 422, 503),
)
async def runway(
    body: RunwayBody,
    follower: Following,
    datasets: Annotated[Datasets, held(Datasets)],
    settings: Configured,
    key: CallerKey,
) -> Json:
    """Forecast the load from the newest rows that the model learns from, and say when the upper bound first passes.

    422 where the history is too short or odd to go on with, 409 where there is none.
    """
    question = RunwayQuestion(**body.model_dump())
    return Json(await run_in_threadpool(_runway, follower, datasets, question, settings.service_timezone, key))


def _runway(
    follower: Follower, datasets: Datasets, question: RunwayQuestion, zone: tzinfo, key: Key
) -> dict[str, object]:
    reference = question.model_name or follower.routes.defaults.get(DEFAULT_WORKLOAD)
    if reference is not None and follower.routes.arm(reference) is None:
        follower.reach(reference)
    arm, predictor = follower.pick(reference, DEFAULT_WORKLOAD, key)
    record = newest_rows(datasets, predictor.version)
    found = answer_runway(predictor, datasets.load(record), named(record), question, zone, arm.slot.calibration)
    return {**found, "timestamp": timestamp()}


@router.get(
    "/autoscale/{model}",
    summary="What an autoscaler reads",
    **said(AutoscaleAnswer, "The bound for the newest load", 404, 409, 422, 503),
)
async def autoscale(
    model: str,
    request: Request,
    autoscaler: Annotated[Autoscale, held(Autoscale)],
    follower: Following,
    confidence: Annotated[float, Query(allow_inf_nan=False, description="That the cost stays below the value")] = 0.95,
    max_age_seconds: Annotated[
        float, Query(gt=0, allow_inf_nan=False, description="How old the newest load may be")
    ] = 300,
) -> Json:
    """The upper bound of the cost at the newest load of the dataset that the model learns from.

    Other names in the query are features of a load to answer for instead. Where there is no load, or only an old one,
    the status isn't 200, so that an autoscaler falls back instead of scaling to nothing.
    """
    own = {"confidence", "max_age_seconds"}
    given = [(name, value) for name, value in request.query_params.multi_items() if name not in own]
    body = await body_of([("model_name", model), *given], follower) if given else None
    return Json(await run_in_threadpool(autoscaler.answer, model, body, confidence, max_age_seconds))
