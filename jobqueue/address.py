"""The address of Redis, parsed from REDIS_URL. No error message contains a part of a password."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

REDIS_PORT, SENTINEL_PORT = 6379, 26379
KINDS = ("redis", "redis+cluster", "redis+sentinel")
SCHEMES = (*KINDS, *(kind.replace("redis", "rediss", 1) for kind in KINDS), "unix")

ENCODING_HINT = (
    "a password's special signs must be percent-encoded in REDIS_URL: # is %23, / is %2F, ? is "
    "%3F, [ is %5B, ] is %5D, @ is %40, : is %3A, % is %25, a space is %20"
)

_PARTS = re.compile(r"(?P<authority>[^/?]*)(?P<path>/[^?]*)?(?:\?(?P<query>.*))?", re.DOTALL)
_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[\w.-]*))(?::(?P<port>[^:]*))?"
)


class BadAddress(ValueError):
    """REDIS_URL is invalid: one sentence for the operator, without its content."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    kind: str  # one of KINDS, or `unix`
    tls: bool = False
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""  # of a Unix socket
    service: str = ""  # the name of the primary at Sentinel
    db: int = 0
    # Options of redis-py's client, and of the clients of Sentinels; with user names and passwords.
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sentinel_options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """Return the URL without user, password and options."""
        if self.kind == "unix":
            return f"unix://{self.path}"
        hosts = ",".join(f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in self.hosts)
        scheme = self.kind.replace("redis", "rediss", 1) if self.tls else self.kind
        return "/".join(filter(None, (f"{scheme}://{hosts}", self.service, str(self.db))))


def parse_redis_url(url: str) -> RedisAddress:
    """Parse REDIS_URL.

    Raises:
        BadAddress: it is invalid.
    """
    text = url.strip()
    scheme, found, rest = text.partition("://")
    scheme = scheme.lower()
    if not found or scheme not in SCHEMES:
        raise BadAddress(
            f"REDIS_URL must begin with one of {', '.join(f'{s}://' for s in SCHEMES)}"
        )
    if not text.isprintable():
        raise BadAddress(f"REDIS_URL contains a line end or a control character; {ENCODING_HINT}")
    if "#" in rest:
        raise BadAddress(f"REDIS_URL contains a #; {ENCODING_HINT}")
    parts = _PARTS.fullmatch(rest)
    authority, path, query = (parts[n] or "" for n in _PARTS.groupindex) if parts else ("", "", "")
    userinfo, _, hosts = authority.rpartition("@")
    if "[" in userinfo or "]" in userinfo or (scheme != "unix" and "@" in path + query):
        raise BadAddress(f"REDIS_URL cannot be parsed; {ENCODING_HINT}")
    kind, tls = scheme.replace("rediss", "redis", 1), scheme.startswith("rediss")
    options = _parse_options(query, tls=tls, kind=kind)
    user, _, password = userinfo.partition(":")
    for name, value in (("username", user), ("password", password)):
        if value:
            options[name] = unquote(value)
    if kind == "unix":
        if not path or hosts:
            raise BadAddress("REDIS_URL names no socket: unix:///run/valkey.sock is one")
        return RedisAddress(kind, path=unquote(path), db=options.pop("db", 0), options=options)
    return _parse_hosts(kind, tls, hosts, path, options)


def _parse_hosts(
    kind: str, tls: bool, hosts: str, path: str, options: dict[str, Any]
) -> RedisAddress:
    sentinel = kind == "redis+sentinel"
    port = SENTINEL_PORT if sentinel else REDIS_PORT
    listed = hosts.split(",") if sentinel else [hosts]
    service, _, db = path.strip("/").rpartition("/")
    if sentinel and not db.isdecimal():
        service, db = path.strip("/"), ""
    if sentinel and (not service or "/" in service):
        raise BadAddress(
            "REDIS_URL names no service of Sentinel: redis+sentinel://host:26379/mymaster/0 does"
        )
    if (service and not sentinel) or not re.fullmatch(r"\d{0,5}", db):
        raise BadAddress(
            f"REDIS_URL: the text after the host is not the number of a database; {ENCODING_HINT}"
        )
    number = int(db) if db else options.pop("db", 0)
    options.pop("db", None)
    if kind == "redis+cluster" and number:
        raise BadAddress("REDIS_URL: a cluster has only the database 0")
    of_sentinel = {
        name.removeprefix("sentinel_"): options.pop(name)
        for name in ("sentinel_username", "sentinel_password")
        if name in options
    }
    return RedisAddress(
        kind,
        tls,
        tuple(_parse_host(each, port) for each in listed),
        service=unquote(service),
        db=number,
        options=options,
        sentinel_options=of_sentinel,
    )


def _parse_host(text: str, port: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise BadAddress(f"REDIS_URL: the host is neither a name nor an address; {ENCODING_HINT}")
    host = found["v6"] or found["name"]
    if not host:
        raise BadAddress("REDIS_URL names no host: redis://:PASSWORD@host:6379/0 does")
    if not found["port"]:
        return host, port
    if not re.fullmatch(r"[0-9]{1,5}", found["port"]) or not 0 < int(found["port"]) < 65536:
        raise BadAddress(f"REDIS_URL: the port is not a number from 1 to 65535; {ENCODING_HINT}")
    return host, int(found["port"])


_BOOLS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_CERT_REQUIREMENTS = {name: name for name in ("none", "optional", "required")}

_OPTIONS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "db": int,
        "username": str,
        "password": str,
        "client_name": str,
        "max_connections": int,
        "health_check_interval": int,
        "socket_timeout": float,
        "socket_connect_timeout": float,
        "sentinel_username": str,
        "sentinel_password": str,
        "ssl_cert_reqs": lambda value: _CERT_REQUIREMENTS[value.lower()],
        "ssl_ca_certs": str,
        "ssl_ca_path": str,
        "ssl_certfile": str,
        "ssl_keyfile": str,
        "ssl_check_hostname": lambda value: _BOOLS[value.lower()],
    }
)


def _parse_options(query: str, *, tls: bool, kind: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if name not in _OPTIONS or (name.startswith("sentinel") and kind != "redis+sentinel"):
            raise BadAddress(
                f"REDIS_URL has an unknown option; known are {', '.join(_OPTIONS)}; {ENCODING_HINT}"
            )
        if name.startswith("ssl_") and not tls:
            raise BadAddress(f"REDIS_URL: {name} is for an address that begins with rediss://")
        try:
            options[name] = _OPTIONS[name](unquote(value))
        except (KeyError, ValueError):
            raise BadAddress(f"REDIS_URL: the value of {name} cannot be read") from None
    if options.get("ssl_cert_reqs") == "none":
        options.setdefault("ssl_check_hostname", False)
    return options
