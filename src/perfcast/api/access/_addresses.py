"""Who a caller without a key is: its address, also behind trusted proxies."""

from ipaddress import IPv6Address, ip_address, ip_network

from perfcast.errors import InvalidSetting

_NETWORK_BITS = 64


def address_of(client: tuple[str, int] | None) -> str:
    """The caller's address; of IPv6 the first 64 bits, since one caller commonly has all the others."""
    host = client[0] if client else ""
    if ":" not in host:
        return f"address:{host}"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return f"address:{host[:64]}"
    if not isinstance(address, IPv6Address):
        return f"address:{address}"
    if address.ipv4_mapped is not None:
        return f"address:{address.ipv4_mapped}"
    return f"address:{ip_network((address, _NETWORK_BITS), strict=False)}"


def parse_proxies(text: str) -> list[str]:
    """Read `TRUSTED_PROXIES`.

    Args:
        text: Addresses and networks, separated by commas.

    Raises:
        InvalidSetting: A part is neither.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        try:
            ip_network(part)
        except ValueError as error:
            raise InvalidSetting(
                f"TRUSTED_PROXIES: {error}; give addresses or networks such as 10.0.0.5, 10.1.0.0/16"
            ) from None
    return parts
