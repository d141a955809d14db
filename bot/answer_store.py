"""Records of the answers in messages, kept as long as their buttons and replies should work.

One answer may have several versions: asked again, continued, or to a reworded question. They share
its messages, and one of them is shown.
"""

import asyncio
from functools import partial

import msgspec
from redis.asyncio import Redis

from bot.agent_trace import AgentTrace, WorkKind
from bot.reply_protocol import AnswerOutcome
from bot.user_records import pack, unpack
from jobqueue.lua_runner import Scripts
from jobqueue.schema import Check, FinishReason, Job

TTL_MS = 30 * 86_400_000
MAX_VERSIONS = 10


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    job: Job
    reason: FinishReason = FinishReason.STOP
    omitted_turns: int = 0
    check: Check | None = None
    work: WorkKind | None = None
    summarised_turns: int = 0
    formulas: bool = False
    unseen_pictures: int = 0

    @classmethod
    def of(cls, job: Job, outcome: AnswerOutcome) -> "Version":
        return cls(
            job,
            outcome.reason,
            outcome.omitted_turns,
            outcome.check,
            outcome.work.kind,
            outcome.summarised_turns,
            outcome.formulas,
            outcome.unseen_pictures,
        )

    def outcome(self, work: AgentTrace) -> AnswerOutcome:
        """Return the outcome of this version, whose steps are `work`."""
        return AnswerOutcome(
            self.reason,
            self.omitted_turns,
            self.check,
            work,
            self.summarised_turns,
            unseen_pictures=self.unseen_pictures,
        )


class ShownAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str  # its first job
    messages: tuple[str, ...]  # as the place where they are knows them
    versions: tuple[Version, ...]
    current: int = 0

    @property
    def version(self) -> Version:
        return self.versions[self.current]

    @property
    def job(self) -> Job:
        return self.version.job

    def switch_to(self, current: int) -> "ShownAnswer":
        """Return the answer with another of its versions shown."""
        return msgspec.structs.replace(self, current=current)


def add_version(
    earlier: ShownAnswer | None, version: Version, messages: tuple[str, ...]
) -> ShownAnswer:
    """Return an answer with a new version, which is shown."""
    if earlier is None:
        return ShownAnswer(version.job.id, messages, (version,))
    others = tuple(v for v in earlier.versions if v.job.id != version.job.id)
    versions = (*others, version)[-MAX_VERSIONS:]
    return ShownAnswer(earlier.id, messages, versions, len(versions) - 1)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ShownAnswer).decode


class ShownAnswers:
    """Stores answers in Redis. All calls raise QueueUnavailable while it is away."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    async def store(self, shown: ShownAnswer, *, latest: bool = True) -> None:
        """Store an answer under its messages and jobs, and as its channel's latest."""
        names = [_id(message) for message in shown.messages]
        names += [version.job.id for version in shown.versions]

        keys = {self._scripts.key("shown", name): shown.id for name in names}
        if latest:
            keys[self._scripts.key("latest", shown.job.channel)] = shown.id
        record = self._scripts.key("answer", shown.id)
        await asyncio.gather(
            self._scripts.call("SET", record, pack(_encode(shown)), "PX", TTL_MS),
            *(self._scripts.call("SET", key, answer, "PX", TTL_MS) for key, answer in keys.items()),
        )

    async def find(self, name: str) -> ShownAnswer | None:
        """Return the answer in this message, or of this job."""
        return await self._find_by_key(self._scripts.key("shown", name))

    async def find_latest(self, channel: str) -> ShownAnswer | None:
        """Return the newest answer of a conversation."""
        return await self._find_by_key(self._scripts.key("latest", channel))

    async def erase(self, user: str) -> None:
        """Delete the records of a person's answers, which hold their questions. Their buttons then
        do nothing any more."""
        for key in await self._scripts.list_keys("answer"):
            record = await self._scripts.retry(partial(self._scripts.redis.get, key))
            if record and _decode(unpack(record)).job.user == user:
                await self._scripts.call("DEL", key)

    async def _find_by_key(self, key: str) -> ShownAnswer | None:
        answer = await self._get(key)
        record = answer and await self._get(self._scripts.key("answer", answer.decode()))
        return _decode(unpack(record)) if record else None

    async def _get(self, key: str) -> bytes | None:
        value: bytes | None = await self._scripts.call("GET", key)
        return value


def _id(message: str) -> str:
    return message.rpartition("/")[2]
