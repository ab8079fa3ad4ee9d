"""Whose request it is: the address that asks, and whether that is this machine's own user.

Every proxy appends to X-Forwarded-For the address that asked it. What stands further left is only what
somebody else said, so the list is read from the right, and no further than there are proxies to be trusted.
"""

import ipaddress
import os

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Proxies = int | tuple[str, ...]  # how many every request passes; or their addresses and networks
LOCAL = ("127.0.0.0/8", "::1")
OWN_HOSTS = ("127.0.0.1", "::1", "localhost")
BY_PROXY = ("forwarded", "via", "x-real-ip")  # headers, and all that begin with x-forwarded-


class TrustedProxies:
    """Whose word counts: of so many as every request passes, or of those in these networks."""

    def __init__(self, proxies: Proxies | None = None) -> None:
        self.count = proxies if isinstance(proxies, int) else 0
        networks = () if isinstance(proxies, int) else LOCAL if proxies is None else proxies
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)

    def has_peer(self, peer: str) -> bool:
        """Whether who connects is one of them."""
        return bool(self.count) or self.names(peer)

    def names(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in network for network in self._networks)


class Addresses:
    """Puts the address that asks into the scope's `client`, and whether it is this machine's own user."""

    def __init__(self, app: ASGIApp, proxies: Proxies | None = None) -> None:
        self.app = app
        self._proxies = TrustedProxies(proxies)
        # Whoever is reached through proxies only, as a Space is, has no user on its own machine.
        self._has_own = not self._proxies.count and not os.environ.get("SPACE_ID")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers, peer = Headers(scope=scope), _peer(scope)
            scope["livemind.own"] = self._has_own and _is_loopback(peer) and not _came_by_proxy(headers)
            if self._proxies.has_peer(peer):
                scope["client"] = (self._client(headers, peer), 0)
                if (scheme := headers.get("x-forwarded-proto")) in ("http", "https"):
                    scope["scheme"] = scheme
        await self.app(scope, receive, send)

    def _client(self, headers: Headers, peer: str) -> str:
        hops = [_host(hop) for hop in ",".join(headers.getlist("x-forwarded-for")).split(",") if hop.strip()]
        if count := self._proxies.count:
            return hops[-min(count, len(hops))] if hops else peer
        return next((hop for hop in reversed(hops) if not self._proxies.names(hop)), (hops or [peer])[0])


def address_of(scope: Scope) -> str | None:
    """Who asks: an IPv4 address, or the network of an IPv6 one; None for this machine's own user.

    >>> address_of({"client": ("2001:db8:1:2:3::4", 1)}), address_of({"client": ("::ffff:192.0.2.1", 1)})
    ('2001:db8:1:2::/64', '192.0.2.1')
    >>> own = {"client": ("127.0.0.1", 1), "livemind.own": True}
    >>> address_of(own), address_of(own | {"livemind.own": False})
    (None, '127.0.0.1')
    """
    if scope.get("livemind.own"):
        return None
    address = _address(host := _peer(scope))
    if address is None:
        return host
    if address.version == 6:  # a home has a whole network
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _peer(scope: Scope) -> str:
    return str((scope.get("client") or ("", 0))[0])


def _came_by_proxy(headers: Headers) -> bool:
    """Whether a proxy says so; one that keeps the Host that it was asked for is known by that.

    A browser that was led here under another site's name sends that name, too.
    """
    said = any(name in BY_PROXY or name.startswith("x-forwarded-") for name in headers)
    return said or _host(headers.get("host", "")) not in OWN_HOSTS


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _host(value: str) -> str:
    """Without a port.

    >>> _host("192.0.2.1:80"), _host(" [2001:db8::1]:80 "), _host("2001:db8::1")
    ('192.0.2.1', '2001:db8::1', '2001:db8::1')
    """
    value = value.strip()
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0] if value.count(":") == 1 else value
