"""The client's types are those of the HTTP contract: held against the server's own OpenAPI document."""

import inspect
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from starlette.testclient import TestClient

import perfcast_client
from perfcast.api import create_app
from perfcast.settings import load_settings
from perfcast_client import AsyncClient, Client, answers, calls

OF_OTHERS = ("/v1/", "/v2", "/invocations", "/ping", "/docs", "/redoc", "/openapi")
"""Where clients of other servers ask."""
OWN = {"Batch", "Prediction"}
"""Types of answers whose cost has a name of its own, so that the document can't name them."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = load_settings(data_dir=tmp_path_factory.mktemp("documented"))
    with TestClient(create_app(settings)) as client:
        return client.get("/openapi.json").json()  # type: ignore[no-any-return]


def named(schema: Any) -> set[str]:
    """The components that a schema refers to."""
    if isinstance(schema, dict):
        own = {schema["$ref"].rpartition("/")[2]} if "$ref" in schema else set()
        return own.union(*map(named, schema.values()))
    return set().union(*map(named, schema)) if isinstance(schema, list) else set()


def answered(document: dict[str, Any]) -> set[str]:
    """Every component of an answer of Perfcast's own, and what those refer to."""
    found: set[str] = set()
    for path, operations in document["paths"].items():
        if not path.startswith(OF_OTHERS):
            found |= named([operation["responses"] for operation in operations.values()])
    while (more := found.union(*(named(document["components"]["schemas"][name]) for name in found))) != found:
        found = more
    return found


def test_every_answer_has_its_type(document: dict[str, Any]) -> None:
    assert set(answers.__all__) == answered(document) | OWN


@pytest.mark.parametrize("name", sorted(set(answers.__all__) - OWN))
def test_a_type_has_the_fields_of_the_document(document: dict[str, Any], name: str) -> None:
    schema = document["components"]["schemas"][name]
    fields = {field.encode_name: field for field in msgspec.structs.fields(getattr(answers, name))}
    assert set(fields) == set(schema["properties"])
    assert {name for name, field in fields.items() if field.required} == set(schema["required"])
    for field_name, property_ in schema["properties"].items():
        kinds = get_args(fields[field_name].type) or (fields[field_name].type,)
        options = property_.get("anyOf", [property_])
        assert (datetime in kinds) == any(option.get("format") == "date-time" for option in options), field_name
        assert (type(None) in kinds) == any(option.get("type") == "null" for option in options), field_name


def test_a_prediction_has_the_fields_of_the_document(document: dict[str, Any]) -> None:
    answer = document["paths"]["/predict"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    own = {"cost", "cost_name"}
    assert set(answers.Prediction.__struct_fields__) - own == set(answer["properties"])


def test_an_answer_of_a_newer_server_is_read() -> None:
    read = calls.live().read
    assert read(b'{"status": "alive", "mood": "good"}') == answers.Liveness("alive")
    predicted = calls.predict({}).read(
        b'{"execution_time_ms": 2.5, "model_name": "m", "model_type": "xgboost", "prediction_id": "1a", "mood": 3,'
        b' "prediction_timestamp": "2026-03-01T10:30:00.000Z", "status": "success", "model_version": 1,'
        b' "lower": null, "upper": null, "coverage": 0.9, "extrapolated": []}'
    )
    assert (predicted.cost_name, predicted.cost, predicted.lower) == ("execution_time_ms", 2.5, None)


def groups(client: type[Any]) -> dict[str, type[Any]]:
    """The client and its groups, by what the group is called."""
    properties = inspect.getmembers(client, lambda member: isinstance(member, property))
    hints = {name: inspect.get_annotations(member.fget, eval_str=True)["return"] for name, member in properties}
    return {"": client} | {name: kind for name, kind in hints.items() if kind is not str}


def test_both_clients_have_the_same_methods_with_the_same_words() -> None:
    one, other = groups(Client), groups(AsyncClient)
    assert one.keys() == other.keys()
    for name, group in one.items():
        twins = public(group), public(other[name])
        assert twins[0].keys() == twins[1].keys()
        for method, of_one in twins[0].items():
            assert inspect.getdoc(of_one) == inspect.getdoc(twins[1][method]), method
            given = [inspect.signature(twin).parameters.keys() for twin in (of_one, twins[1][method]) if callable(twin)]
            assert given[:1] == given[1:], method


def public(group: type[Any]) -> dict[str, Any]:
    return {name: getattr(group, name) for name in vars(group) if not name.startswith("_")}


def test_every_call_is_bound() -> None:
    made = {name for name, member in vars(calls).items() if inspect.isfunction(member)}
    assert made == set(calls.__all__) - {"Call", "Calls", "Repeat"}
    source = "".join(Path(inspect.getfile(group)).read_text() for group in groups(Client).values())
    assert {name for name in made if f"calls.{name}" not in source} == {"follow_job"}  # which `Watch` makes


def test_all_that_is_exported_is_there() -> None:
    assert all(hasattr(perfcast_client, name) for name in perfcast_client.__all__)
