"""`python -m bench queue`: this queue beside others, one after the other on one server.

Each does the same work with one worker process of 100 slots (plain arq: its default of 10) and
one process that submits. This queue's jobs spread over 1,000 channels of 50 servers, and each
leaves an event log and a history turn; the others just run a function.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench.peers.kit import GIVE_UP_S
from bench.redis_server import RedisServer
from bench.report import print_table, quantile

# Each with the folder of its interpreter: they need different versions of redis-py.
PEERS = {
    "commonroom": "",
    "saq": "saq",
    "streaq": "streaq",
    "taskiq": "taskiq-redis",
    "arq": "arq",
    "arq_tuned": "arq",
}
_ROOT = Path(__file__).parent.parent
FAULT_JOBS, FAULT_JOB_S = 400, 0.25
SETTLE_S = 20.0  # after a fault; jobs that are not done by then count as lost


@dataclass(frozen=True)
class FaultOutcome:
    """The state of the jobs after a fault."""

    lost: int
    doubled: int  # done twice, and both results counted
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


@dataclass(frozen=True)
class LedgerEntry:
    what: str  # sent, start, done
    job: str
    at: float


@dataclass(frozen=True)
class QueueUnderTest:
    peer: str  # a module of bench.peers
    python: Path  # the interpreter that has it
    server: RedisServer
    ledger: Path

    def reset(self) -> None:
        """Empty the server and the ledger."""
        with self.server.client() as redis:
            redis.flushall()
        self.ledger.write_bytes(b"")

    def submit(self, how: str, *, jobs: int, seconds: float = 0.0) -> None:
        """Submit all jobs, by the role `trickle` or `flood`."""
        more = ("--jobs", str(jobs), "--seconds", str(seconds))
        subprocess.run([*self._command(how), *more], cwd=_ROOT, check=True, timeout=120)

    def start_worker(self) -> subprocess.Popen[bytes]:
        with self.ledger.with_suffix(".log").open("ab") as log:
            return subprocess.Popen(self._command("work"), cwd=_ROOT, stdout=log, stderr=log)

    @contextmanager
    def run_worker(self) -> Iterator[subprocess.Popen[bytes]]:
        process = self.start_worker()
        try:
            yield process
        finally:
            kill_process(process)

    def read_ledger(self) -> list[LedgerEntry]:
        lines = (line.split() for line in self.ledger.read_text().splitlines())
        return [LedgerEntry(what, job, float(at)) for what, job, at in lines]

    def list_done(self) -> set[str]:
        return {note.job for note in self.read_ledger() if note.what == "done"}

    def await_done(self, jobs: int, timeout_s: float) -> bool:
        give_up = time.monotonic() + timeout_s
        while self.ledger.read_bytes().count(b"done ") < jobs or len(self.list_done()) < jobs:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.1)
        return True

    def _command(self, role: str) -> list[str]:
        return [
            *(str(self.python), "-W", "ignore", "-m", "bench.peers"),
            *(self.peer, role, self.server.url, str(self.ledger)),
        ]


def kill_process(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
    process.wait()


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
    columns = ("queue", "start p50 ms", "start p99 ms", "enqueue/s", "drain/s")
    rates = [astuple(figures)[:-1] for figures in found]
    print_table("One worker, one submitter, one server", columns, rates)
    if not args.no_faults:
        title = f"{FAULT_JOBS} jobs under a fault; lost: not done {SETTLE_S:.0f} s after it"
        rows = [(f.peer, *map(_describe_outcome, f.faults.values())) for f in found]
        print_table(title, ("queue", *FAULTS), rows)
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
    """Return each job's seconds from submission to start; an idle worker gets one per 20 ms."""
    contender.reset()
    with contender.run_worker():
        time.sleep(2)  # it has connected and waits
        contender.submit("trickle", jobs=jobs, seconds=0.02)
        assert contender.await_done(jobs, 30), f"{contender.peer} did not finish"
    sent = {note.job: note.at for note in contender.read_ledger() if note.what == "sent"}
    started = {note.job: note.at for note in contender.read_ledger() if note.what == "start"}
    return [started[job] - at for job, at in sent.items()]


def _measure_throughput(contender: QueueUnderTest, jobs: int) -> tuple[float, float]:
    """Return jobs submitted per second without a worker, and done per second without submitter."""
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
    """Run the jobs, with the fault after a third of them."""
    contender.reset()
    contender.submit("flood", jobs=FAULT_JOBS, seconds=FAULT_JOB_S)
    with contender.run_worker() as worker, ExitStack() as stack:
        contender.await_done(FAULT_JOBS // 3, SETTLE_S)
        fault(contender, worker, stack)
        over = time.time()
        contender.await_done(FAULT_JOBS, SETTLE_S)
        time.sleep(GIVE_UP_S + 1)  # in case a job is done again
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
    """Pause the worker for longer than its lease while another one works; then resume it."""
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


def _describe_outcome(outcome: FaultOutcome) -> str:
    words = [f"{outcome.lost} lost, {outcome.doubled} doubled"]
    if outcome.recovery_s is not None:
        words.append(f"all done in {outcome.recovery_s} s")
    if outcome.worker_exited:
        words.append("worker exited")
    return "\n".join(words)
