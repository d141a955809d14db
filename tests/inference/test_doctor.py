"""`python -m inference doctor` with a real small model and faults provoked."""

import json
import shutil
from pathlib import Path

import pytest

from bench.redis_server import free_port
from common.doctor_report import Finding, Severity
from inference.doctor import examine
from inference.engines.engine_checks import memory
from inference.engines.weight_size import weight_bytes
from inference.models import ModelFiles, model_store

SMALL = {
    "INFERENCE_ENGINE": "transformers",
    "INFERENCE_MODEL": "SmolLM2-135M-Instruct",
    "INFERENCE_PROGRAMS": "false",
}
GIB = 1 << 30


def found(findings: list[Finding], *, faulty: bool = True) -> dict[str, str]:
    """What was found, by what it is about; each fault says what to do."""
    assert all(f.todo for f in findings if f.verdict is not Severity.GOOD)
    return {f.what: f.found for f in findings if (f.verdict is Severity.FAULT) == faulty}


@pytest.mark.model
async def test_a_sound_machine_and_then_an_altered_model(
    smollm2: ModelFiles, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = SMALL | {"REDIS_URL": redis_url, "INFERENCE_METRICS_PORT": str(free_port())}
    findings = await examine(environ, hashes=True)
    assert not found(findings)
    told = found(findings, faulty=False)
    assert told["model"].endswith("every hash is right")
    assert "needed" in told["memory"]
    assert "is read" in told["reading"]
    # One bit of the copied weights is other.
    copy = shutil.copytree(smollm2.folder, tmp_path / smollm2.name)
    weights = next(copy.glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    monkeypatch.setenv("COMMONROOM_MODELS", str(tmp_path))
    assert found(await examine(environ, hashes=True)) == {"model": f"{weights.name} was altered"}


async def test_what_the_operator_got_wrong(redis_url: str, tmp_path: Path) -> None:
    environ = SMALL | {"REDIS_URL": redis_url}
    missing = found(await examine(environ | {"INFERENCE_MODEL": "nothing"}, hashes=True))
    assert list(missing) == ["model"]
    unknown = found(await examine(environ | {"INFERENCE_ENGINE": "steam"}, hashes=True))
    assert unknown == {"engine": "none is called 'steam'"}
    servers = {
        "INFERENCE_ENGINE": "openai",
        "INFERENCE_BASE_URLS": f"http://127.0.0.1:{free_port()}",
    }
    assert list(found(await examine(environ | servers, hashes=True))) == ["servers"]
    wrong = found(await examine(environ | {"INFERENCE_SLOTS": "many"}, hashes=True))
    assert wrong == {"settings": "INFERENCE_SLOTS: expected `int`, got `str`"}
    sandbox = {
        "INFERENCE_ENGINE": "scripted",
        "INFERENCE_PROGRAMS": "true",
        "INFERENCE_SANDBOX_SOCKET": str(tmp_path / "none"),
    }
    assert list(found(await examine(environ | sandbox, hashes=True))) == [
        "sandbox: service, and a program by it"
    ]


def test_memory_against_what_a_model_needs() -> None:
    assert memory("GPU", 70 * GIB, 80 * GIB, 20 * GIB).verdict is Severity.GOOD
    assert memory("GPU", 10 * GIB, 80 * GIB, 20 * GIB).verdict is Severity.WARNING
    assert memory("GPU", 10 * GIB, 16 * GIB, 20 * GIB).verdict is Severity.FAULT


@pytest.mark.model
def test_weights_are_counted_in_bfloat16(smollm2: ModelFiles) -> None:
    manifest = json.loads((smollm2.folder / model_store.MANIFEST).read_bytes())
    stored = sum(f["size"] for n, f in manifest["files"].items() if n.endswith(".safetensors"))
    assert weight_bytes(smollm2.folder) == pytest.approx(stored, rel=0.01)
