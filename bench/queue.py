"""`python -m bench queue`: this queue beside others, one after the other on one server.

Each does the same work with one worker process of 100 slots (plain arq: its default of 10) and
one process that submits. This queue's jobs spread over 1,000 channels of 50 servers, and each
leaves an event log and a history turn; the others just run a function.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench.contender import QueueUnderTest, kill_process
from bench.figures import quantile
from bench.peers.kit import GIVE_UP_S
from bench.server import RedisServer

# Each with the folder of its interpreter: they want different versions of redis-py.
PEERS = {
    "commonroom": "",
    "saq": "saq",
    "streaq": "streaq",
    "taskiq": "taskiq-redis",
    "arq": "arq",
    "arq_tuned": "arq",
}
FAULT_JOBS, FAULT_JOB_S = 400, 0.25
SETTLE_S = 20.0  # after a fault; what is not done by then counts as lost


@dataclass(frozen=True)
class FaultOutcome:
    """What became of jobs that a fault struck."""

    lost: int
    doubled: int  # done twice, and both times it counted
    worker_exited: bool
    recovery_s: float | None  # from the fault's end until the last job was done


@dataclass(frozen=True)
class QueueFigures:
    peer: str
    start_p50_ms: float
    start_p99_ms: float
    enqueue_per_s: float
    drain_per_s: float
    faults: dict[str, FaultOutcome] = field(default_factory=dict)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("queue", help="this queue beside arq, saq, streaq and taskiq")
    command.add_argument("--peers", type=Path, help="folder of the peers' environments")
    command.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS))
    command.add_argument("--jobs", type=int, default=10_000, help="to drain")
    command.add_argument("--no-faults", action="store_true")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    console = Console()
    names = [name for name in args.only if args.peers or not PEERS[name]]
    if len(names) < len(args.only):
        console.print("Without --peers only this queue is measured; `make bench-queue` has all.")
    with TemporaryDirectory() as temporary, RedisServer(Path(temporary, "server")) as server:
        found = []
        for name in names:
            console.print(f"… {name}", style="dim")
            python = args.peers / PEERS[name] / "bin/python" if PEERS[name] else sys.executable
            contender = QueueUnderTest(name, Path(python), server, Path(temporary, name))
            found.append(_measure(contender, args.jobs, faults=not args.no_faults))
    console.print(_rates_table(found))
    if not args.no_faults:
        console.print(_faults_table(found))
    print(json.dumps([asdict(figures) for figures in found]))


def _measure(contender: QueueUnderTest, jobs: int, *, faults: bool) -> QueueFigures:
    waits = _measure_start(contender, jobs=300)
    enqueue, drain = _measure_throughput(contender, jobs)
    return QueueFigures(
        contender.peer,
        round(quantile(waits, 0.5) * 1000, 2),
        round(quantile(waits, 0.99) * 1000, 2),
        round(enqueue),
        round(drain),
        {name: _run_with_fault(fault, contender) for name, fault in FAULTS.items()}
        if faults
        else {},
    )


def _measure_start(contender: QueueUnderTest, jobs: int) -> list[float]:
    """Seconds from before a job's submission until it runs, one every 20 ms on an idle worker."""
    contender.reset()
    with contender.run_worker():
        time.sleep(2)  # it has connected and waits
        contender.submit("trickle", jobs=jobs, seconds=0.02)
        assert contender.await_done(jobs, 30), f"{contender.peer} did not finish"
    sent = {note.job: note.at for note in contender.read_ledger() if note.what == "sent"}
    started = {note.job: note.at for note in contender.read_ledger() if note.what == "start"}
    return [started[job] - at for job, at in sent.items()]


def _measure_throughput(contender: QueueUnderTest, jobs: int) -> tuple[float, float]:
    """Jobs submitted a second without a worker, then jobs done a second without a submitter."""
    contender.reset()
    contender.submit("flood", jobs=jobs)
    with contender.run_worker():
        assert contender.await_done(jobs, 120), f"{contender.peer} did not finish"
    at = {(note.what, note.job): note.at for note in contender.read_ledger()}
    submitting = at["end", "flood"] - at["begin", "flood"]
    started = min(moment for (what, _), moment in at.items() if what == "start")
    done = max(moment for (what, _), moment in at.items() if what == "done")
    return jobs / submitting, jobs / (done - started)


# --- under faults -------------------------------------------------------------------------------


def _run_with_fault(fault: "Fault", contender: QueueUnderTest) -> FaultOutcome:
    """The fault strikes after a third of the jobs."""
    contender.reset()
    contender.submit("flood", jobs=FAULT_JOBS, seconds=FAULT_JOB_S)
    with contender.run_worker() as worker, ExitStack() as stack:
        contender.await_done(FAULT_JOBS // 3, SETTLE_S)
        fault(contender, worker, stack)
        over = time.time()
        contender.await_done(FAULT_JOBS, SETTLE_S)
        time.sleep(GIVE_UP_S + 1)  # for whoever means to do one again
        exited = worker.returncode is None and worker.poll() is not None
    done = [note for note in contender.read_ledger() if note.what == "done"]
    times = Counter(note.job for note in done)
    lost, doubled = FAULT_JOBS - len(times), sum(n > 1 for n in times.values())
    last = max(note.at for note in done)
    return FaultOutcome(lost, doubled, exited, None if lost else round(max(last - over, 0), 1))


def _kill_worker(
    contender: QueueUnderTest, worker: subprocess.Popen[bytes], stack: ExitStack
) -> None:
    kill_process(worker)
    stack.enter_context(contender.run_worker())


def _pause_worker(
    contender: QueueUnderTest, worker: subprocess.Popen[bytes], stack: ExitStack
) -> None:
    """Longer than anybody waits for it, while another one works; then it wakes up."""
    worker.send_signal(signal.SIGSTOP)
    stack.enter_context(contender.run_worker())
    time.sleep(2 * GIVE_UP_S + 1)
    worker.send_signal(signal.SIGCONT)


def _kill_redis(
    contender: QueueUnderTest, _worker: subprocess.Popen[bytes], _stack: ExitStack
) -> None:
    contender.server.kill()
    time.sleep(0.5)
    contender.server.start()


Fault = Callable[[QueueUnderTest, subprocess.Popen[bytes], ExitStack], None]
FAULTS: dict[str, Fault] = {
    "worker killed": _kill_worker,
    "worker paused": _pause_worker,
    "redis killed": _kill_redis,
}


# --- for people ---------------------------------------------------------------------------------


def _rates_table(found: list[QueueFigures]) -> Table:
    table = Table(title="One worker, one submitter, one server")
    table.add_column("queue")
    for name in ("start p50 ms", "start p99 ms", "enqueue/s", "drain/s"):
        table.add_column(name, justify="right")
    for f in found:
        table.add_row(
            f.peer, f"{f.start_p50_ms:.1f}", f"{f.start_p99_ms:.1f}",
            f"{f.enqueue_per_s:,.0f}", f"{f.drain_per_s:,.0f}",
        )  # fmt: skip
    return table


def _faults_table(found: list[QueueFigures]) -> Table:
    caption = f"{FAULT_JOBS} jobs; lost: not done {SETTLE_S:.0f} s after the fault"
    table = Table(title="The same faults for each", caption=caption)
    for name in ("queue", *FAULTS):
        table.add_column(name)
    for figures in found:
        table.add_row(
            figures.peer, *(_describe_outcome(outcome) for outcome in figures.faults.values())
        )
    return table


def _describe_outcome(outcome: FaultOutcome) -> str:
    words = [f"{outcome.lost} lost, {outcome.doubled} doubled"]
    if outcome.recovery_s is not None:
        words.append(f"all done in {outcome.recovery_s} s")
    if outcome.worker_exited:
        words.append("worker exited")
    return "\n".join(words)
