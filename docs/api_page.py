"""The HTTP API as plain Markdown, from the OpenAPI document that a server shows."""

import asyncio
import json
from itertools import groupby
from typing import Any

from perfcast.api import create_app
from perfcast.settings import Settings

_KINDS = ("application/json", "application/problem+json")
_SHOWN_LINES = 40
"""Lines of an example; a longer one is cut short, and says so."""

Document = dict[str, Any]


def api_page() -> str:
    """Every route with its parameters, its bodies and an example of both."""
    document = openapi()
    parts = [
        "# HTTP API",
        "",
        "Every route, from the OpenAPI document. A running server shows the same at `/docs` and `/redoc` to try out,",
        "and at `/openapi.json` with all schemas. Written by `make docs`.",
        "",
        "Errors are problem details (RFC 9457, `application/problem+json`): `title`, `status`, `detail`,",
        "`request_id`, and for 422 the `errors` field by field. What bad input is told: [bad input](bad-input.md).",
        "Which key a route needs: [access](access.md).",
        "",
    ]
    for tag, routes in groupby(_routes(document), key=lambda route: route[2]["tags"][0]):
        parts += [f"## {tag[0].upper()}{tag[1:]}", ""]
        for path, method, operation in routes:
            parts += _route(document, path, method, operation)
    return "\n".join(parts)


def openapi() -> Document:
    """The OpenAPI document of a server with default settings; nothing is opened for it."""
    body = bytearray()

    async def receive() -> Document:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Document) -> None:
        body.extend(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/openapi.json",
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }
    asyncio.run(create_app(Settings())(scope, receive, send))
    return json.loads(body)


def _routes(document: Document) -> list[tuple[str, str, Document]]:
    """Path, method and description of each, those of a tag together, tags in the order in which they first appear."""
    routes = [(path, method, of) for path, methods in document["paths"].items() for method, of in methods.items()]
    tags = list(dict.fromkeys(of["tags"][0] for _, _, of in routes))
    return sorted(routes, key=lambda route: tags.index(route[2]["tags"][0]))


def _route(document: Document, path: str, method: str, operation: Document) -> list[str]:
    parts = [f"### {method.upper()} {path}", "", f"{operation['summary']}.", ""]
    if description := operation.get("description"):
        parts += [description.strip(), ""]
    parts += _parameters(operation.get("parameters", []))
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        parts += _example("Body", kind, body)
        parts += _fields(document, body.get("schema", {}))
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            for kind, body in answer.get("content", {}).items():
                parts += _example(f"Answer {status}", kind, body)
    refusals = [
        f"{status} ({of['description'].rstrip('.')})"
        for status, of in sorted(operation["responses"].items())
        if status[0] in "45"
    ]
    return [*parts, *([f"Refusals: {'; '.join(refusals)}.", ""] if refusals else [])]


def _parameters(parameters: list[Document]) -> list[str]:
    if not parameters:
        return []
    rows = [
        f"| `{of['name']}` | {of['in']}{'' if of.get('required') else ', optional'} | {_cell(_type(of['schema']))} "
        f"| {_cell(of.get('description', ''))} |"
        for of in parameters
    ]
    return ["| parameter | where | type | meaning |", "|---|---|---|---|", *rows, ""]


def _fields(document: Document, schema: Document) -> list[str]:
    """A table of an object's fields, where the body is one named object."""
    named = [choice for choice in (schema, *schema.get("anyOf", [])) if "$ref" in choice]
    if len(named) != 1:
        return []
    properties = document["components"]["schemas"][named[0]["$ref"].rpartition("/")[2]].get("properties", {})
    rows = [
        f"| `{name}` | {_cell(_type(of))} | {_cell(of.get('description', ''))} |" for name, of in properties.items()
    ]
    return ["| field | type | meaning |", "|---|---|---|", *rows, ""] if rows else []


def _type(schema: Document) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(choice) for choice in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type") or schema.get("$ref", "anything").rpartition("/")[2])


def _example(title: str, kind: str, body: Document) -> list[str]:
    """The first example, if there is one."""
    examples = [example["value"] for example in body.get("examples", {}).values() if "value" in example]
    value = body.get("example", examples[0] if examples else None)
    if value is None:
        return [f"{title}: `{kind}`.", ""]
    if kind not in _KINDS:
        text = str(value).rstrip("\n")
        return [f"{title}, `{kind}`:", "", "```text", *text.split("\n")[:_SHOWN_LINES], "```", ""]
    lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    cut = ["", f"(The first {_SHOWN_LINES} lines of {len(lines)}.)"] if len(lines) > _SHOWN_LINES else []
    return [f"{title}:", "", "```json", *lines[:_SHOWN_LINES], "```", *cut, ""]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
