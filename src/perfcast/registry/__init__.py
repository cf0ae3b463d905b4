"""Models, their immutable versions, and the aliases that say which version answers (rule R5).

`Registry` is the way in: versions are added, aliases are moved with a history that can be stepped back through, and
references such as `NAME`, `NAME:3`, `NAME@shadow` are resolved (`parse_reference` reads them, without a database).
`Registry.revision` rises with every change, so that followers notice one by reading a single number.
"""

from perfcast.registry._reference import check_label, check_name, parse_reference
from perfcast.registry._registry import DEFAULT_WORKLOAD, Registry
from perfcast.registry._repository import activations
from perfcast.registry._types import ANY, CHALLENGER, CHAMPION, SHADOW, AliasChange, ModelSummary, Snapshot, Version

__all__ = [
    "ANY",
    "CHALLENGER",
    "CHAMPION",
    "DEFAULT_WORKLOAD",
    "SHADOW",
    "AliasChange",
    "ModelSummary",
    "Registry",
    "Snapshot",
    "Version",
    "activations",
    "check_label",
    "check_name",
    "parse_reference",
]
