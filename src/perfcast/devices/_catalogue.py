"""Where descriptors come from: those that are shipped, and a folder of one's own."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from perfcast.devices._descriptor import Descriptor, device_name, read_descriptor
from perfcast.errors import Conflict, InvalidDeclaration, UnknownDevice
from perfcast.settings import Settings

_SHEETS = Path(__file__).parent / "sheets"


def devices_folder(settings: Settings) -> Path:
    """The folder of one's own descriptors; it need not be there."""
    return settings.devices_dir or settings.data_dir / "devices"


def load_devices(folder: Path | None = None) -> dict[str, Descriptor]:
    """Every descriptor by its name, which is its file's; one's own goes before a shipped one.

    Raises:
        InvalidDeclaration: A file is wrong, or its name.
    """
    own = sorted(folder.glob("*.yaml")) if folder is not None and folder.is_dir() else []
    return {device_name(path.stem): read_descriptor(path) for path in [*sorted(_SHEETS.glob("*.yaml")), *own]}


def find_device(name: str, devices: Mapping[str, Descriptor]) -> Descriptor:
    """The descriptor of that name.

    Raises:
        UnknownDevice: There is none.
    """
    if name not in devices:
        hint = "`perfcast devices` lists them, `perfcast devices add` describes this machine"
        raise UnknownDevice(name, devices, hint=hint)
    return devices[name]


def write_device(folder: Path, name: str, descriptor: Descriptor, *, replace: bool = False) -> Path:
    """Keep a descriptor in one's own folder, and say where.

    Raises:
        InvalidDeclaration: A device can't have that name, or such a figure.
        Conflict: There is one already, and it isn't to be replaced.
    """
    path = folder / f"{device_name(name)}.yaml"
    if path.exists() and not replace:
        raise Conflict(f"{path} is there already; --replace writes it anew")
    try:
        msgspec.convert(msgspec.to_builtins(descriptor), Descriptor)
    except msgspec.ValidationError as error:
        raise InvalidDeclaration(f"device '{name}': {error}") from None
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.yaml.encode(descriptor))
    return path
