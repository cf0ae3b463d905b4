"""What it takes for a draft to become a version."""

import sqlalchemy as sa

from perfcast.errors import Conflict, Refused
from perfcast.manifest import LARGEST_GRAPH, Draft
from perfcast.registry import _repository as repository
from perfcast.registry._types import CHAMPION, Version
from perfcast.storage import now, sha256
from perfcast.workloads import document_differences


def workload_of(draft: Draft) -> str:
    """The name of the draft's workload, if graph and manifest are fit to be registered."""
    graph, facts = draft.graph, draft.manifest.graph
    if len(graph) > LARGEST_GRAPH:
        raise Refused(
            f"the graph has {len(graph):,} bytes, at most {LARGEST_GRAPH:,} are allowed; "
            "bound the family's depth, leaves or trees"
        )
    if (found := sha256(graph)) != facts.sha256:
        raise Refused(f"the graph's sha256 is {found}, but its manifest says {facts.sha256}; make the draft again")
    workload = draft.manifest.workload.get("name")
    if not isinstance(workload, str) or not workload:
        raise Refused("the manifest's workload has no name; it must hold the workload's whole declaration")
    return workload


def insert_version(
    connection: sa.Connection, model: str, workload: str, dataset: str, draft: Draft, label: str | None, note: str
) -> Version:
    """One more version, inside the caller's transaction."""
    number, answers_for = repository.next_number(connection, model, workload, dataset)
    if answers_for != workload:
        raise Refused(f"model '{model}' answers for '{answers_for}', not '{workload}'; use another name")
    if label is not None and repository.find_version(connection, model, label=label):
        raise Conflict(f"model '{model}' already has a version labelled '{label}'; labels never change hands")
    notes = [note, _changed(connection, model, draft)]
    version = Version(model, number, label, draft.manifest, "; ".join(filter(None, notes)), now())
    repository.add_default(connection, workload, model)
    repository.add_version(connection, version)
    return version


def _changed(connection: sa.Connection, model: str, draft: Draft) -> str:
    """How the draft's declaration differs from the champion's, in a sentence; empty where it doesn't."""
    number = repository.summaries(connection, model)[0].aliases.get(CHAMPION)
    champion = repository.find_version(connection, model, number) if number is not None else None
    changed = document_differences(champion.manifest.workload, draft.manifest.workload) if champion else ()
    return f"its declaration differs from the champion's: {'; '.join(changed)}" if changed else ""
