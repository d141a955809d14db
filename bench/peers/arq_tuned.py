"""arq polling every 10 ms, with as many slots as the others."""

from bench.peers import arq
from bench.peers.arq import open_submitter
from bench.peers.kit import GIVE_UP_S, SLOTS, Handle

__all__ = ["open_submitter", "work"]


async def work(url: str, handle: Handle) -> None:
    await arq.run(url, handle, {"poll_delay": 0.01, "max_jobs": SLOTS, "job_timeout": GIVE_UP_S})
