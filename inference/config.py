"""The worker's settings: `slots` is the environment variable INFERENCE_SLOTS."""

import argparse
import os
import secrets
import socket
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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


class WorkerSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: f"inference_{name}"
):
    engine: Annotated[
        str,
        Meta(
            description="transformers, llamacpp, openai (which asks other servers) or scripted. "
            "auto: llamacpp if there is no GPU and the model's GGUF is here, else transformers."
        ),
    ] = "auto"
    model: Annotated[str, Meta(description="A known name, a folder or a .gguf file.")] = (
        DEFAULT_MODEL
    )
    slots: Annotated[int, Meta(description="Answers at once. 0: the engine's choice.")] = 0
    context_tokens: Annotated[
        int, Meta(description="At most, below the model's own limit. 0: the engine's choice.")
    ] = 0
    max_tokens: Annotated[
        int, Meta(description="Tokens of an answer whose request names no limit.")
    ] = 1024
    threads: Annotated[int, Meta(description="Threads of the CPU. 0: the engine's choice.")] = 0
    quantize: Annotated[
        Literal["", "8bit", "4bit", "fp8"],
        Meta(
            description="Quantize the weights: 4bit and, on a GPU, 8bit by bitsandbytes for less "
            "memory; fp8 for more speed, on GPUs since 2022 (Ada, Hopper)."
        ),
    ] = ""
    spread: Annotated[
        bool,
        Meta(
            description="Spread the weights over all cards, then memory, then disk, for a model "
            "that one card does not hold. Answers come one at a time."
        ),
    ] = False
    compiled: Annotated[
        bool,
        Meta(description="On a GPU: 7% more tokens per second for a start that takes 20 s longer."),
    ] = False
    system_prompt: Annotated[str, Meta(description="For jobs without a persona.")] = DEFAULT_SYSTEM
    base_urls: Annotated[
        str,
        Meta(
            description="Servers of the `openai` engine, with commas; each with a path such as /v1."
        ),
    ] = ""
    api_key: Annotated[
        str, Meta(description="The key of these servers; better in a file: INFERENCE_API_KEY_FILE.")
    ] = ""
    server: Annotated[
        str,
        Meta(
            description="Kind of these servers: vllm, sglang, lmdeploy, llamacpp or openai. Empty: "
            "detected by their list of models."
        ),
    ] = ""
    vision: Annotated[
        bool, Meta(description="Whether their model sees images; llama.cpp reports this itself.")
    ] = False
    chats: Annotated[
        bool,
        Meta(
            description="false: only questions about images, for a model that can do nothing else."
        ),
    ] = True
    programs: Annotated[
        bool, Meta(description="Run the model's programs if the sandbox holds; /solve needs this.")
    ] = True
    sandbox_socket: Annotated[
        str, Meta(description="Socket of a sandbox service. Empty: a sandbox of this worker's own.")
    ] = ""
    sandbox_slots: Annotated[int, Meta(description="Programs at once; others wait.")] = 4
    dialect: Annotated[
        Literal["", "hermes", "internlm", "fences", "forms", "native"],
        Meta(
            description="How the model calls tools. native: the server of the `openai` engine "
            "parses the calls, and was started to do so. Empty: by the model's name."
        ),
    ] = ""
    arxiv: Annotated[bool, Meta(description="Models may search arXiv.")] = False
    web_search: Annotated[
        str,
        Meta(
            description="Models may search the web by the SearXNG at this address, such as "
            "https://search.example/search."
        ),
    ] = ""
    pictures: Annotated[
        str, Meta(description="Folder of pictures for articles: `python -m inference pictures`.")
    ] = ""
    pictures_model: Annotated[
        str,
        Meta(
            description="SigLIP or a similar model, by a known name or folder: pictures are then "
            "also found by what they show."
        ),
    ] = ""
    worker: Annotated[
        str, Meta(description="This process's name. Empty: host, process and a random part.")
    ] = ""
    summaries: Annotated[
        bool, Meta(description="Summarize older turns before they drop out of the context.")
    ] = True
    drain_s: Annotated[
        float, Meta(description="Seconds that running answers may continue after SIGTERM.")
    ] = 20.0
    stall_s: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds after which a blocked event loop ends the process, so that it is "
            "restarted. 0: never.",
        ),
    ] = 60.0
    metrics_port: Annotated[
        int, Meta(description="Port of /metrics, /healthz and /readyz. 0: not served.")
    ] = 0
    metrics_host: Annotated[str, Meta(description="Address that they are served on.")] = "127.0.0.1"
    log_level: Annotated[str, Meta(description="DEBUG, INFO, WARNING or ERROR.")] = "INFO"


def worker_name(chosen: str) -> str:
    host = "".join(c for c in socket.gethostname() if c.isascii() and (c.isalnum() or c in "-."))
    return chosen or f"{host[:40]}-{os.getpid()}-{secrets.token_hex(3)}"


def add_choices(parser: argparse.ArgumentParser) -> None:
    """The settings that are often chosen by hand."""
    parser.add_argument("--engine", help="auto, transformers, llamacpp, openai or scripted")
    parser.add_argument("--model", help="a known name, a folder or a .gguf file")


def from_arguments(arguments: argparse.Namespace) -> WorkerSettings:
    """The environment's settings, under what the command line says."""
    settings = load_or_exit(WorkerSettings, os.environ)
    given = {name: getattr(arguments, name) for name in ("engine", "model")}
    return msgspec.structs.replace(settings, **{k: v for k, v in given.items() if v is not None})
