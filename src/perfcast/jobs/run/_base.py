"""The version that a training starts from, out of the registry."""

from typing import TYPE_CHECKING

from perfcast.registry import Registry

if TYPE_CHECKING:
    from perfcast.training import Base


def find_base(registry: Registry, reference: str | None) -> "Base | None":
    """The version that a model reference names, with its graph; None where there is no reference.

    Raises:
        NotFound: There is none.
        InvalidInput: It has no reference's shape.
        BrokenVersion: Its graph is lost or altered.
    """
    from perfcast.training import Base

    if not reference:
        return None
    version = registry.resolve(reference)
    return Base(version.reference, version.manifest, registry.graph(version))
