"""Fetch from the public internet, and from nowhere else.

A model chooses the words of a request, and a page where it is redirected to. So each address is
checked after it was resolved and is then the one that is connected to: no name can answer twice
differently. Private, loopback, link-local and reserved addresses are refused in IPv4, in IPv6
and in IPv6 that carries IPv4; so are other ports, other schemes, and what is too large or slow.
"""

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from inference.tools.base import ToolFailed

TIMEOUT_S = 10.0
MAX_BYTES = 1 << 20
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)

_EMBEDDED = (  # networks of IPv6 whose addresses carry one of IPv4
    (ipaddress.IPv6Network("64:ff9b::/96"), 96),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 96),
    (ipaddress.IPv6Network("::/96"), 96),
)


class NotPublic(ToolFailed):
    """An address that no model may reach."""


def is_public(address: str) -> bool:
    """Of an IP address; False for what is none."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if inner := _inside(ip):
            return is_public(str(inner))
        return ip.is_global and not ip.is_multicast
    return ip.is_global and not ip.is_multicast


def _inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    if ip.teredo:
        return ip.teredo[1]
    for network, shift in _EMBEDDED:
        if ip in network:
            return ipaddress.IPv4Address(int(ip) >> (128 - shift - 32) & 0xFFFFFFFF)
    return None


class PublicResolver(AbstractResolver):
    """Only allowed addresses, and only if all that a name stands for are allowed."""

    def __init__(self, inner: AbstractResolver, allows: Callable[[str], bool]) -> None:
        self._inner = inner
        self._allows = allows

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not found or not all(self._allows(each["host"]) for each in found):
            raise NotPublic(f"{host} is not on the public internet")
        return found

    async def close(self) -> None:
        await self._inner.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """The fields are there to be tested with: their defaults are the rule."""

    resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver
    allows: Callable[[str], bool] = is_public
    ports: Mapping[str, int] = field(default_factory=lambda: {"http": 80, "https": 443})

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        """The body of a page. Raises ToolFailed."""
        address = self.checked(URL(url).update_query(params or {}))
        resolver = PublicResolver(self.resolver(), self.allows)
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with aiohttp.ClientSession(
                connector=connector, timeout=timeout, trust_env=False
            ) as session:
                return await self._follow(session, address)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ToolFailed(f"{address.host} cannot be read: {type(error).__name__}") from error

    def checked(self, url: URL) -> URL:
        """Raises NotPublic for what may not even be looked up."""
        host = url.host or ""
        known = url.scheme in self.ports and url.port == self.ports[url.scheme]
        if not host or url.user or not known:
            raise NotPublic(f"{url.scheme}://{host} is not a public address of the web")
        # aiohttp connects to a literal address without asking a resolver.
        if _is_literal(host) and not self.allows(host):
            raise NotPublic(f"{host} is not on the public internet")
        return url

    async def _follow(self, session: aiohttp.ClientSession, address: URL) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(address, allow_redirects=False) as response:
                if response.status not in REDIRECTS:
                    response.raise_for_status()
                    return await _read(response)
                location = response.headers.get("Location", "")
                address = self.checked(address.join(URL(location)))
        raise ToolFailed(f"more than {MAX_REDIRECTS} redirects")


def _is_literal(host: str) -> bool:
    """In every spelling that a resolver takes for an address, as 0x7f.1 and 2130706433."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            socket.inet_aton(host)
        except OSError:
            return False
    return True


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """As it comes, so that a wrong length and a compressed flood end at the limit."""
    body = bytearray()
    async for piece in response.content.iter_chunked(1 << 14):
        body += piece
        if len(body) > MAX_BYTES:
            raise ToolFailed(f"the page has more than {MAX_BYTES:,} bytes")
    return bytes(body)


PUBLIC = Fetcher()
