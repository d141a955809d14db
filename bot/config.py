"""The bot's settings; each is the environment variable of the same name in capitals."""

from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from jobqueue.address import parse_redis_url


class BotSettings(msgspec.Struct, frozen=True):
    discord_token: Annotated[
        str, Meta(description="From https://discord.com/developers/applications, under Bot.")
    ]
    redis_url: Annotated[
        str, Meta(description="The queue's Redis. Empty: the embedded server of this user.")
    ] = ""
    discord_api: Annotated[
        str,
        Meta(
            pattern="^(https?://|$)",
            description="A base URL in place of Discord's, for proxies and the playground.",
        ),
    ] = ""
    commonroom_reader: Annotated[
        str,
        Meta(
            description="This process's name in the queue; each process needs its own. "
            "Empty: named after its first shard."
        ),
    ] = ""
    commonroom_shards: Annotated[
        str,
        Meta(
            pattern=r"^(\d+(-\d+)?/\d+)?$",
            description='The shards that this process serves of a large bot: "0-3/16" is shards 0 '
            "to 3 of 16. Empty: all of them, as many as Discord recommends.",
        ),
    ] = ""
    commonroom_message_content: Annotated[
        bool, Meta(description="Ask Discord for the privileged intent of that name.")
    ] = False
    commonroom_max_prompt_chars: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Characters of a question; longer ones are refused."),
    ] = 6_000
    commonroom_per_minute: Annotated[
        int,
        Meta(
            ge=0,
            le=10_000,
            description="Questions of one person in one server per minute, unless the server's "
            "admins set another number. 0: no limit.",
        ),
    ] = 60
    commonroom_per_day: Annotated[int, Meta(ge=0, le=10_000, description="The same per day.")] = 500
    commonroom_tokens_per_day: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000_000,
            description="Tokens of one person's questions and answers per day. 0: no limit.",
        ),
    ] = 2_000_000
    commonroom_megabytes_per_day: Annotated[
        int,
        Meta(
            ge=0, le=1_000_000, description="Megabytes of one person's files per day. 0: no limit."
        ),
    ] = 200
    commonroom_stall_s: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds after which a blocked event loop ends the process, so that it is "
            "restarted. 0: never.",
        ),
    ] = 60.0
    commonroom_queue_memory: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Megabytes that Redis may use if it has no maxmemory. 0: three quarters of "
            "its machine's memory.",
        ),
    ] = 0
    commonroom_metrics_port: Annotated[
        int, Meta(description="Port of /metrics, /healthz and /readyz. 0: not served.")
    ] = 0
    commonroom_metrics_host: Annotated[
        str, Meta(description="Address that they are served on; 0.0.0.0 in a container.")
    ] = "127.0.0.1"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def __post_init__(self) -> None:
        if self.redis_url:
            parse_redis_url(self.redis_url)
        if self.shards and not 0 <= self.shards.first <= self.shards.last < self.shards.of:
            raise ValueError(f"COMMONROOM_SHARDS: {self.commonroom_shards} names no shards")

    @property
    def shards(self) -> "Shards | None":
        """The shards of this process, or None for all."""
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
