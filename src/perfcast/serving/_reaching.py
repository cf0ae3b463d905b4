"""Reading bodies that name models which aren't loaded yet."""

from collections.abc import Callable

from perfcast.errors import NoUsableModel, PerfcastError
from perfcast.serving._body import Request, UnknownReference
from perfcast.serving._follower import Follower

Allow = Callable[[str], None]


def reach(follower: Follower, reference: str, examine: Callable[[], object], allow: Allow | None = None) -> None:
    """Load what a reference means, which may wait for the database.

    Args:
        follower: Holds the routes.
        reference: Names a model that isn't loaded.
        examine: Called where that fails: what it raises, because the features are wrong, is told first.
        allow: Called with the reference before it is looked for; raises where it must not be.
    """
    try:
        if allow is not None:
            allow(reference)
        follower.reach(reference)
    except PerfcastError:
        examine()
        raise


def read_reaching(follower: Follower, body: bytes | bytearray, allow: Allow | None = None) -> Request:
    """Read a `/predict` body; the model it names is loaded where it isn't yet, which may wait for the database.

    Raises:
        PerfcastError: The body is wrong, or its model can't be had; what is wrong with the features is told first.
    """
    try:
        return follower.routes.bodies.read(body)
    except UnknownReference as unknown:
        reference = unknown.reference
    reach(follower, reference, lambda: follower.routes.bodies.read(body, guess=True), allow)
    try:
        return follower.routes.bodies.read(body)
    except UnknownReference:  # deleted, or displaced by others, since it was loaded
        raise NoUsableModel(f"model '{reference}' was unloaded just now; try again") from None
