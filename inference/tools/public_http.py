"""Fetches from public internet addresses only.

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

# IANA's special-purpose registries, where Python's own list says nothing or another thing.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24"),
            *("192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15", "240.0.0.0/4"),
            *("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
        ),
    )
)
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that was ever given out
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 behind a translator
_ISATAP = (0x00005EFE, 0x02005EFE)  # the middle of an address whose end is one of IPv4


class NotPublic(ToolFailed):
    """An address that no model may reach."""


def is_public(address: str) -> bool:
    """Return whether an IP address is public; False for anything else and for scoped addresses."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip in _TRANSLATED or ip.ipv4_mapped or ip.sixtofour:
            return is_public(str(_embedded_ipv4(ip)))
        isatap = int(ip) >> 32 & 0xFFFFFFFF in _ISATAP
        if ip not in _UNICAST or (isatap and not is_public(str(_embedded_ipv4(ip)))):
            return False
    is_special = any(ip in network for network in _NOT_PUBLIC if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not is_special


def _embedded_ipv4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    """The address of IPv4 within one of IPv6."""
    return ip.sixtofour or ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)


class PublicResolver(AbstractResolver):
    """A resolver that returns addresses only if all addresses of a name are allowed."""

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
        address = self.check_url(URL(url).update_query(params or {}))
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

    def check_url(self, url: URL) -> URL:
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
                address = self.check_url(address.join(URL(location)))
        raise ToolFailed(f"more than {MAX_REDIRECTS} redirects")


def _is_literal(host: str) -> bool:
    """Return whether a resolver takes the text for an address, in any spelling such as 0x7f.1 and
    2130706433.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            socket.inet_aton(host)
        except OSError:
            return False
    return True


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read the body as it comes, so that a wrong length or a compressed flood ends at the limit."""
    body = bytearray()
    async for piece in response.content.iter_chunked(1 << 14):
        body += piece
        if len(body) > MAX_BYTES:
            raise ToolFailed(f"the page has more than {MAX_BYTES:,} bytes")
    return bytes(body)


PUBLIC = Fetcher()
