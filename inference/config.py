"""What an operator can set: `slots` is the environment variable INFERENCE_SLOTS."""

import argparse
import os
import secrets
import socket
from typing import Annotated, Literal

import msgspec

from common.settings import load_or_exit

# Whatever is loaded later, nothing here may reach for a model hub: models are brought to this
# machine by `python -m inference models pull`, and by nothing else. huggingface_hub reads this
# once, when it is imported.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

DEFAULT_MODEL = "Qwen2.5-Coder-0.5B-Instruct"
DEFAULT_SYSTEM = (
    "You are a helpful assistant in a chat room. Be brief and answer in the user's language."
)

# What other parts of the service read for themselves.
ALSO = (
    ("REDIS_URL", "Where the queue is; empty: the embedded server of this user."),
    ("COMMONROOM_MODELS", "Where models lie; empty: ~/.cache/commonroom/models."),
    ("COMMONROOM_SANDBOX", "Where the interpreter of models' programs lies."),
    ("HF_ENDPOINT", "Another hub in place of https://huggingface.co, for `models pull`."),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: f"inference_{name}"):
    # transformers; llamacpp; openai, which asks other servers; or scripted. By itself, llamacpp
    # where there is no GPU and the model's GGUF is here, else transformers.
    engine: str = "auto"
    model: str = DEFAULT_MODEL  # a known name, a folder or a .gguf file
    slots: int = 0  # answers at once; 0 is the engine's own choice
    context_tokens: int = 0  # at most, under the model's own limit; 0 is the engine's own choice
    max_tokens: int = 1024  # of an answer whose request names none
    threads: int = 0  # of the CPU; 0 is the engine's own choice
    quantize: Literal["", "8bit", "4bit"] = (
        ""  # the weights; but for 8 on a CPU, bitsandbytes' work
    )
    # Weights over all cards, then memory, then disk, for a model that one card does not hold;
    # answers come one at a time.
    spread: bool = False
    compiled: bool = False  # on a GPU: a fourteenth more tokens a second for 20 s more to start
    system_prompt: str = DEFAULT_SYSTEM  # for jobs that bring no persona
    # The `openai` engine's servers, with commas between them; a path such as /v1 belongs to each.
    base_urls: str = ""
    api_key: str = ""  # or, better, a file: INFERENCE_API_KEY_FILE
    server: str = ""  # vllm, sglang, lmdeploy, llamacpp or openai; empty: as its models say
    vision: bool = False  # its model sees pictures; llama.cpp says so itself
    chats: bool = True  # no: questions about pictures only, for a model that knows nothing else
    programs: bool = True  # run models' programs, where the sandbox holds: what /solve needs
    sandbox_socket: str = ""  # of a sandbox service; empty: a sandbox of this worker's own
    sandbox_slots: int = 4  # programs at once; the others wait
    # How the model calls tools: hermes, internlm, fences or forms; empty: as its name tells;
    # native: the `openai` engine's server parses them, where it was started so.
    dialect: Literal["", "hermes", "internlm", "fences", "forms", "native"] = ""
    arxiv: bool = False  # models may search arXiv
    # And the web, with a SearXNG at this address, as https://search.example/search
    web_search: str = ""
    pictures: str = ""  # a folder of pictures for articles: `python -m inference pictures`
    # SigLIP or the like, a known name or a folder: pictures are then also found by what they show.
    pictures_model: str = ""
    worker: str = ""  # this process's name; empty is host, process and a random part
    summaries: bool = True  # of older turns, before they drop out of the context
    drain_s: float = 20.0  # how long running answers may go on after SIGTERM
    # An event loop that stands still for so long ends the process, for it to be started again;
    # 0: never.
    stall_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    metrics_port: int = 0  # /metrics, /healthz and /readyz; 0 is nowhere
    metrics_host: str = "127.0.0.1"
    log_level: str = "INFO"


def worker_name(chosen: str) -> str:
    host = "".join(c for c in socket.gethostname() if c.isascii() and (c.isalnum() or c in "-."))
    return chosen or f"{host[:40]}-{os.getpid()}-{secrets.token_hex(3)}"


def add_choices(parser: argparse.ArgumentParser) -> None:
    """The settings that are often chosen by hand."""
    parser.add_argument("--engine", help="auto, transformers, llamacpp, openai or scripted")
    parser.add_argument("--model", help="a known name, a folder or a .gguf file")


def chosen(arguments: argparse.Namespace) -> Settings:
    """The environment's settings, under what the command line says."""
    settings = load_or_exit(Settings, os.environ)
    given = {name: getattr(arguments, name) for name in ("engine", "model")}
    return msgspec.structs.replace(settings, **{k: v for k, v in given.items() if v is not None})
