"""Removes one guard after the other and shows that a named test notices: `make mutants`.

Each mutant is a patch of one place, made in a copy of the tree; a patch that does not fit exactly
once is an error, so that the list keeps up with the code. A mutant that survives its test is an
error, too: then the promise is not proved.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("common", "jobqueue", "inference", "bench", "tests", "pyproject.toml")
AT_ONCE = 2
_FAST = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
PYTEST_FAILED = 1  # tests ran, and some failed; anything else is not a catch


@dataclass(frozen=True)
class Mutant:
    guard: str
    file: str  # of jobqueue
    old: str
    new: str
    test: str  # the one that must fail: FILE::NAME, below tests


_QUEUE, _LIVE = "jobqueue/test_queue.py::test_", "jobqueue/test_event_reader.py::test_"
_FAIR, _LIMITS = "jobqueue/test_fairness.py::test_", "jobqueue/test_limits.py::test_"
_BLOBS, _RATES = "jobqueue/test_blobs.py::test_", "jobqueue/test_rate_limit.py::test_"
_HISTORY = "jobqueue/test_history.py::test_"
_GUARDS = "faults/test_guards.py::test_"

MUTANTS = (
    # --- one answer, nothing lost, no zombie writes -----------------------------------------------
    Mutant(
        "fence", "lua/prelude.lua", " and job.fence == fence end", " end",
        _QUEUE + "an_expired_lease_goes_to_another_worker_and_fences_the_first",
    ),
    Mutant(
        "fence raised", "lua/claim.lua", "job.fence + 1\n", "job.fence\n",
        _QUEUE + "an_expired_lease_goes_to_another_worker_and_fences_the_first",
    ),
    Mutant(
        "sequence", "lua/emit.lua", "for next = expected,", "for next = seq,",
        _QUEUE + "events_are_written_once_each",
    ),
    Mutant(
        "gap", "lua/emit.lua", "if seq > expected then return 'lost' end", "",
        _QUEUE + "a_gap_in_the_numbers_loses_the_attempt",
    ),
    Mutant(
        "deduplication", "lua/submit.lua", "redis.call('EXISTS', key('job', id)) == 1", "false",
        _QUEUE + "submitting_twice_is_one_job",
    ),
    Mutant(
        "claim nonce", "lua/claim.lua", "if remembered[1] == nonce then", "if false then",
        _QUEUE + "the_same_nonce_gives_the_same_leases",
    ),
    Mutant(
        "finish repeated", "lua/finish.lua", "job.settled == fence", "false",
        _QUEUE + "finishing_twice_is_finishing_once",
    ),
    Mutant(
        "renewal", "lua/emit.lua",
        "redis.call('ZADD', key('leases'), 'XX', now + policy.lease_ms, id)", "",
        _QUEUE + "emitting_renews_the_lease",
    ),
    Mutant(
        "history turn", "lua/finish.lua", "then store_turn(job, turn, parent) end", "then end",
        _QUEUE + "finishing_writes_result_turn_and_next_job_in_one_step",
    ),
    Mutant(
        "ledger", "lua/submit.lua", "redis.call('ZADD', key('undelivered', reader), now, id)", "",
        _QUEUE + "the_ledger_keeps_what_is_not_delivered",
    ),
    Mutant(
        "live gap", "event_reader.py", "if arrival.previous != seen:", "if False:",
        _GUARDS + "a_follower_sees_that_its_live_stream_skipped_something",
    ),
    Mutant(
        "resumption", "lua/replay.lua", "'(' .. ARGV[3]", "'-'",
        _LIVE + "a_follower_goes_on_after_the_last_id_it_showed",
    ),
    # --- a channel is one conversation ------------------------------------------------------------
    Mutant(
        "channel hold", "lua/submit.lua",
        "if redis.call('RPUSH', lane, id) == 1 then offer(channel) end",
        "redis.call('RPUSH', lane, id) offer(channel)",
        _GUARDS + "what_is_asked_while_the_channel_runs_waits",
    ),
    Mutant(
        "channel goes on", "lua/prelude.lua", "  offer(job.channel)\n", "",
        _QUEUE + "a_channel_runs_one_job_at_a_time_in_order",
    ),
    Mutant(
        "clear forgets the running turn", "lua/finish.lua", " and not job.forget", "",
        "jobqueue/test_history.py::test_clear_forgets_the_turn_being_answered_too",
    ),
    Mutant(
        "erasing reaches summaries", "lua/erase.lua", ", key('summaries', channel)", "",
        "jobqueue/test_history.py::test_what_a_person_wants_forgotten_is_in_no_summary",
    ),
    Mutant(
        "summary of the forgotten", "lua/summarise.lua",
        "if redis.call('HEXISTS', key('turns', channel), ARGV[i]) == 0 then return 0 end", "",
        "jobqueue/test_history.py::test_what_a_person_wants_forgotten_is_in_no_summary",
    ),
    # --- wake-ups --------------------------------------------------------------------------------
    Mutant(
        "wake-up", "lua/prelude.lua", "redis.call('ZADD', key('mark', capability), 0, 'work')", "",
        _GUARDS + "a_channels_next_job_wakes_a_worker",
    ),
    Mutant(
        "re-mark", "lua/claim.lua", "redis.call('ZADD', key('mark', capability.name), 0, 'work')",
        "", _LIVE + "work_that_is_left_wakes_the_next_worker",
    ),
    # --- fair ------------------------------------------------------------------------------------
    Mutant(
        "real tokens", "lua/prelude.lua", "charge(job, tokens, 0 - job.charge)",
        "charge(job, job.charge, 0 - job.charge)", _FAIR + "servers_share_by_tokens_not_by_jobs",
    ),
    Mutant(
        "charge at claim", "lua/claim.lua", "charge(job, 0, tokens)", "",
        _GUARDS + "the_slots_of_one_claim_are_shared",
    ),
    Mutant(
        "lift of who returns", "lua/prelude.lua", "ahead, server) or least", "ahead, server) or 0",
        _FAIR + "being_away_saves_nothing_up",
    ),
    Mutant(
        "what a server was ahead by", "lua/prelude.lua",
        "redis.call('ZADD', key('ahead', capability), used, server)", "local _ = used",
        _FAIR + "leaving_forgives_nothing",
    ),
    Mutant(
        "rotation", "lua/prelude.lua",
        "local turn = first and 0 or redis.call('HINCRBY', key('held'), 'turn', 1)",
        "local turn = 0", _FAIR + "a_servers_channels_take_turns",
    ),
    Mutant(
        "limit", "lua/submit.lua", "if limit[2] >= limit[3] then", "if false then",
        _LIMITS + "each_limit_refuses_one_too_many_until_a_job_ends",
    ),
    Mutant(
        "memory refused", "lua/submit.lua", "#!lua\n", "#!lua flags=allow-oom\n",
        _LIMITS + "running_jobs_finish_when_memory_is_full",
    ),
    Mutant(
        "memory granted", "lua/finish.lua", "#!lua flags=allow-oom\n", "#!lua\n",
        _LIMITS + "running_jobs_finish_when_memory_is_full",
    ),
    # --- files, days, what is cleared ------------------------------------------------------------
    Mutant(
        "share of a user", "lua/put_blob.lua",
        "while held('blob_users', user) + size > of_user do", "while false do",
        _BLOBS + "one_user_takes_nothing_from_another",
    ),
    Mutant(
        "share of a server", "lua/put_blob.lua",
        "while held('blob_servers', server) + size > of_server do", "while false do",
        _BLOBS + "a_full_server_takes_from_its_largest_holder",
    ),
    Mutant(
        "largest holder first", "lua/put_blob.lua", "'ZREVRANGE', key('blob_users')",
        "'ZRANGE', key('blob_users')", _BLOBS + "when_all_is_full_the_largest_holder_gives_first",
    ),
    Mutant(
        "needed files", "lua/put_blob.lua", " and not is_needed(name)", "",
        _BLOBS + "what_a_job_needs_is_kept_until_it_ends",
    ),
    Mutant(
        "files given back", "lua/prelude.lua", "  need_files(job.files, -1)\n", "",
        _BLOBS + "what_a_job_needs_is_kept_until_it_ends",
    ),
    Mutant(
        "reserve", "lua/put_blob.lua", "while limit > 0 and used > free do", "while false do",
        _BLOBS + "room_for_questions_stays_free_whoever_posts_files",
    ),
    Mutant(
        "reserve for short questions", "lua/submit.lua", "if #body > policy.long_body then",
        "if false then", _BLOBS + "long_questions_leave_room_for_short_ones",
    ),
    Mutant(
        "tokens of a day", "lua/finish.lua",
        "count_usage(job.server .. ':' .. job.user, 'tokens', tokens)\n", "",
        _RATES + "what_answers_took_is_counted_when_they_end",
    ),
    Mutant(
        "files of a day", "lua/rate.lua",
        "if bytes > 0 then count_usage(who, 'megabytes', bytes) end", "",
        _RATES + "files_of_a_day_are_counted_with_their_question",
    ),
    Mutant(
        "joined history", "lua/restore.lua", "      parent = head\n", "",
        _HISTORY + "what_was_said_since_follows_what_comes_back",
    ),
    Mutant(
        "erasing reaches the cleared", "lua/erase.lua", ", key('cleared_turns', channel)}", "}",
        _HISTORY + "what_a_person_has_forgotten_does_not_come_back",
    ),
    # --- cancel, deadline, poison, drain ---------------------------------------------------------
    Mutant(
        "cancel heard", "lua/emit.lua", "if job.cancel then return 'cancel' end", "",
        _QUEUE + "cancelling_a_running_job_reaches_its_worker",
    ),
    Mutant(
        "deadline heard", "lua/emit.lua", "if now >= tonumber(job.deadline) then", "if false then",
        _QUEUE + "a_running_job_hears_of_its_deadline_and_may_close",
    ),
    Mutant(
        "late job", "lua/claim.lua", "if job and now >= tonumber(job.deadline) then",
        "if false then", _QUEUE + "a_late_job_is_not_handed_out",
    ),
    Mutant(
        "attempts bounded", "lua/reap.lua", ">= policy.max_attempts", ">= 1000000",
        _QUEUE + "poison_ends_and_the_channel_goes_on",
    ),
    Mutant(
        "release uncounted", "lua/release.lua", "job.attempt - 1", "job.attempt",
        _QUEUE + "releasing_counts_no_attempt_and_keeps_the_place",
    ),
)  # fmt: skip


def find_survivors(mutants: tuple[Mutant, ...]) -> list[str]:
    """What went wrong, one line each: empty when every mutant was caught by its test."""
    with tempfile.TemporaryDirectory() as folder:
        healthy = _pytest(_copy(Path(folder, "healthy")), sorted({m.test for m in mutants}))
        if healthy.returncode:
            return [f"the tests fail without any mutant:\n{healthy.stdout}"]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            trials = enumerate(mutants)
            return [
                line
                for lines in pool.map(lambda t: [*_trial(folder, *t)], trials)
                for line in lines
            ]


def _trial(folder: str, number: int, mutant: Mutant) -> Iterator[str]:
    tree = _copy(Path(folder, str(number)))
    file = tree / "jobqueue" / mutant.file
    text = file.read_text()
    if (fits := text.count(mutant.old)) != 1:
        yield f"{mutant.guard}: the patch of {mutant.file} fits {fits} times"
        return
    file.write_text(text.replace(mutant.old, mutant.new))
    outcome = _pytest(tree, [mutant.test])
    caught = outcome.returncode == PYTEST_FAILED
    print(f"{'caught' if caught else 'SURVIVED':9} {mutant.guard:32} {mutant.test}", flush=True)
    if not caught:
        yield f"{mutant.guard}: pytest exited with {outcome.returncode}\n{outcome.stdout[-2_000:]}"


def _copy(tree: Path) -> Path:
    tree.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree / name)
    return tree


def _pytest(tree: Path, tests: list[str]) -> "subprocess.CompletedProcess[str]":
    """The tree's own packages come first: `-m` puts the working folder on the path."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += ["-p", "pytest_asyncio.plugin"]
    return subprocess.run(
        [*command, *(f"tests/{test}" for test in tests)],
        cwd=tree, env={**os.environ, "PYTHONPATH": str(tree), **_FAST}, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="GUARD", help="of this name")
    only = parser.parse_args().only
    chosen = tuple(m for m in MUTANTS if only is None or m.guard in only)
    wrong = find_survivors(chosen)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"mutants: {len(chosen)} made, {len(chosen) - len(wrong)} caught")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
