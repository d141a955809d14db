"""A hub on the loopback that can stall, cut, and lie; and a model small enough to serve from it."""

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
NAME = "SmolLM2-135M-Instruct"
WEIGHTS = "model.safetensors"


@pytest.fixture
def store_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model folder of this test's own."""
    root = tmp_path / "models"
    monkeypatch.setenv("COMMONROOM_MODELS", str(root))
    return root


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole chat model with random weights, 1 MB, as save_pretrained writes it."""
    folder = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    subprocess.run([sys.executable, "-c", MAKE_TINY, str(folder)], check=True, capture_output=True)
    return folder


MAKE_TINY = """
import sys, torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
folder = sys.argv[1]
words = {word: number for number, word in enumerate(["<unk>", "<eos>", "hello", "world"])}
tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<eos>")
fast.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
fast.save_pretrained(folder)
torch.manual_seed(0)
LlamaForCausalLM(LlamaConfig(
    vocab_size=1024, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2,
)).save_pretrained(folder)
"""


@dataclass
class FakeHub:
    """Both hubs' protocols, for one model. What it does wrong is set by the test."""

    folder: Path
    url: str = ""
    stall_at: dict[str, int] = field(default_factory=dict)  # path: bytes before the stall
    cut_at: dict[str, int] = field(default_factory=dict)  # path: bytes before each hang-up
    corrupt: set[str] = field(default_factory=set)
    claimed_size: dict[str, int] = field(default_factory=dict)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[str, int]] = field(default_factory=list)  # path and first byte

    def app(self) -> web.Application:
        app = web.Application()
        hub, scope = f"/{HUB_ID}", f"/api/v1/models/{HUB_ID}/repo"
        app.router.add_get(f"/api/models/{HUB_ID}", self.hub_listing)
        app.router.add_get(hub + "/resolve/" + COMMIT + "/{path}", self.hub_file)
        app.router.add_get(f"{scope}/files", self.modelscope_listing)
        app.router.add_get(scope, self.modelscope_file)
        return app

    async def hub_listing(self, _: web.Request) -> web.Response:
        siblings = []
        for path in self._files():
            size = self.claimed_size.get(path.name, path.stat().st_size)
            entry: dict[str, object] = {"rfilename": path.name, "size": size}
            if path.name == WEIGHTS:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": size}
            else:
                entry["blobId"] = git_blob(path.read_bytes())
            siblings.append(entry)
        siblings.append({"rfilename": "modeling_evil.py", "size": 10, "blobId": "0" * 40})
        siblings.append({"rfilename": "../escape.json", "size": 10, "blobId": "0" * 40})
        return web.json_response({"id": HUB_ID, "sha": COMMIT, "siblings": siblings})

    async def modelscope_listing(self, _: web.Request) -> web.Response:
        files = [
            {
                "Path": path.name,
                "Type": "blob",
                "Size": path.stat().st_size,
                "Sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "CommittedDate": 1_700_000_000,
                "Revision": COMMIT,
            }
            for path in self._files()
        ]
        return web.json_response({"Code": 200, "Data": {"Files": files}})

    async def hub_file(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, request.match_info["path"])

    async def modelscope_file(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, request.query["FilePath"])

    async def _serve(self, request: web.Request, name: str) -> web.StreamResponse:
        content = (self.folder / name).read_bytes()
        if name in self.corrupt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        begin = request.http_range.start or 0
        self.asked.append((name, begin))
        response = web.StreamResponse(status=206 if begin else 200)
        response.content_length = len(content) - begin
        await response.prepare(request)
        if (stall := self.stall_at.get(name)) is not None and begin < stall:
            await response.write(content[begin:stall])
            begin = stall
            await self.released.wait()
        if (step := self.cut_at.get(name)) is not None and begin + step < len(content):
            await response.write(content[begin : begin + step])
            assert request.transport is not None
            request.transport.close()  # orderly, so that what was sent arrives
            return response
        await response.write(content[begin:])
        return response

    def _files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


def git_blob(content: bytes) -> str:
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


@pytest_asyncio.fixture
async def hub(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeHub]:
    fake = FakeHub(tiny_model)
    runner = web.AppRunner(fake.app(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    fake.url = f"http://{host}:{port}"
    monkeypatch.setenv("HF_ENDPOINT", fake.url)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", fake.url)
    yield fake
    fake.released.set()
    await runner.cleanup()


class Pulling:
    """A pull in a process of its own, as an operator starts it; its progress is read as JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, *arguments: str) -> "Pulling":
        command = (sys.executable, "-m", "inference", "models", "pull", *arguments)
        return cls(
            await asyncio.create_subprocess_exec(
                *command,
                "--progress",
                "json",
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        )

    async def until(self, stage: str) -> dict[str, object]:
        """The first report of `stage`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            async for line in self.process.stdout:
                report: dict[str, object] = json.loads(line)
                if report["stage"] == stage:
                    return report
        raise AssertionError(f"the pull ended before {stage}")

    async def end(self) -> tuple[int, str]:
        """Exit code and what was said on stderr."""
        async with asyncio.timeout(60):
            _, said = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


async def until_size(path: Path, size: int) -> None:
    """Wait until `path` has `size` bytes."""
    async with asyncio.timeout(60):
        while not path.exists() or path.stat().st_size < size:  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.01)
