"""Reading bodies that name models which aren't loaded yet."""

from perfcast.errors import NoUsableModel, PerfcastError
from perfcast.serving._body import Request, UnknownReference
from perfcast.serving._follower import Follower


def read_reaching(follower: Follower, body: bytes | bytearray) -> Request:
    """Read a `/predict` body; the model it names is loaded where it isn't yet, which may wait for the database.

    Raises:
        PerfcastError: The body is wrong, or its model can't be had; what is wrong with the features is told first.
    """
    try:
        return follower.routes.bodies.read(body)
    except UnknownReference as unknown:
        reference = unknown.reference
    try:
        follower.reach(reference)
    except PerfcastError:
        follower.routes.bodies.read(body, guess=True)
        raise
    try:
        return follower.routes.bodies.read(body)
    except UnknownReference:  # deleted, or displaced by others, since it was loaded
        raise NoUsableModel(f"model '{reference}' was unloaded just now; try again") from None
