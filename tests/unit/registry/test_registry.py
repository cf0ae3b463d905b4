"""The registry's contract, on SQLite and on PostgreSQL."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.unit.registry.conftest import Place
from tests.unit.registry.drafts import draft

from perfcast.errors import (
    BrokenVersion,
    Conflict,
    InvalidInput,
    NoUsableModel,
    Refused,
    Unavailable,
    UnknownModel,
    UnknownVersion,
)
from perfcast.manifest import LARGEST_GRAPH
from perfcast.registry import AliasChange, Registry
from perfcast.storage import Database, schema


def files(place: Place) -> list[Path]:
    return [path for path in Path(place.blobs).rglob("*") if path.is_file()]


def test_a_version_comes_back_as_it_was_added(registry: Registry) -> None:
    added = registry.add("cpu", draft(1.5), dataset="simulated", label="v1.2.0", note="first")
    assert registry.version("cpu", 1) == added
    assert (added.number, added.label, added.note, added.type) == (1, "v1.2.0", "first", "xgboost")
    assert (added.workload_name, added.reference) == ("cpu-utilization", "cpu:1")
    assert added.manifest == draft(1.5).manifest
    assert registry.graph(added) == draft(1.5).graph
    summary = registry.model("cpu")
    assert (summary.workload, summary.dataset) == ("cpu-utilization", "simulated")
    assert (dict(summary.aliases), summary.versions) == ({}, (1,))
    assert added.created_at.endswith("Z")


def test_models_are_listed_by_name_and_versions_by_number(registry: Registry) -> None:
    assert registry.models() == []
    for name in ("b", "a", "b", "B"):
        registry.add(name, draft())
    assert [(model.name, model.versions) for model in registry.models()] == [("B", (1,)), ("a", (1,)), ("b", (1, 2))]
    assert [version.number for version in registry.versions("b")] == [1, 2]


def test_a_number_is_never_given_again(registry: Registry) -> None:
    for bias in (1, 2, 3):
        registry.add("cpu", draft(bias))
    registry.delete("cpu", 3)
    registry.delete("cpu", 2)
    assert registry.add("cpu", draft(4)).number == 4
    assert registry.model("cpu").versions == (1, 4)


def test_a_model_learns_its_dataset_when_it_had_none(registry: Registry) -> None:
    registry.add("cpu", draft())
    registry.add("cpu", draft(), dataset="first")
    registry.add("cpu", draft(), dataset="second")
    assert registry.model("cpu").dataset == "first"


def test_a_graph_that_is_not_the_manifests_is_refused(registry: Registry, place: Place) -> None:
    with pytest.raises(Refused, match="sha256"):
        registry.add("cpu", replace(draft(1), graph=draft(2).graph))
    assert registry.models() == []
    assert files(place) == []


def test_a_graph_over_the_limit_is_refused_and_one_at_it_is_not(registry: Registry) -> None:
    with pytest.raises(Refused, match="20,000,001 bytes"):
        registry.add("cpu", draft(data=bytes(LARGEST_GRAPH + 1)))
    assert registry.add("cpu", draft(data=bytes(LARGEST_GRAPH))).number == 1


def test_a_manifest_without_a_workload_is_refused(registry: Registry) -> None:
    manifest = msgspec.structs.replace(draft().manifest, workload={})
    with pytest.raises(Refused, match="workload has no name"):
        registry.add("cpu", replace(draft(), manifest=manifest))


def test_a_model_answers_for_one_workload(registry: Registry) -> None:
    registry.add("cpu", draft())
    with pytest.raises(Refused, match="answers for 'cpu-utilization'"):
        registry.add("cpu", draft(workload="cnn-execution-time"))
    assert registry.add("cpu", draft()).number == 2


@pytest.mark.parametrize("name", ["v3", "7", "a b", "a:1"])
def test_a_name_that_no_reference_could_name_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(InvalidInput, match="model_name"):
        registry.add(name, draft())


def test_a_label_is_given_once_in_a_model(registry: Registry) -> None:
    registry.add("cpu", draft(), label="v1.2.0")
    with pytest.raises(Conflict, match=r"v1\.2\.0"):
        registry.add("cpu", draft(1), label="v1.2.0")
    with pytest.raises(InvalidInput, match="label"):
        registry.add("cpu", draft(1), label="v3")
    assert registry.add("cpu", draft(2)).number == 2
    assert registry.add("other", draft(), label="v1.2.0").number == 1


def test_references_name_versions(registry: Registry) -> None:
    for bias, label in ((1, None), (2, "v1.2.0"), (3, None)):
        registry.add("cpu", draft(bias), label=label)
    registry.point("cpu", "champion", 2)
    registry.point("cpu", "shadow", 3)
    named = {
        "cpu": 2, "cpu@champion": 2, "cpu@shadow": 3, "cpu:1": 1, "cpu:v1": 1,
        "cpu:v1.2.0": 2, "3": 3, "v3": 3, "v1.2.0": 2,
    }  # fmt: skip
    assert {text: registry.resolve(text).number for text in named} == named


def test_unknown_names_come_with_the_closest_ones(registry: Registry) -> None:
    registry.add("cpu-utilization", draft(), label="v1.2.0")
    with pytest.raises(UnknownModel, match="did you mean 'cpu-utilization'"):
        registry.resolve("cpu-utilisation")
    with pytest.raises(UnknownVersion, match=r"did you mean 'cpu-utilization:") as caught:
        registry.resolve("v1.2.1")
    assert "cpu-utilization:v1.2.0" in str(caught.value)
    with pytest.raises(UnknownVersion, match=r"'cpu-utilization@shadow'.*set one first"):
        registry.resolve("cpu-utilization@shadow")
    for call in (registry.versions, registry.model, registry.history):
        with pytest.raises(UnknownModel):
            call("cpu")


@pytest.mark.parametrize("number", ["0", "2", "2147483648", "99999999999999999999999"])
def test_a_number_that_was_never_given_is_unknown(registry: Registry, number: str) -> None:
    registry.add("cpu", draft())
    with pytest.raises(UnknownVersion, match=f"unknown version 'cpu:{number}'"):
        registry.resolve(f"cpu:{number}")
    with pytest.raises(UnknownVersion):
        registry.point("cpu", "champion", int(number))
    with pytest.raises(UnknownVersion):
        registry.delete("cpu", int(number))


def test_a_model_without_champion_is_known_but_not_usable(registry: Registry) -> None:
    with pytest.raises(NoUsableModel, match=r"no default model|there is none"):
        registry.resolve("v3")
    registry.add("cpu", draft())
    with pytest.raises(NoUsableModel, match="no champion; activate"):
        registry.resolve("cpu")


def test_an_alias_moves_with_its_history(registry: Registry) -> None:
    registry.add("cpu", draft(1))
    registry.add("cpu", draft(2))
    assert registry.point("cpu", "champion", 1, expect=None) == AliasChange("cpu", "champion", None, 1)
    assert registry.point("cpu", "champion", 2, expect=1, reason="better", actor="me").before == 1
    assert registry.point("cpu", "champion", None).after is None
    assert dict(registry.model("cpu").aliases) == {}
    moves = [(event.before, event.after, event.reason, event.actor) for event in registry.history("cpu")]
    assert moves == [(2, None, "", ""), (1, 2, "better", "me"), (None, 1, "", "")]


def test_an_unexpected_present_version_is_a_conflict_and_changes_nothing(registry: Registry) -> None:
    registry.add("cpu", draft(1))
    registry.point("cpu", "champion", 1)
    for expect in (None, 2):
        with pytest.raises(Conflict, match="cpu@champion is version 1 now"):
            registry.point("cpu", "champion", 1, expect=expect)
        with pytest.raises(Conflict):
            registry.step_back("cpu", expect=expect)
    assert registry.resolve("cpu").number == 1
    assert len(registry.history("cpu")) == 1


def test_pointing_to_the_same_version_changes_nothing(registry: Registry) -> None:
    registry.add("cpu", draft())
    registry.point("cpu", "champion", 1)
    before = registry.revision()
    assert not registry.point("cpu", "champion", 1).changed
    assert not registry.point("cpu", "shadow", None).changed
    assert registry.revision() == before
    assert len(registry.history("cpu")) == 1


def test_only_three_aliases_exist(registry: Registry) -> None:
    registry.add("cpu", draft())
    with pytest.raises(InvalidInput, match="alias: must be one of champion, challenger, shadow"):
        registry.point("cpu", "winner", 1)
    with pytest.raises(UnknownModel):
        registry.point("gpu", "champion", 1)


def test_stepping_back_walks_the_history_to_none(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.add("cpu", draft(number))
        registry.point("cpu", "champion", number)
    changes = [registry.step_back("cpu", reason="worse") for _ in range(4)]
    assert [(change.before, change.after) for change in changes] == [(3, 2), (2, 1), (1, None), (None, None)]
    assert [event.kind for event in registry.history("cpu")] == ["step_back"] * 3 + ["point"] * 3


def test_stepping_back_passes_over_deleted_versions(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.add("cpu", draft(number))
        registry.point("cpu", "champion", number)
    registry.delete("cpu", 2)
    assert registry.step_back("cpu").after == 1
    registry.point("cpu", "champion", 3)
    assert registry.step_back("cpu").after == 1
    assert registry.step_back("cpu").after is None


def test_a_version_whose_manifest_can_not_be_read_is_deleted_with_its_bytes(
    registry: Registry, database: Database, place: Place
) -> None:
    registry.add("cpu", draft(1))
    kept = registry.add("cpu", draft(2))
    with database.begin() as connection:
        which = schema.version.c.number == 1
        connection.execute(schema.version.update().where(which).values(manifest='{"type": 3}'))
    with pytest.raises(BrokenVersion):
        registry.version("cpu", 1)
    registry.point("cpu", "shadow", 2)
    before = registry.revision()
    registry.delete("cpu", 1)
    assert registry.versions("cpu") == [kept]
    assert registry.revision() == before + 1
    assert [file.name for file in files(place)] == [kept.manifest.graph.sha256]
    with pytest.raises(UnknownVersion):
        registry.delete("cpu", 1)


def test_a_version_that_an_alias_holds_is_not_deleted(registry: Registry) -> None:
    registry.add("cpu", draft())
    registry.point("cpu", "challenger", 1)
    with pytest.raises(Conflict, match="cpu:1 is challenger"):
        registry.delete("cpu", 1)
    registry.point("cpu", "challenger", None)
    registry.delete("cpu", 1)
    with pytest.raises(UnknownVersion):
        registry.version("cpu", 1)
    assert registry.model("cpu").versions == ()


def test_bytes_go_with_the_last_version_that_has_them(registry: Registry, place: Place) -> None:
    registry.add("cpu", draft(1))
    registry.add("other", draft(1))
    registry.delete("cpu", 1)
    assert registry.graph(registry.version("other", 1)) == draft(1).graph
    registry.delete("other", 1)
    assert files(place) == []


def test_a_lost_graph_is_a_broken_version(registry: Registry, place: Place) -> None:
    version = registry.add("cpu", draft())
    files(place)[0].unlink()
    with pytest.raises(BrokenVersion, match="missing"):
        registry.graph(version)


def test_the_first_model_of_a_workload_is_its_default_until_another_is_set(registry: Registry) -> None:
    assert registry.defaults() == {}
    registry.add("a", draft())
    registry.add("b", draft())
    registry.add("cnn", draft(workload="cnn-execution-time"))
    assert dict(registry.defaults()) == {"cpu-utilization": "a", "cnn-execution-time": "cnn"}
    registry.set_default("cpu-utilization", "b")
    assert registry.defaults()["cpu-utilization"] == "b"
    assert registry.resolve("1").model == "b"
    with pytest.raises(UnknownModel):
        registry.set_default("cpu-utilization", "c")
    with pytest.raises(Refused, match="answers for 'cnn-execution-time'"):
        registry.set_default("cpu-utilization", "cnn")


def test_a_note_is_all_of_a_version_that_changes(registry: Registry) -> None:
    version = registry.add("cpu", draft(), note="old")
    registry.annotate(version, "new")
    assert registry.version("cpu", 1) == replace(version, note="new")
    registry.delete("cpu", 1)
    with pytest.raises(UnknownVersion):
        registry.annotate(version, "late")


def test_every_change_raises_the_revision_by_one(registry: Registry) -> None:
    version = registry.add("cpu", draft())
    registry.add("other", draft())
    seen = [registry.revision()]
    for change in (
        lambda: registry.point("cpu", "champion", 1),
        lambda: registry.step_back("cpu"),
        lambda: registry.annotate(version, "note"),
        lambda: registry.set_default("cpu-utilization", "other"),
        lambda: registry.delete("cpu", 1),
    ):
        change()
        seen.append(registry.revision())
    assert seen == [2, 3, 4, 5, 6, 7]
    registry.set_default("cpu-utilization", "other")
    assert registry.revision() == 7


def test_a_failed_registration_leaves_at_most_bytes(registry: Registry, place: Place) -> None:
    revision = registry.revision()
    registry._database._engine.dispose()
    blocked = Path(place.blobs)
    blocked.write_text("no folder")
    with pytest.raises(Unavailable):
        registry.add("cpu", draft())
    assert registry.models() == []
    assert registry.revision() == revision
