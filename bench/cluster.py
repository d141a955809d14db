"""Three primaries that share the slots, on loopback."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis import Redis

from bench.server import RedisServer, free_port

_SLOTS = 16_384
_READY_S = 30.0


@contextmanager
def run_cluster(
    folder: Path, *, binary: Path | None = None, nodes: int = 3
) -> Iterator[list[RedisServer]]:
    """Yields its nodes once every one of them knows that all slots are served."""
    buses = [free_port() for _ in range(nodes)]
    with ExitStack() as stack:
        servers = [
            RedisServer(
                folder / str(n), binary=binary,
                options=("--cluster-enabled", "yes", "--cluster-port", str(bus)),
            )
            for n, bus in enumerate(buses)
        ]  # fmt: skip
        clients = [stack.enter_context(stack.enter_context(s).client()) for s in servers]
        for n, client in enumerate(clients):
            first, last = n * _SLOTS // nodes, (n + 1) * _SLOTS // nodes - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port, buses[0])
        _await_agreement(clients)
        yield servers


def _await_agreement(clients: list[Redis]) -> None:
    give_up = time.monotonic() + _READY_S
    while not all(_knows_all(client, len(clients)) for client in clients):
        if time.monotonic() > give_up:
            raise RuntimeError("the cluster's nodes do not find each other")
        time.sleep(0.05)


def _knows_all(client: Redis, nodes: int) -> bool:
    reply: bytes = client.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]
    info = reply.split()
    return b"cluster_state:ok" in info and b"cluster_size:%d" % nodes in info
