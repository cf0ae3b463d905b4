"""One look through a folder: what is new in it becomes versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Literal

import msgspec
import sqlalchemy as sa
import structlog

from perfcast.discovery._converter import Converted, Converter
from perfcast.discovery._naming import family
from perfcast.discovery._records import Record, Records, is_done, write
from perfcast.discovery._scan import Found, Scan, read_files, scan
from perfcast.errors import Conflict, PerfcastError, Stopped, Unavailable, UnknownModel
from perfcast.manifest import LARGEST_GRAPH, Draft, Manifest
from perfcast.registry import CHAMPION, Registry, Version
from perfcast.workloads import Workload

ACTOR = "discovery"

log = structlog.stdlib.get_logger("perfcast.discovery")


@dataclass(frozen=True)
class Result:
    """What a look made of a file.

    Attributes:
        record: As it was written; with `dry_run` as it would have been.
        news: Whether anything was done: `unchanged` files were known already.
        family: As in the manifest, where it was converted now.
    """

    record: Record
    news: Literal["converted", "failed", "unchanged"]
    family: str | None = None


@dataclass(frozen=True)
class Discovery:
    """Converts and registers the models of a folder.

    A file's content becomes a version once: another file, or the same one again, with the same content for the same
    model adds nothing. A new version answers at once, as the predecessor's operators expect.

    Setting `stopping` ends a look early.
    """

    folder: Path
    registry: Registry
    records: Records
    converter: Converter
    workloads: Mapping[str, Workload]
    stopping: Event = field(default_factory=Event)
    _tried: dict[str, str] = field(default_factory=dict)

    def look(self, seen: Scan | None = None, *, dry_run: bool = False) -> Iterator[Result]:
        """Look once; one result for each file, as soon as there is one.

        With `dry_run` models are converted, but nothing is registered or recorded.

        Raises:
            InvalidSetting: The folder can't be read.
            Unavailable: The database or the store can't be used.
            Stopped: It was asked to end.
        """
        seen = seen or scan(self.folder)
        known = self.records.all()
        if not dry_run:
            gone = known.keys() - {str(found.path) for found in seen.found}
            self.records.forget_failed(sorted(path for path in gone if known[path].state == "failed"))
        for found in seen.found:
            yield self._consider(found, known.get(str(found.path)), dry_run=dry_run)

    def _consider(self, found: Found, known: Record | None, *, dry_run: bool) -> Result:
        path, model, digest = str(found.path), found.naming.model, ""
        try:
            if found.problem is not None:
                raise Conflict(found.problem)
            contents, digest = read_files(found)
            if known is not None and known.sha256 == digest and self._is_settled(known, dry_run=dry_run):
                return Result(known, "unchanged")
            version, kind = self._version(found, contents, digest, known, dry_run=dry_run)
            record = Record(path, model, digest, "converted", version=version)
            if not dry_run:
                self.records.keep(record)
                log.info("model converted", path=path, model=model, version=version, type=kind)
        except (Unavailable, Stopped):
            raise
        except PerfcastError as error:
            return self._failure(Record(path, model, digest, "failed", str(error)), known, dry_run=dry_run)
        return Result(record, "converted", kind)

    def _is_settled(self, known: Record, *, dry_run: bool) -> bool:
        """Whether nothing needs doing: failures are tried once by each process, which may have other libraries."""
        if known.state == "failed":
            return not dry_run and self._tried.get(known.path) == known.sha256
        return known.state == "converted"

    def _failure(self, record: Record, known: Record | None, *, dry_run: bool) -> Result:
        news = known is None or (known.sha256, known.state, known.reason) != (record.sha256, "failed", record.reason)
        if not dry_run:
            if self._tried.get(record.path) != record.sha256 or news:
                log.error("model can't be converted", path=record.path, model=record.model, reason=record.reason)
            self._tried[record.path] = record.sha256
            if news:
                self.records.keep(record)
        return Result(record, "failed")

    def _version(
        self, found: Found, contents: dict[str, bytes], digest: str, known: Record | None, *, dry_run: bool
    ) -> tuple[int | None, str]:
        """The number of the version that this content is, made champion; and its family."""
        existing = self._existing(found, digest)
        if existing is None:
            converted = self.converter.convert(found.path.name, contents, stopping=self.stopping)
            draft = self._draft(found, converted, digest)
            if dry_run:
                return None, draft.manifest.type
            existing = self._register(found, draft, digest)
        if not dry_run and (known is None or known.sha256 != digest or known.state != "converted"):
            self.registry.point(existing.model, CHAMPION, existing.number, reason=f"found as {found.path}", actor=ACTOR)
        return existing.number, existing.type

    def _existing(self, found: Found, digest: str) -> Version | None:
        """The version that was made of this content before."""
        try:
            versions = self.registry.versions(found.naming.model)
        except UnknownModel:
            return None
        same = (version for version in versions[::-1] if version.manifest.settings.get("sha256") == digest)
        return next((version for version in same if found.naming.label in (None, version.label)), None)

    def _register(self, found: Found, draft: Draft, digest: str) -> Version:
        path = str(found.path)

        def claim(connection: sa.Connection, versions: list[Version]) -> None:
            if is_done(connection, path, digest):
                raise Conflict("another worker has registered it")
            write(connection, Record(path, versions[0].model, digest, "registered", version=versions[0].number))

        try:
            (version,) = self.registry.add_all(
                found.naming.model, [draft], label=found.naming.label, notes=[f"found as {path}"], within=claim
            )
        except Conflict:
            existing = self._existing(found, digest)
            if existing is None:
                raise
            return existing
        return version

    def _draft(self, found: Found, converted: Converted, digest: str) -> Draft:
        """The process that converted isn't trusted with more than the graph and figures about it."""
        if len(converted.graph) > LARGEST_GRAPH or converted.workload not in self.workloads:
            raise Conflict("its conversion gave something that can't be a version")
        workload = self.workloads[converted.workload]
        facts = {"sha256": sha256(converted.graph).hexdigest(), "bytes": len(converted.graph)}
        manifest = Manifest(
            type=converted.family or family(found.naming.model) or "onnx",
            workload=dict(workload.document()),
            ranges={},
            graph=msgspec.structs.replace(converted.facts, **facts),
            created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            parity=converted.parity,
            settings={"file": str(found.path), "sha256": digest, "original": converted.original},
            libraries=converted.libraries,
            inputs=converted.inputs,
            notes=("imported: it brings no metrics and no intervals", *converted.notes),
        )
        return Draft(converted.graph, manifest)
