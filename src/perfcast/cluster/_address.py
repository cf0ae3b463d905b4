"""Which addresses of a scheduler are used, and which are refused."""

from urllib.parse import urlsplit

from perfcast.errors import InvalidSetting
from perfcast.settings import Settings, is_loopback

_ENCRYPTED = ("tls", "wss")


def scheduler_of(settings: Settings) -> str:
    """The address of the Dask scheduler that the settings name; empty where none is.

    Raises:
        InvalidSetting: It is beyond this machine and not encrypted, and nobody said that this is meant.
    """
    address = settings.dask_scheduler_address
    if not address or is_encrypted(address) or _is_here(address) or settings.dask_unencrypted:
        return address
    raise InvalidSetting(
        f"DASK_SCHEDULER_ADDRESS is '{address}': not encrypted, and not on this machine. Whoever reaches such a port "
        "can run any code on its workers and read what is sent there. Use tls:// with certificates, which `perfcast "
        "cluster certificates FOLDER` makes; or set DASK_UNENCRYPTED=true, if nobody but Perfcast reaches it"
    )


def is_encrypted(address: str) -> bool:
    """Whether what is sent to an address is encrypted, and sender and receiver show certificates."""
    return address.partition("://")[0] in _ENCRYPTED


def _is_here(address: str) -> bool:
    """Whether an address is one of loopback, which no other machine reaches."""
    try:
        return is_loopback(urlsplit(f"//{address.rpartition('://')[2]}").hostname or "")
    except ValueError:  # no address
        return False
