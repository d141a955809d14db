"""Requests that a model may not make, and the same ones where they are allowed."""

import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from inference.tools.base import ToolFailed
from inference.tools.public_http import MAX_BYTES, PUBLIC, Fetcher, NotPublic, is_public

HOME = "127.0.0.1"
NAMES = {
    "page.example": [HOME],
    "metadata.example": ["169.254.169.254"],
    "half.example": [HOME, "10.0.0.1"],  # one answer of two is private
}


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.1.2.3"),
        *("100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::"),
        *("fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::", "fe80::1%eth0", "localhost", ""),
        # What IANA keeps for itself.
        *("192.0.0.1", "192.0.0.9", "192.0.0.170", "192.31.196.1", "192.52.193.1", "192.88.99.1"),
        *("192.175.48.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "240.0.0.1"),
        *("100::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2620:4f:8000::1"),
        *("3fff::1", "5f00::1"),
        # What was never given out.
        *("fec0::1", "feff::1", "fd00::1", "1::", "4000::1", "8000::1", "e000::1", "fe00::1"),
        # What carries an address of IPv4.
        *("::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "::ffff:0:0:127.0.0.1", "::8.8.8.8"),
        *(
            "64:ff9b::192.168.0.1",
            "64:ff9b:1::7f00:1",
            "64:ff9b:1:7f00:0:100::",
            "::ffff:a9fe:a9fe",
        ),
        *("2002:c0a8:1::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
        *("2600::5efe:127.0.0.1", "2600::200:5efe:10.0.0.1", "fe80::5efe:8.8.8.8"),
        # Other spellings, and a zone.
        *("2130706433", "0x7f.1", "0177.0.0.1", "127.1", "8.8.8.8%eth0", "2606:4700::1%eth0"),
        *("127.0.0.1.", " 8.8.8.8", "8.8.8.8\n", "١٢٧.0.0.1"),
    ],
)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "2606:4700:4700::1111",
        "64:ff9b::808:808",
        "2002:808:808::",
        "2600::5efe:8.8.8.8",
        "::ffff:8.8.8.8",
        "2a00:1450:4001:80b::200e",
        "192.0.1.1",
        "9.9.9.9",
    ],
)
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://[::1]/", "http://0x7f.1/", "http://2130706433/"),
        *("http://0177.0.0.1/", "http://127.1/", "http://[::ffff:127.0.0.1]/", "http://0/"),
        *("file:///etc/passwd", "gopher://8.8.8.8/", "ftp://8.8.8.8/", "http://8.8.8.8:6379/"),
        *("https://8.8.8.8:22/", "http://user@8.8.8.8/", "//8.8.8.8/", "http:///etc/passwd"),
        *("http://169.254.169.254/latest/meta-data/", "http://１２７.0.0.1/"),
    ],
)
async def test_addresses_that_are_refused_before_anything_is_looked_up(url: str) -> None:
    with pytest.raises((NotPublic, ValueError)):
        PUBLIC.check_url(URL(url))


def test_a_public_address_is_fine() -> None:
    assert PUBLIC.check_url(URL("https://8.8.8.8/")).host == "8.8.8.8"


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1./", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/", "http://0x7f000001/"),
        *("http://017700000001/", "http://[fe80::1%25lo]/", "http://[0:0:0:0:0:ffff:127.0.0.1]/"),
        *("http://[::ffff:0:127.0.0.1]/", "http://[fec0::1]/", "http://[64:ff9b:1::7f00:1]/"),
    ],
)
async def test_every_spelling_of_this_machine_is_refused(url: str) -> None:
    with pytest.raises((ToolFailed, ValueError)):
        await PUBLIC.get(url)


async def test_localhost_is_refused_by_what_it_resolves_to() -> None:
    with pytest.raises(NotPublic):
        await PUBLIC.get("http://localhost/")


# --- against a server, whose address is allowed for once -----------------------------------------


class Names(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in NAMES[host]
        ]

    async def close(self) -> None:
        pass


Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest_asyncio.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    """What it allows is this server alone, by the names above."""

    async def page(request: web.Request) -> web.StreamResponse:
        match request.match_info["what"]:
            case "to":
                raise web.HTTPFound(request.query["url"])
            case "loop":
                raise web.HTTPFound("/loop")
            case "large":
                return web.Response(body=b"x" * (MAX_BYTES + 1))
            case "bomb":
                body = gzip.compress(b"x" * (64 * MAX_BYTES))
                return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/{what}", page)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, HOME, 0)
    await site.start()
    port = runner.addresses[0][1]
    yield Fetcher(resolver=Names, allows=lambda each: each == HOME, ports={"http": port})
    await runner.cleanup()


def at(fetcher: Fetcher, path: str, host: str = "page.example") -> str:
    return f"http://{host}:{fetcher.ports['http']}/{path}"


async def test_a_page_is_read_and_a_redirect_within_bounds_is_followed(fetcher: Fetcher) -> None:
    assert await fetcher.get(at(fetcher, "page")) == b"hello"
    assert await fetcher.get(at(fetcher, "to"), {"url": at(fetcher, "page")}) == b"hello"
    assert await fetcher.get(at(fetcher, "to"), {"url": "/page"}) == b"hello"


@pytest.mark.parametrize("host", ["metadata.example", "half.example", "127.0.0.2", "[::1]"])
async def test_a_redirect_to_elsewhere_is_refused(fetcher: Fetcher, host: str) -> None:
    with pytest.raises(NotPublic):
        await fetcher.get(at(fetcher, "to"), {"url": at(fetcher, "page", host)})


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://page.example:1/", "ftp://page.example/"]
)
async def test_a_redirect_to_something_else_is_refused(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(NotPublic):
        await fetcher.get(at(fetcher, "to"), {"url": url})


async def test_a_name_that_answers_twice_differently_is_connected_to_once_checked(
    fetcher: Fetcher,
) -> None:
    """The first answer is allowed and is the one that is used; the second one is refused."""
    asked = 0

    class Turning(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            nonlocal asked
            asked += 1
            name = "page.example" if asked == 1 else "metadata.example"
            return await super().resolve(name, port, family)

    turning = Fetcher(resolver=Turning, allows=fetcher.allows, ports=fetcher.ports)
    assert await turning.get(at(fetcher, "page", "turns.example")) == b"hello"
    assert asked == 1
    with pytest.raises(NotPublic):
        await turning.get(at(fetcher, "page", "turns.example"))


@pytest.mark.parametrize("path", ["large", "bomb", "loop"])
async def test_what_does_not_end_is_ended(fetcher: Fetcher, path: str) -> None:
    with pytest.raises(ToolFailed, match="more than"):
        await fetcher.get(at(fetcher, path))
