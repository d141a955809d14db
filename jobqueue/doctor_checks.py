"""A doctor's checks of what every process needs: Redis, the disk and the metrics port."""

import errno
import os
import shutil
import socket
import time
import urllib.request
from asyncio import timeout
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    RedisClusterException,
    RedisError,
)

from common.doctor_report import Finding, fault, good, warning
from common.redact import redact
from jobqueue.address import ENCODING_HINT
from jobqueue.embedded_redis import EmbeddedError, resolve_redis_url
from jobqueue.errors import QueueError
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect

Json = dict[str, Any]

# The cluster client's error is no RedisError.
UNREACHABLE = (RedisError, RedisClusterException, OSError, ValueError, TimeoutError)
OLDEST = {"valkey": (7, 2), "redis": (7, 0)}
PATIENCE_S = 20.0
NEARLY_FULL = 0.8  # of the memory; questions will soon be refused
# This machine's clock counts the 15 minutes of an interaction that Discord's clock dates.
SKEW_S, GREAT_SKEW_S = 2.0, 60.0
MIB = 1 << 20
GIB = 1 << 30


async def check_redis_server(environ: Mapping[str, str]) -> list[Finding]:
    """Check whether the queue can rely on REDIS_URL's server, or on the embedded one."""
    try:
        async with timeout(PATIENCE_S), resolve_redis_url(environ) as url, connect(url) as redis:
            found = [finding async for finding in _check_server(redis)]
            return [*found, await _check_workers(redis)]
    except (AuthenticationError, AuthorizationError) as error:
        todo = (
            "Put the server's password into REDIS_URL: redis://:PASSWORD@host:6379/0; "
            f"{ENCODING_HINT}"
        )
        return [fault("Redis", f"it wants another password: {redact(str(error))}", todo)]
    except (EmbeddedError, QueueError, *UNREACHABLE) as error:
        todo = "See that it runs, and that REDIS_URL names it; unset, a server is started here"
        return [fault("Redis", redact(str(error)) or "it does not answer", todo)]


async def _check_server(redis: Redis) -> AsyncIterator[Finding]:
    client: object = redis  # `connect` declares every client as Redis
    if isinstance(client, RedisCluster):
        await client.initialize()
        for node in client.get_primaries():
            info = await client.execute_command("INFO", target_nodes=node)
            for finding in _check_node(f"Redis {node.name}", info):
                yield finding
    else:
        for finding in _check_node("Redis", await redis.info()):
            yield finding
    asked = time.time()
    seconds, micros = await redis.time()
    yield check_clock(seconds + micros / 1e6 - (asked + time.time()) / 2)


def _check_node(name: str, info: Json) -> Iterator[Finding]:
    yield _check_version(name, info)
    yield _check_persistence(f"{name}: persistence", info)
    yield _check_eviction(f"{name}: eviction", info)
    yield _check_memory(f"{name}: memory", info)


def _check_version(name: str, info: Json) -> Finding:
    kind = str(info.get("server_name", "redis")).lower()
    version = str(info.get(f"{kind}_version") or info["redis_version"])
    server = f"{kind} {version}"
    if info.get("role") == "slave":
        return fault(
            name, f"{server}, a replica, which takes no writes", "Name the primary instead"
        )
    oldest = OLDEST.get(kind, OLDEST["redis"])
    if tuple(int(part) for part in version.split(".")[:2]) < oldest:
        return fault(name, f"{server} is too old", "Run Redis 7.0 or Valkey 7.2, or newer")
    return good(name, server)


def _check_persistence(what: str, info: Json) -> Finding:
    if not int(info.get("aof_enabled", 0)):
        return fault(
            what,
            "no append-only file: every open question and conversation goes when it restarts",
            "appendonly yes in its configuration; at once: CONFIG SET appendonly yes",
        )
    if info.get("aof_last_write_status") != "ok":
        return fault(what, "the append-only file cannot be written", "See its disk and its log")
    return good(what, "append-only file")


def _check_eviction(what: str, info: Json) -> Finding:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        return fault(
            what,
            f"{policy}: when memory is full it drops jobs and conversations without a word",
            "maxmemory-policy noeviction; at once: CONFIG SET maxmemory-policy noeviction",
        )
    return good(what, policy)


def _check_memory(what: str, info: Json) -> Finding:
    # Counted as the server does it: without the buffer of the append-only file.
    used = int(info.get("used_memory", 0)) - int(info.get("mem_not_counted_for_evict", 0))
    limit = int(info.get("maxmemory", 0))
    usage = f"{used / MIB:,.0f} MiB of {limit / MIB:,.0f}" if limit else f"{used / MIB:,.0f} MiB"
    if limit and used > NEARLY_FULL * limit:
        return warning(what, usage, "Raise maxmemory: when it is full, questions are refused")
    return good(what, usage)


def check_clock(skew_s: float) -> Finding:
    """Check `skew_s`, by which the server's clock is ahead of this machine's."""
    offset = f"{skew_s:+.2f} s beside this machine's"
    todo = "Let both machines keep time by NTP: timedatectl set-ntp true"
    if abs(skew_s) > GREAT_SKEW_S:
        return fault("Redis: clock", offset, todo)
    if abs(skew_s) > SKEW_S:
        return warning("Redis: clock", offset, todo)
    return good("Redis: clock", offset)


async def _check_workers(redis: Redis) -> Finding:
    workers = await JobQueue(redis).list_workers()
    serving = [worker for worker in workers if worker.is_serving]
    if not serving:
        phases = ", ".join(f"{w.worker}: {w.phase}" for w in workers) or "none runs"
        return warning("workers", phases, "python -m inference serve")
    return good("workers", ", ".join(f"{w.worker}: {w.model}" for w in serving))


def check_disk(folder: Path, needed: int) -> Finding:
    """Check that `needed` bytes are free for `folder`, which need not exist yet."""
    # Unlike Path.exists(), this is false for a folder that we may not look into.
    existing = next(path for path in (folder, *folder.parents) if os.access(path, os.F_OK))
    free = shutil.disk_usage(existing).free
    space = f"{free / GIB:,.1f} GiB free at {existing}"
    if free < needed:
        return fault("disk", space, f"Free {needed / GIB:,.1f} GiB, or name another folder")
    return good("disk", space)


def check_metrics_port(host: str, port: int, variable: str) -> Finding:
    """Check whether metrics and health checks can be served there, or are already."""
    if not port:
        return good("metrics", f"not shown; {variable} is not set")
    where = f"{host}:{port}"
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE and _is_healthy(where):
            return good("metrics", f"already shown at {where}")
        todo = f"Choose another {variable}, or end what listens there"
        return fault("metrics", f"{where}: {error.strerror}", todo)
    return good("metrics", f"{where} is free")


def _is_healthy(where: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{where}/healthz", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
