"""Whether a request comes from this machine itself, or may come from elsewhere through a proxy.

Only a direct loopback client may go without an API key.  A reverse proxy on this machine connects
from loopback too, so the address of the connection is not enough: what proxies add is looked at.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

NAMES = ("127.0.0.1", "localhost", "[::1]", "::1")
"""What a Host header may say for this machine."""

_FORWARDING_PREFIXES = ("forwarded", "x-forwarded", "x-original-", "x-envoy-", "x-arr-", "cf-")
_FORWARDING = frozenset(
    (
        "via",
        "client-ip",
        "true-client-ip",
        "fastly-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-proxyuser-ip",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-ip",
        "x-host",
        "x-scheme",
        "front-end-https",
    )
)


def is_loopback(name: str) -> bool:
    """Whether an address or a host name, without its port, is this machine alone."""
    name = name.strip().lower()
    if name == "localhost":
        return True
    address = _address(name.strip("[]").partition("%")[0])
    return address is not None and address.is_loopback


def is_direct(request: HTTPConnection) -> bool:
    """Whether nobody but a client on this machine can have sent the request."""
    return (
        _from_loopback(request)
        # nginx before 1.29.7 asks in HTTP/1.0 unless told otherwise; no client of ours does.
        and request.scope.get("http_version") != "1.0"
        and not any(_forwards(name) for name in request.headers)
        and _names_loopback(request.headers.getlist("host"))
        # A browser says which page it asks for; behind a proxy that is a page of another name.
        and all(is_loopback(_host_of(page)) for page in request.headers.getlist("origin"))
    )


def _from_loopback(request: HTTPConnection) -> bool:
    if request.client is None:
        return False  # a Unix socket, which is how proxies connect
    address = _address(request.client.host)
    # What has no address calls the application in this very process.
    return address is None or address.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _forwards(header: str) -> bool:
    return header in _FORWARDING or header.startswith(_FORWARDING_PREFIXES)


def _names_loopback(hosts: list[str]) -> bool:
    return len(hosts) == 1 and is_loopback(_host_of(f"//{hosts[0]}"))


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
