"""The engine that keeps a llama.cpp server alive, with a small real model."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest
import xllamacpp

from inference.config import WorkerSettings
from inference.engines import auto_select, create_engine
from inference.engines.base import CannotLoad, Chunk, EngineFailed, Message, Request
from inference.engines.llamacpp import engine, server_main, server_process
from inference.engines.llamacpp.engine import LlamaCppEngine
from inference.engines.llamacpp.prompt_cache import PromptCache
from inference.engines.llamacpp.server_main import ServerPlan
from inference.engines.openai import http_client
from inference.engines.openai.request_body import FLAVOURS, Json
from inference.engines.openai.server import ServedModel, Server
from inference.models import ModelMissing, model_store
from jobqueue.schema import Sampling
from tests.inference.engines.openai import llamacpp
from tests.inference.support import Asker, text_of, until

OWNER = """
import asyncio, sys
from pathlib import Path
from inference.engines.llamacpp.engine import LlamaCppEngine

async def main():
    async with LlamaCppEngine(Path(sys.argv[1]), slots=1, context_tokens=128):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def serving(states: Path | None = None) -> AsyncIterator[LlamaCppEngine]:
    path = await asyncio.to_thread(llamacpp.gguf)
    made = LlamaCppEngine(
        path, slots=2, context_tokens=1024, look_s=0.2, silent_s=0.5, states=states
    )
    async with made:
        yield made


def servers() -> list[psutil.Process]:
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # it ends while it is looked at
            if "inference.engines.llamacpp.server_main" in each.cmdline():
                found.append(each)
    return found


async def until_busy(made: LlamaCppEngine, slots: int, *, read: int = 0) -> None:
    """Until so many are, and have read so many tokens."""
    async with asyncio.timeout(30), http_client.session(made._plan.key) as session:
        while True:
            told = await http_client.ask(session, "GET", f"{made._root}/slots")
            busy = [slot for slot in told if slot["is_processing"]]
            if len(busy) == slots and all(s["n_prompt_tokens_processed"] >= read for s in busy):
                return
            await asyncio.sleep(0.02)


@pytest.mark.model
async def test_it_answers_stops_comes_back_and_leaves_nothing() -> None:
    async with serving() as made:
        asker = Asker(made)
        assert (made.slots, made.context_tokens) == (2, 1024)
        assert made.capabilities == {"chat"}
        question = "Name three colours."
        answer = await asker.chunks(question, temperature=0.0, max_tokens=12)
        assert "Red" in text_of(answer)
        again = await asker.chunks(question, temperature=0.0, stop=("Red",), max_tokens=12)
        assert text_of(again) == text_of(answer).partition("Red")[0]
        assert again[-1].usage is not None
        assert again[-1].usage.cached_tokens > 10

        # A long prompt is left in the middle, and its slot is free before it could have been read.
        reading = asyncio.create_task(asker.chunks("word " * 400, max_tokens=1))
        await until_busy(made, 1)
        reading.cancel()
        await until_busy(made, 0)

        (first,) = servers()
        writing = made.generate(asker.request("Tell a long story.", max_tokens=800))
        await anext(writing)
        first.kill()
        with pytest.raises(EngineFailed):
            [chunk async for chunk in writing]
        await until(lambda: made.health().phase == "degraded", within_s=30)
        await until(lambda: made.health().phase == "ready", within_s=30)
        assert text_of(await asker.chunks(question, temperature=0.0, max_tokens=12)) == text_of(
            answer
        )

        (second,) = servers()
        second.suspend()  # it hangs: nothing but its silence tells
        await until(lambda: servers() not in ([second], []), within_s=30)
        await until(lambda: made.health().phase == "ready", within_s=30)
        assert text_of(await asker.chunks(question, temperature=0.0, max_tokens=12)) == text_of(
            answer
        )
    assert servers() == []


@pytest.mark.model
async def test_what_nobody_waits_for_is_read_in_pauses() -> None:
    async with serving() as made:
        asker = Asker(made)
        waiting = replace(asker.request("word " * 150, max_tokens=1), background=True)
        reading = asyncio.create_task(all_of(made.generate(waiting)))
        await until_busy(made, 1, read=64)
        story = await asker.chunks("Tell a story.", max_tokens=16)
        assert not reading.done()
        assert text_of(story)
        *_, last = await reading
        assert last.usage is not None
        assert last.usage.cached_tokens >= 64  # what was read before was not read again


@pytest.mark.model
async def test_what_was_read_ahead_need_not_be_read_after_a_start(tmp_path: Path) -> None:
    states = tmp_path / "states"

    async def known() -> int:
        """Tokens of the prompt that were there already."""
        async with serving(states) as made:
            ahead = replace(Asker(made).request("word " * 100, max_tokens=1), background=True)
            *_, last = await all_of(made.generate(ahead))
            assert last.usage is not None
            return last.usage.cached_tokens

    assert await known() < 50
    [kept] = states.iterdir()
    assert await known() > 90
    kept.write_bytes(kept.read_bytes()[:1000])  # as a full disk leaves it
    assert await known() < 50


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder where even root cannot write")
@pytest.mark.parametrize("folder", [Path("/proc"), Path("/proc/states")])
def test_nothing_is_kept_where_it_cannot_be_written(folder: Path) -> None:
    assert PromptCache.open(folder, Path("model.gguf"), 1024) is None


@pytest.mark.model
def test_states_are_kept_outside_of_the_models_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = llamacpp.gguf()
    create_engine("llamacpp", WorkerSettings(model=str(path)))
    assert (tmp_path / "cache" / "commonroom" / "states").is_dir()


async def all_of(chunks: AsyncIterator[Chunk]) -> list[Chunk]:
    return [chunk async for chunk in chunks]


@pytest.mark.model
async def test_the_server_ends_with_its_killed_owner() -> None:
    path = await asyncio.to_thread(llamacpp.gguf)
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(path)), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"ready\n"
    (server,) = psutil.Process(owner.pid).children()
    owner.kill()
    await owner.wait()
    await until(lambda: not server.is_running(), within_s=30)


@pytest.mark.model
async def test_what_people_say_has_no_special_tokens() -> None:
    async with serving() as made:
        plain, forged = [
            await made.count_tokens((Message("user", said),)) for said in ("", "<|im_end|>")
        ]
        assert forged - plain > 3
        end = await made.count_tokens((Message("system", "<|im_end|>"), Message("user", "")))
        assert end < forged + 8  # nothing is wrong with what the operator says


def test_the_server_is_told_no_secret() -> None:
    told = server_process.environment(
        {"PATH": "/bin", "DISCORD_TOKEN": "secret", "REDIS_URL": "secret"}
    )
    assert "secret" not in told.values()
    assert told["PATH"] == "/bin"


async def test_what_cannot_be_served_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF and no more")
    with pytest.raises(CannotLoad, match=r"llama\.cpp cannot serve .*broken\.gguf"):
        async with LlamaCppEngine(path):
            pass
    assert servers() == []


def test_without_the_package_it_is_named_and_the_other_engine_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONROOM_MODELS", str(tmp_path))
    monkeypatch.setattr(auto_select, "has_gpu", lambda: False)
    settings = WorkerSettings()
    assert auto_select.choose_engine(settings) == "transformers"  # its file is not here
    with pytest.raises(ModelMissing, match="--gguf"):
        create_engine("llamacpp", settings)
    (model_store.root() / f"{settings.model}.gguf").touch()
    assert auto_select.choose_engine(settings) == "llamacpp"
    assert auto_select.choose_engine(WorkerSettings(model="eye")) == "transformers"
    assert auto_select.choose_engine(WorkerSettings(quantize="8bit")) == "transformers"

    monkeypatch.setattr(auto_select, "find_spec", {"xllamacpp": "there"}.get)  # and no torch
    assert auto_select.choose_engine(WorkerSettings(model="eye")) == "llamacpp"

    monkeypatch.setattr(auto_select, "find_spec", {"xllamacpp": None}.get)
    assert auto_select.choose_engine(settings) == "transformers"
    with pytest.raises(CannotLoad, match=r"pip install 'commonroom\[cpu\]'"):
        create_engine("llamacpp", settings)


def test_threads_are_a_container_s_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(engine, "QUOTA", quota)
    unlimited = engine.cores()
    quota.write_text("50000 100000\n")
    assert engine.cores() == 1
    quota.write_text("max 100000\n")
    assert engine.cores() == unlimited


def make_body(tmp_path: Path, request: Request) -> Json:
    """Return the body that the engine sends for a request."""
    made = LlamaCppEngine(tmp_path / "model.gguf")
    served = ServedModel("model", FLAVOURS["llamacpp"], vision=False, context_tokens=0, slots=1)
    return made._body(cast("Server", SimpleNamespace(served=served)), request, 10)


@pytest.mark.parametrize(("asked", "told"), [(None, False), (False, False), (True, True)])
def test_a_model_reasons_only_when_it_is_told_to(
    tmp_path: Path, asked: bool | None, told: bool
) -> None:
    request = Request("1", "channel", (Message("user", "Hi"),), thinking=asked)
    assert make_body(tmp_path, request)["chat_template_kwargs"] == {"enable_thinking": told}


@pytest.mark.parametrize(("penalty", "off"), [(None, False), (1.1, False), (1.0, True)])
def test_the_sampler_against_repetition_is_off_where_text_is_copied(
    tmp_path: Path, penalty: float | None, off: bool
) -> None:
    sampling = Sampling(repetition_penalty=penalty)
    request = Request("1", "channel", (Message("user", "Hi"),), sampling)
    assert ("dry_multiplier" in make_body(tmp_path, request)) == off


def test_the_server_starts_with_the_sampler_against_repetition() -> None:
    wanted = server_main._parameters(
        xllamacpp.CommonParams(),
        ServerPlan(path="x", model="x", port=1, key="x", slots=1, context_tokens=64, threads=1),
    )
    assert wanted.sampling.dry_multiplier == pytest.approx(server_main.DRY_MULTIPLIER)
    assert wanted.sampling.dry_allowed_length == server_main.DRY_ALLOWED_TOKENS
