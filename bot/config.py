"""The bot's settings; each is the environment variable of the same name in capitals."""

from typing import Annotated, Literal

import msgspec


class Settings(msgspec.Struct, frozen=True):
    # From https://discord.com/developers/applications, under Bot.
    discord_token: str
    # Empty: the embedded server of this user.
    redis_url: Annotated[str, msgspec.Meta(pattern="^(rediss?(\\+cluster)?://|unix://|$)")] = ""
    # Another base URL in place of Discord's, as proxies and the playground need.
    discord_api: Annotated[str, msgspec.Meta(pattern="^(https?://|$)")] = ""
    commonroom_reader: str = "bot-0"  # this process's name in the queue; unique per process
    commonroom_message_content: bool = False  # ask for the privileged intent of that name
    # Of a question; longer ones are refused.
    commonroom_max_prompt_chars: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 6_000
    # Questions of one person in one server; admins may decide otherwise. 0: as many as they like.
    commonroom_per_minute: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 60
    # The same, in a day.
    commonroom_per_day: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    commonroom_metrics_port: int = 0  # /metrics, /healthz and /readyz; 0 is nowhere
    commonroom_metrics_host: str = "127.0.0.1"  # 0.0.0.0 in a container
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
