"""`models check` and `models list`, as an operator reads them."""

import argparse
import asyncio
from pathlib import Path

import pytest

from inference.models import ModelError, cli, integrity, pull, resolve
from tests.inference.models.conftest import NAME, WEIGHTS, FakeHub

pytestmark = pytest.mark.usefixtures("store_root")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["models", *words])
    code: int = arguments.run(arguments)
    return code


@pytest.fixture
async def pulled(hub: FakeHub) -> Path:
    return (await asyncio.to_thread(pull, NAME, source="hub")).folder


async def test_one_flipped_bit_is_found(pulled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 0
    assert capsys.readouterr().out == f"{NAME}: ok\n"
    weights = bytearray((pulled / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (pulled / WEIGHTS).write_bytes(weights)

    assert run("check", NAME) == 1

    said = capsys.readouterr().out
    assert f"{WEIGHTS} was altered" in said
    assert f"models pull {NAME} --again" in said


async def test_a_lost_file_is_known_before_serving(pulled: Path) -> None:
    (pulled / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=f"models pull {NAME}"):
        resolve(NAME)
    assert run("check") == 1
    assert (await asyncio.to_thread(pull, NAME, source="hub")).folder == pulled
    assert integrity.altered_files(pulled) == []


async def test_a_broken_manifest_is_repaired_by_a_pull(pulled: Path) -> None:
    (pulled / "commonroom.json").write_text("{")
    with pytest.raises(ModelError, match=f"models pull {NAME}"):
        resolve(NAME)
    await asyncio.to_thread(pull, NAME, source="hub")
    assert resolve(NAME).folder == pulled


async def test_a_model_without_a_chat_template_is_a_fault(pulled: Path) -> None:
    (pulled / "chat_template.jinja").unlink()
    assert any("no chat template" in fault for fault in integrity.unloadable(pulled))


def test_list_tells_name_licence_and_place(
    tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pull(str(tiny_model))
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    (known,) = [line for line in lines if line.startswith("InternLM3-8B-Instruct")]
    assert "Apache-2.0" in known
    assert known.endswith("-")
    (own,) = [line for line in lines if line.startswith("tiny-llama")]
    assert own.endswith(str(tiny_model.resolve()))


def test_a_failed_pull_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pull", "no-such-model") == 1
    out, said = capsys.readouterr()
    assert out == ""
    assert said.count("\n") == 1
    assert run("check", "no-such-model") == 1
