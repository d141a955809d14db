"""The bot's settings; each is the environment variable of the same name in capitals."""

from typing import Annotated, Literal, NamedTuple

import msgspec

from jobqueue.address import parse_redis_url


class Settings(msgspec.Struct, frozen=True):
    # From https://discord.com/developers/applications, under Bot.
    discord_token: str
    # Empty: the embedded server of this user.
    redis_url: str = ""
    # Another base URL in place of Discord's, as proxies and the playground need.
    discord_api: Annotated[str, msgspec.Meta(pattern="^(https?://|$)")] = ""
    # This process's name in the queue, another one in each. Empty: after its first shard.
    commonroom_reader: str = ""
    # The servers that this process serves of a large bot: "0-3/16" is shards 0 to 3 of 16.
    # Empty: all of them, in as many shards as Discord recommends.
    commonroom_shards: Annotated[str, msgspec.Meta(pattern=r"^(\d+(-\d+)?/\d+)?$")] = ""
    commonroom_message_content: bool = False  # ask for the privileged intent of that name
    # Of a question; longer ones are refused.
    commonroom_max_prompt_chars: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 6_000
    # Questions of one person in one server; admins may decide otherwise. 0: as many as they like.
    commonroom_per_minute: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 60
    # The same, in a day.
    commonroom_per_day: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 500
    # Tokens of their questions and answers, in a day.
    commonroom_tokens_per_day: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 2_000_000
    # Of their files, in a day.
    commonroom_megabytes_per_day: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 200
    # An event loop that stands still for so long ends the process, for it to be started again;
    # 0: never.
    commonroom_stall_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    # Megabytes that Redis may use where it has no maxmemory. 0: three quarters of its machine's.
    commonroom_queue_memory: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    commonroom_metrics_port: int = 0  # /metrics, /healthz and /readyz; 0 is nowhere
    commonroom_metrics_host: str = "127.0.0.1"  # 0.0.0.0 in a container
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def __post_init__(self) -> None:
        if self.redis_url:
            parse_redis_url(self.redis_url)
        if self.shards and not 0 <= self.shards.first <= self.shards.last < self.shards.of:
            raise ValueError(f"COMMONROOM_SHARDS: {self.commonroom_shards} names no shards")

    @property
    def shards(self) -> "Shards | None":
        """None: every one."""
        if not self.commonroom_shards:
            return None
        ids, _, count = self.commonroom_shards.partition("/")
        first, _, last = ids.partition("-")
        return Shards(int(first), int(last or first), int(count))

    @property
    def reader(self) -> str:
        return self.commonroom_reader or f"bot-{self.shards.first if self.shards else 0}"


class Shards(NamedTuple):
    first: int
    last: int
    of: int  # of all processes together

    @property
    def ids(self) -> list[int]:
        return list(range(self.first, self.last + 1))
