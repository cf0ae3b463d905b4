"""The registry: what models and versions there are, and which of them answer."""

from collections.abc import Callable, Collection, Mapping, Sequence

import sqlalchemy as sa

from perfcast.errors import BrokenVersion, Conflict, NotFound, NoUsableModel, Refused
from perfcast.manifest import Draft
from perfcast.registry import _repository as repository
from perfcast.registry._addition import insert_version, workload_of
from perfcast.registry._lookup import check_alias, find_model, find_version, present_version, unknown_version
from perfcast.registry._moves import challengers_share, move_alias, move_traffic, one_before
from perfcast.registry._reference import Reference, check_label, check_name, parse_reference
from perfcast.registry._types import (
    ANY,
    CHALLENGER,
    CHAMPION,
    AliasChange,
    AliasEvent,
    AnyVersion,
    ModelSummary,
    Snapshot,
    Version,
    traffic,
)
from perfcast.storage import Blobs, Database

DEFAULT_WORKLOAD = "cpu-utilization"
"""The workload whose default model a bare version belongs to."""


class Registry:
    """Models, versions, aliases and defaults in a database, their graphs among the blobs.

    Every change is one transaction that also raises `revision`; what is read at once belongs together. Safe to share
    between threads and between processes that each make their own. Where a model or a version isn't there, all methods
    raise UnknownModel or UnknownVersion, which name the closest. Where they take `expect`, what is believed to be so
    now (None: an alias that isn't set), they raise Conflict if it isn't; `reason` and `actor`, why and who, stand in
    the history; and nothing is written where before and after are equal.
    """

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    def add(self, model: str, draft: Draft, *, dataset: str = "", label: str | None = None, note: str = "") -> Version:
        """`add_all` of one draft; its note, anything worth remembering, may be changed later."""
        return self.add_all(model, [draft], dataset=dataset, label=label, notes=[note])[0]

    def add_all(
        self,
        model: str,
        drafts: Sequence[Draft],
        *,
        dataset: str = "",
        label: str | None = None,
        notes: Sequence[str] = (),
        within: Callable[[sa.Connection, list[Version]], None] | None = None,
    ) -> list[Version]:
        """Register versions, all or none, making the model if it is new; a workload's first model becomes its default.

        The graphs are kept before the transaction that names them: if the process dies between the two, bytes that
        nobody refers to are all that is left.

        Args:
            model: Name of the model.
            drafts: Graphs and manifests.
            dataset: Name of the dataset line the model learns from.
            label: The name an imported version came with, such as `v1.2.0`; where there is one draft.
            notes: One for each draft, or none.
            within: Called in the same transaction with the versions; what it raises undoes all.

        Returns:
            The versions in the order of the drafts, candidates all: no alias points to them.

        Raises:
            InvalidInput: Name or label can't be used.
            Refused: Graph and manifest disagree, the graph is too large, or the model answers for another workload.
            Conflict: The label is taken.
        """
        check_name(model)
        if label is not None:
            check_label(label)
        workloads = [workload_of(draft) for draft in drafts]
        digests = [self._blobs.put(draft.graph) for draft in drafts]
        versions = []
        with self._database.begin() as connection:
            for draft, workload, note in zip(drafts, workloads, notes or [""] * len(drafts), strict=True):
                versions.append(insert_version(connection, model, workload, dataset, draft, label, note))
            repository.bump(connection)
            if within is not None:
                within(connection, versions)
            for draft, digest in zip(drafts, digests, strict=True):
                if not self._blobs.exists(digest):  # another process deleted the last version with these bytes just now
                    self._blobs.put(draft.graph)
        return versions

    def graph(self, version: Version) -> bytes:
        """A version's serialised ONNX graph.

        Raises:
            BrokenVersion: The bytes are missing or altered.
        """
        return self._blobs.get(version.manifest.graph.sha256)

    def point(
        self,
        model: str,
        alias: str,
        number: int | None,
        *,
        expect: int | AnyVersion | None = ANY,
        reason: str = "",
        actor: str = "",
    ) -> AliasChange:
        """Move an alias to a version, or clear it where that is None.

        Raises:
            InvalidInput: There is no such alias.
        """
        check_alias(alias)
        with self._database.begin() as connection:
            locked = _locked(connection, model)
            before = present_version(locked, alias, expect)
            if number is not None:
                find_version(connection, locked, Reference(model, number=number))
            change = AliasChange(model, alias, before, number)
            if change.changed:
                move_alias(connection, locked, change, "point", reason, actor)
        return change

    def set_traffic(
        self,
        model: str,
        weights: Mapping[str, float],
        *,
        expect: Mapping[str, float] | AnyVersion = ANY,
        reason: str = "",
        actor: str = "",
    ) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Split a model's callers by percents that make 100, such as `{"champion": 90, "challenger": 10}`.

        Returns:
            The percents before and now; equal where nothing changed.

        Raises:
            InvalidInput: The weights are no percentages of these two aliases that make 100.
            Refused: An alias that callers would need isn't set, or both are one version.
        """
        percent = challengers_share(weights)
        with self._database.begin() as connection:
            locked = _locked(connection, model)
            present = locked.traffic
            if expect is not ANY and challengers_share(expect) != present[CHALLENGER]:
                raise Conflict(
                    f"{model}@{CHALLENGER} answers {present[CHALLENGER]:g} % of the callers now, not "
                    f"{expect.get(CHALLENGER, 0):g} % as expected; look again and decide anew"
                )
            move_traffic(connection, locked, percent, reason, actor)
        return present, traffic(percent)

    def step_back(
        self, model: str, *, expect: int | AnyVersion | None = ANY, reason: str = "", actor: str = ""
    ) -> AliasChange:
        """Return the champion to the one before, or to none; each call goes one further back."""
        with self._database.begin() as connection:
            locked = _locked(connection, model)
            before = present_version(locked, CHAMPION, expect)
            if before is None:
                return AliasChange(model, CHAMPION, None, None)
            events = repository.events(connection, model, CHAMPION)
            after = one_before(events, before, locked.versions)
            change = AliasChange(model, CHAMPION, before, after)
            move_alias(connection, locked, change, "step_back", reason, actor)
        return change

    def resolve(self, reference: str) -> Version:
        """The version that a model reference names.

        Raises:
            InvalidInput: It has no reference's shape.
            NoUsableModel: The model has no champion, or there is no default model.
        """
        asked = parse_reference(reference)
        with self._database.read() as connection:
            name = asked.model or repository.defaults(connection).get(DEFAULT_WORKLOAD)
            if name is None:
                raise NoUsableModel(
                    f"'{reference}' means a version of the default model of {DEFAULT_WORKLOAD}, and there is none; "
                    "train one, or name the model"
                )
            return find_version(connection, find_model(connection, name), asked)

    def version(self, model: str, number: int) -> Version:
        """A version by its number."""
        with self._database.read() as connection:
            return find_version(connection, find_model(connection, model), Reference(model, number=number))

    def features(self, model: str, number: int) -> Sequence[str] | None:
        """The names of a version's features, in the order of its rows; None where there is no such version."""
        try:
            document = self.version(model, number).manifest.workload
        except (NotFound, BrokenVersion):
            return None
        return [str(feature["name"]) for feature in document["features"]]

    def some_versions(self, keys: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], Version | BrokenVersion]:
        """Versions by model and number, or why one can't be read; what doesn't exist is left out."""
        with self._database.read() as connection:
            return repository.some_versions(connection, keys)

    def snapshot(self) -> Snapshot:
        """All that decides what is served, read at one moment."""
        with self._database.read() as connection:
            revision, models = repository.revision(connection), tuple(repository.summaries(connection))
            return Snapshot(revision, models, repository.defaults(connection), repository.aliased_graphs(connection))

    def versions(self, model: str) -> list[Version]:
        """A model's versions, oldest first."""
        with self._database.read() as connection:
            find_model(connection, model)
            return repository.all_versions(connection, model)

    def model(self, name: str) -> ModelSummary:
        """A model by its name."""
        with self._database.read() as connection:
            return find_model(connection, name)

    def models(self) -> list[ModelSummary]:
        """All models, sorted by name."""
        with self._database.read() as connection:
            return repository.summaries(connection)

    def history(self, model: str) -> list[AliasEvent]:
        """Every move of a model's aliases and of its callers, newest first."""
        with self._database.read() as connection:
            find_model(connection, model)
            return repository.events(connection, model)[::-1]

    def annotate(self, version: Version, note: str) -> None:
        """Replace a version's note."""
        with self._database.begin() as connection:
            if not repository.set_note(connection, version.model, version.number, note):
                model = find_model(connection, version.model)
                raise unknown_version(connection, model, Reference(version.model, number=version.number))
            repository.bump(connection)

    def delete(self, model: str, number: int) -> None:
        """Forget a version, also one whose manifest can't be read, and its graph unless another version has the same.

        Raises:
            Conflict: An alias points to it.
        """
        with self._database.begin() as connection:
            locked = _locked(connection, model)
            holders = [alias for alias, held in locked.aliases.items() if held == number]
            if holders:
                raise Conflict(f"{model}:{number} is {' and '.join(holders)}; move that alias first")
            digest = repository.delete_version(connection, model, number)
            if digest is None:
                raise unknown_version(connection, locked, Reference(model, number=number))
            repository.bump(connection)
        self._drop_bytes(digest)

    def set_default(self, workload: str, model: str) -> None:
        """Make a model the one that answers for its workload when a caller names none.

        Raises:
            Refused: It answers for another workload.
        """
        with self._database.begin() as connection:
            answers_for = _locked(connection, model).workload
            if answers_for != workload:
                raise Refused(
                    f"model '{model}' answers for '{answers_for}', so it can't be the default of '{workload}'"
                )
            if repository.set_default(connection, workload, model):
                repository.bump(connection)

    def defaults(self) -> Mapping[str, str]:
        """Each workload's default model: it answers when a caller names none."""
        with self._database.read() as connection:
            return repository.defaults(connection)

    def revision(self) -> int:
        """A number that rises with every change of the registry."""
        with self._database.read() as connection:
            return repository.revision(connection)

    def _drop_bytes(self, digest: str) -> None:
        """Delete bytes once no committed row names them, while no other change of the registry can commit."""
        with self._database.begin() as connection:
            repository.lock_registry(connection)
            if not repository.is_referred_to(connection, digest):
                self._blobs.delete(digest)


def _locked(connection: sa.Connection, model: str) -> ModelSummary:
    repository.lock_model(connection, model)
    return find_model(connection, model)
