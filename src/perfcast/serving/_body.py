"""A `/predict` body, in any of its three forms, read against the workloads that are known."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

import msgspec

from perfcast.errors import FieldError, InvalidInput, NoUsableModel
from perfcast.manifest import COVERAGES, DEFAULT_COVERAGE
from perfcast.serving._reader import BESIDE, ENVELOPE, Reader

FEATURES = "features"
_OBJECT = "an object of features"
_TOO_DEEP = "is nested too deeply; expected "
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a body asks.

    Attributes:
        reference: The model reference it names; None for the workload's default model.
        reader: Of the workload whose features it holds.
        row: One number a feature, in declared order.
        coverage: Share of true costs that the interval shall hold.
    """

    reference: str | None
    reader: Reader
    row: Sequence[float]
    coverage: float


class UnknownReference(Exception):
    """The body names a model that isn't loaded, so which features it should hold isn't known yet."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(reference)


class BodyReader:
    """Reads `/predict` bodies: features flat, under `features`, or under a workload's own wrapper.

    Args:
        readers: Of every workload with a default model, in the order in which they are tried.
        lookup: The reader of the model that a reference means, or None where that isn't loaded.
        others: Gives the readers of the workloads that have no model yet, so that mistakes are named for them too;
            asked only where no reader knows every name in a body.
    """

    def __init__(
        self, readers: Sequence[Reader], lookup: Callable[[str], Reader | None], others: Callable[[], Sequence[Reader]]
    ) -> None:
        self._readers = tuple(readers)
        self._lookup = lookup
        self._others = others
        wrappers = sorted({reader.wrapper for reader in readers if reader.wrapper})
        places = [FEATURES, *wrappers]
        self._places = [(place, self._under(place)) for place in places]
        self._marks = [f'"{place}"'.encode() for place in places]
        self._envelope = msgspec.json.Decoder(_envelope(places))

    def read(self, body: bytes | bytearray, *, guess: bool = False) -> Request:
        """Read a body.

        Args:
            body: JSON text.
            guess: Tell the workload by the features although the body names a model that isn't loaded.

        Raises:
            InvalidInput: Names every field that is wrong.
            UnknownReference: It names a model that isn't loaded, and `guess` is false.
        """
        try:
            return self.read_plain(body) or self.examine(parse_object(body), guess=guess)
        except RecursionError:
            raise InvalidInput.of("body", _TOO_DEEP + _OBJECT) from None

    def read_plain(self, body: bytes | bytearray) -> Request | None:
        """Read a body that is as declared, for a model that is loaded; None where `read` must look closer.

        Raises:
            InvalidInput: The values break a rule together.
        """
        return self._nested(body) or self._flat(body)

    def named(self, body: bytes | bytearray) -> str | None:
        """The model reference that stands in a body, also in one that `read` refuses; None where there is none."""
        try:
            name = parse_object(body).get("model_name")
        except InvalidInput:
            return None
        return name if isinstance(name, str) else None

    def reader_of(self, names: Iterable[str]) -> Reader:
        """The reader of the workload whose features these names are, or nearly are.

        Raises:
            NoUsableModel: No workload is known yet.
        """
        return self._likeliest({FEATURES: dict.fromkeys(names)})

    def _under(self, place: str) -> tuple[Reader, ...]:
        return tuple(reader for reader in self._readers if place in (FEATURES, reader.wrapper))

    def _nested(self, body: bytes | bytearray) -> Request | None:
        for mark in self._marks:
            if mark in body:
                break
        else:
            return None  # spares the flat form an exception, 3 µs
        try:
            envelope: Any = self._envelope.decode(body)
        except _UNREADABLE:
            return None
        given = [
            (raw, readers) for place, readers in self._places if (raw := getattr(envelope, place)) is not msgspec.UNSET
        ]
        coverage = DEFAULT_COVERAGE if envelope.coverage is None else envelope.coverage
        if len(given) != 1 or envelope.device is not None or coverage not in COVERAGES:
            return None
        ((raw, readers),) = given
        for reader in self._candidates(envelope.model_name, readers):
            try:
                return Request(envelope.model_name, reader, reader.decode(raw), coverage)
            except msgspec.MsgspecError:
                continue
        return None

    def _flat(self, body: bytes | bytearray) -> Request | None:
        for reader in self._readers:
            try:
                struct: Any = reader.flat.decode(body)
                name = struct.model_name
                coverage = DEFAULT_COVERAGE if struct.coverage is None else struct.coverage
                stray_device = struct.device is not None and "device" not in reader.names
                if coverage not in COVERAGES or stray_device or (name is not None and self._lookup(name) is not reader):
                    return None
                return Request(name, reader, reader.row(struct), coverage)
            except (*_UNREADABLE, TypeError):
                continue
        return None

    def _candidates(self, name: str | None, readers: tuple[Reader, ...]) -> tuple[Reader, ...]:
        if name is None:
            return readers
        reader = self._lookup(name)
        return () if reader is None else (reader,)

    def examine(self, document: Mapping[str, Any], *, guess: bool = False) -> Request:
        """Read a body that is already parsed; as `read`."""
        errors: list[FieldError] = []
        name = _model_name(document, errors)
        reader = self._lookup(name) if name is not None else None
        if reader is None and name is not None and not guess:
            raise UnknownReference(name)
        coverage = _coverage(document, errors)
        reader = reader or self._likeliest(document)
        features = _features(document, reader, errors)
        row: Sequence[float] = ()
        try:
            row = reader.read(features)
        except InvalidInput as error:
            errors.extend(error.fields)
        if errors:
            raise InvalidInput(errors)
        return Request(name, reader, row, coverage)

    def _likeliest(self, document: Mapping[str, Any]) -> Reader:
        names, best = _closest(document, self._readers)
        if best is None or not best.fits(names):
            _, best = _closest(document, (*self._readers, *self._others()))
        if best is None:
            raise NoUsableModel("no workload is known yet; try again in a moment")
        return best


def parse_object(body: bytes | bytearray) -> dict[str, Any]:
    """The JSON object that a body is.

    Raises:
        InvalidInput: It is no JSON, or no object; says where.
    """
    document = parse_json(body, _OBJECT)
    if not isinstance(document, dict):
        raise InvalidInput.of("body", f"expected {_OBJECT}, got {_kind(document)}")
    return document


def parse_json(body: bytes | bytearray, expected: str) -> Any:
    """What a body says in JSON; NaN and infinities are let through, so that the field that has one is named.

    Args:
        body: As it came.
        expected: What it should be, for who sent something else.

    Raises:
        InvalidInput: It is no JSON; says where.
    """
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise InvalidInput.of("body", _TOO_DEEP + expected) from None
    except UnicodeDecodeError as error:
        raise InvalidInput.of("body", f"is not UTF-8 text: byte {error.object[error.start]:#04x}") from None
    except msgspec.MsgspecError as error:
        document = _with_infinities(body)
        if document is None:
            what = "is empty" if not bytes(body[:64]).strip() else f"is not JSON: {error}"
            raise InvalidInput.of("body", f"{what}; expected {expected}") from None
        return document


def _with_infinities(body: bytes | bytearray) -> Any:
    """The body where only NaN, an infinity or 1e999 keep it from being JSON: so the field that has it is named."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def _envelope(places: Sequence[str]) -> type[msgspec.Struct]:
    held: list[tuple[str, Any, Any]] = [(place, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for place in places]
    return msgspec.defstruct("Envelope", [*BESIDE, *held], forbid_unknown_fields=True, gc=False)


def _model_name(document: Mapping[str, Any], errors: list[FieldError]) -> str | None:
    name = document.get("model_name")
    if name is None or isinstance(name, str):
        return name
    errors.append(
        FieldError("model_name", f"expected a model reference such as NAME or NAME:VERSION, got {_kind(name)}")
    )
    return None


def _coverage(document: Mapping[str, Any], errors: list[FieldError]) -> float:
    coverage = document.get("coverage")
    if coverage is None:
        return DEFAULT_COVERAGE
    if isinstance(coverage, bool) or coverage not in COVERAGES:
        errors.append(FieldError("coverage", f"expected one of {', '.join(map(str, COVERAGES))}"))
        return DEFAULT_COVERAGE
    return float(coverage)


def coverage_of(stated: Any) -> float:
    """The coverage that columns or parameters state, as number or text; None is the usual.

    Raises:
        InvalidInput: It is none of `COVERAGES`.
    """
    with suppress(TypeError, ValueError, OverflowError):
        if (coverage := DEFAULT_COVERAGE if stated is None else float(stated)) in COVERAGES:
            return coverage
    raise InvalidInput.of("coverage", f"expected one of {', '.join(map(str, COVERAGES))}")


def _closest(document: Mapping[str, Any], readers: Sequence[Reader]) -> tuple[frozenset[str], Reader | None]:
    """The names of the document's features, and the reader that knows them best, the first of equals."""
    candidates = [reader for reader in readers if reader.wrapper in document and reader.wrapper is not None] or readers
    if not candidates:
        return frozenset(), None
    names = frozenset(_held(document, candidates[0]))
    return names, max(candidates, key=lambda reader: reader.likeness(names))


def _held(document: Mapping[str, Any], reader: Reader) -> Mapping[str, Any]:
    """The part of the document that holds the features: the first place that is there, else the top level."""
    for place in (reader.wrapper, FEATURES):
        held = document.get(place) if place is not None else None
        if isinstance(held, dict):
            return held
    return {key: value for key, value in document.items() if key not in ENVELOPE or key in reader.names}


def _features(document: Mapping[str, Any], reader: Reader, errors: list[FieldError]) -> Mapping[str, Any]:
    places = [place for place in (reader.wrapper, FEATURES) if place is not None and place in document]
    if not places:
        features = _held(document, reader)
    elif len(places) == 2:
        errors.append(FieldError(places[0], f"give either '{places[0]}' or '{FEATURES}', not both"))
        features = _held(document, reader)
    elif isinstance(document[places[0]], dict):
        features = document[places[0]]
        errors.extend(_stray(document, places[0], reader))
    else:
        kind = _kind(document[places[0]])
        raise InvalidInput([*errors, FieldError(places[0], f"expected an object of features, got {kind}")])
    return _with_device(document, features, reader, errors)


def _stray(document: Mapping[str, Any], place: str, reader: Reader) -> list[FieldError]:
    """Fields beside the features that mean nothing."""
    errors = []
    for name in document:
        if name not in ENVELOPE and name != place:
            close = get_close_matches(name, ENVELOPE, n=1)
            inside = f"; features go into '{place}'" if name in reader.accepted else ""
            hint = f"; did you mean '{close[0]}'?" if close else inside
            errors.append(FieldError(name, f"is not known here{hint}"))
    return errors


def _with_device(
    document: Mapping[str, Any], features: Mapping[str, Any], reader: Reader, errors: list[FieldError]
) -> Mapping[str, Any]:
    device = document.get("device")
    if device is None:
        return features
    if "device" in reader.names:
        return {"device": device, **features}
    errors.append(FieldError("device", f"models of {reader.workload.name} know one device; name the model instead"))
    return features
