"""Which addresses a worker may connect to for a stranger: those of the open internet, and no others."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

_UNICAST_V6 = ipaddress.ip_network("2000::/3")
_DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2002::/16",  # 6to4: an IPv4 address inside
        "2001::/23",  # Teredo and other protocol assignments
        "3fff::/20",  # documentation, too new for Python 3.11
    )
)
"""What `is_global` of Python 3.11 takes for global, or another version might."""


def is_public(address: str) -> bool:
    """Whether `address` is one host on the open internet; IPv6 that wraps an IPv4 address never is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        return False
    return _is_plain(parsed) and not any(parsed in network for network in _DENIED)


def _is_plain(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv4Address) or (address in _UNICAST_V6 and address.scope_id is None)
