"""The services as they are described for Docker, where none of them can run."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from bench.redis_server import RedisServer, free_port
from bot.config import BotSettings
from common.doctor_report import Finding, Severity
from common.metrics_server import serve_metrics
from inference.config import WorkerSettings
from jobqueue.doctor_checks import check_redis_server
from jobqueue.embedded_redis import find_binary
from tests.deploy.composed import CPU, MAIN, PROJECT, VLLM, Json, merged, read, script, services

OURS: dict[str, type[msgspec.Struct]] = {
    "bot": BotSettings,
    "inference": WorkerSettings,
    "second": WorkerSettings,
}
FOREIGN = {"prometheus", "grafana", "traces", "vllm"}


@pytest.mark.parametrize(
    "files", [(MAIN,), (MAIN, VLLM), (MAIN, CPU)], ids=["main", "with vLLM", "without a GPU"]
)
def test_the_files_are_what_the_specification_describes(files: tuple[Path, ...]) -> None:
    """compose-spec.json is https://github.com/compose-spec/compose-go, schema/, of July 2026."""
    schema = json.loads((PROJECT / "tests/deploy/compose-spec.json").read_bytes())
    whole: Json = {}
    for path in files:
        whole = merged(whole, read(path))
    jsonschema.validate(whole, schema)
    used = {v.split(":")[0] for s in whole["services"].values() for v in s.get("volumes", ())}
    assert {name for name in used if not name.startswith(".")} == set(whole["volumes"])
    secret = {name for s in whole["services"].values() for name in s.get("secrets", ())}
    assert secret == set(whole["secrets"])
    joined = {name for s in whole["services"].values() for name in s.get("networks", ())}
    assert joined == set(whole["networks"])


@pytest.mark.parametrize(
    ("name", "service"), [*services(MAIN, VLLM).items(), *services(MAIN, CPU).items()]
)
def test_each_service_is_held(name: str, service: Json) -> None:
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    if name != "vllm":
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    if name not in FOREIGN | {"models"}:
        assert service["healthcheck"]
        assert service["stop_grace_period"]
    for wanted in service.get("depends_on", ()):
        assert wanted in services(MAIN, VLLM)


def test_who_reaches_whom() -> None:
    all_services = services(MAIN)
    assert all_services["sandbox"]["network_mode"] == "none"
    assert all_services["sandbox"]["user"] == "60700:60700"
    assert all_services["redis"]["networks"] == all_services["inference"]["networks"] == ["queue"]
    assert read(MAIN)["networks"]["queue"]["internal"] is True
    assert "discord_token" not in all_services["inference"]["secrets"]


@pytest.mark.parametrize("other", [VLLM, CPU], ids=["with vLLM", "without a GPU"])
@pytest.mark.parametrize("name", ["bot", "inference"])
def test_every_variable_is_a_setting(name: str, other: Path) -> None:
    known = {field.encode_name.upper() for field in msgspec.structs.fields(OURS[name])}
    given = services(MAIN, other)[name]["environment"]
    assert {variable.removesuffix("_FILE") for variable in given} <= known | {"REDIS_URL"}
    values = {k.lower(): v for k, v in given.items() if not k.endswith("_FILE")}
    required = {"discord_token": "t"} if name == "bot" else {}
    msgspec.convert(required | values, OURS[name], strict=False)


@pytest.mark.parametrize("other", [VLLM, CPU], ids=["with vLLM", "without a GPU"])
def test_the_worker_needs_no_gpu(other: Path) -> None:
    assert "deploy" not in services(MAIN, other)["inference"]
    assert services(MAIN)["inference"]["deploy"]


def test_without_a_gpu_models_come_by_the_worker_s_image() -> None:
    built = {name: service.get("build") for name, service in services(MAIN, CPU).items()}
    assert built["inference"] == built["models"] == {"context": ".", "target": "cpu"}


def test_a_second_model_has_a_worker_and_a_gpu_of_its_own() -> None:
    workers = [dict(services(MAIN)[name]) for name in ("inference", "second")]
    first, second = (
        (w.pop("env_file"), w.pop("deploy")["resources"]["reservations"]["devices"], w)
        for w in workers
    )
    assert [file["path"] for file in second[0]] == ["inference.env", "second.env"]
    assert first[1][0]["count"] == 1
    assert second[1][0]["device_ids"] == ["1"]
    assert second[2].pop("profiles") == ["second"]
    assert first[2] == second[2]


def test_images_run_as_nobody_in_particular() -> None:
    text = (PROJECT / "Dockerfile").read_text("utf-8")
    for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]:
        if "ENTRYPOINT" not in stage:  # of what the images are made
            continue
        *_, user = re.findall(r"^USER (\S+)", stage, re.MULTILINE)
        assert user in ("10001", "60700:60700")
        assert stage.index("USER ") < stage.index("ENTRYPOINT ")
    targets = set(re.findall(r"^FROM base AS (\w+)", text, re.MULTILINE)) - {"programs"}
    all_services = [*services(MAIN).values(), *services(MAIN, CPU).values()]
    assert {s["build"]["target"] for s in all_services if "build" in s} == targets
    for folder in re.findall(r"^COPY (\S+) \./", text, re.MULTILINE):
        assert (PROJECT / folder).exists()


# --- images by digest ----------------------------------------------------------------------------

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def pinning(tmp_path: Path) -> Path:
    """A copy of the files, and a `docker` that knows a digest of every image but one."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "bin").mkdir()
    for path in (MAIN, CPU, VLLM, PROJECT / "Dockerfile"):
        shutil.copy(path, tmp_path / path.relative_to(PROJECT))
    docker = tmp_path / "bin" / "docker"
    docker.write_text(f"#!/bin/sh\n[ -e {tmp_path}/away ] && echo lost && exit 1\necho {DIGEST}\n")
    docker.chmod(0o755)
    return tmp_path


def pin(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(PROJECT / "deploy" / "pin.sh"), *arguments, str(folder)],
        env={"PATH": f"{folder / 'bin'}:/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_images_are_pinned_by_digest_and_that_is_checked(pinning: Path) -> None:
    (pinning / ".env").write_text("OTHER=kept\nVALKEY_IMAGE=valkey/valkey:8.1-alpine\n")
    loose = pin(pinning, "--check")
    assert loose.returncode == 1
    assert "VALKEY_IMAGE (valkey/valkey:8.1-alpine)" in loose.stderr
    assert pin(pinning).returncode == 0
    kept, *lines = (pinning / ".env").read_text().splitlines()
    assert kept == "OTHER=kept"
    named = dict(line.split("=", 1) for line in lines)
    assert named["PYTHON_IMAGE"] == f"python:3.12-slim@{DIGEST}"
    used = [*services(MAIN, VLLM).values(), *services(MAIN, CPU).values()]
    images = {each["image"] for each in used if "image" in each}
    assert {image.partition("@")[0] for image in named.values()} == images | {"python:3.12-slim"}
    assert pin(pinning, "--check").returncode == 0
    # What the shell names wins in Compose, and here.
    assert pin(pinning, "--check", VALKEY_IMAGE="valkey/valkey:latest").returncode == 1


def test_a_registry_that_is_away_changes_nothing(pinning: Path) -> None:
    (pinning / ".env").write_text("OTHER=kept\n")
    (pinning / "away").touch()
    assert pin(pinning).returncode != 0
    assert (pinning / ".env").read_text() == "OTHER=kept\n"


def test_every_image_is_named_by_a_variable() -> None:
    """So that it can be pinned without a change of the files."""
    for path in (MAIN, CPU, VLLM):
        for image in re.findall(r"^\s+image: (.*)$", path.read_text("utf-8"), re.MULTILINE):
            assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[^}]+:[^}]+\}", image)
    dockerfile = (PROJECT / "Dockerfile").read_text("utf-8")
    named = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert set(named) == {"${PYTHON_IMAGE}", "base", "scratch"}


# --- secrets, and the server that they are for ---------------------------------------------------


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `deploy/init.sh` makes."""
    folder = tmp_path_factory.mktemp("deploy")
    init(folder, "a.bot.token")
    return folder / "secrets"


def init(folder: Path, token: str) -> str:
    command = ["/bin/sh", str(PROJECT / "deploy/init.sh"), str(folder)]
    return subprocess.run(
        command, input=f"{token}\n", check=True, capture_output=True, text=True
    ).stdout


def test_secrets_are_made_once_and_are_private(secrets: Path) -> None:
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    assert set(made) == set(read(MAIN)["secrets"])
    assert made["discord_token"] == "a.bot.token\n"
    assert secrets.stat().st_mode & 0o077 == 0
    assert init(secrets.parent, "another") == ""
    assert {path.name: path.read_text() for path in secrets.iterdir()} == made


@contextmanager
def the_server(secrets: Path, folder: Path) -> Iterator[str]:
    """The Redis service's own command, with this machine's paths; its URL as the others get it."""
    port = free_port()
    here = {
        "/run/secrets": str(secrets),
        "/tmp": str(folder),  # noqa: S108
        "/data": f"{folder} --port {port} --bind 127.0.0.1",
        "valkey-server": str(find_binary()),
    }
    written = script(services(MAIN)["redis"]["command"])
    written = re.sub("|".join(here), lambda found: here[found[0]], written)
    process = subprocess.Popen(
        ["/bin/sh", "-euc", written], env={"REDIS_MAXMEMORY": "1gb", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = (secrets / "redis_url").read_text().strip()
        yield url.replace("@redis:6379", f"@127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


async def test_the_queue_s_server_is_as_the_doctor_wants_it(secrets: Path, tmp_path: Path) -> None:
    with the_server(secrets, tmp_path) as url:
        found: list[Finding] = []
        give_up = time.monotonic() + 30
        while not any(finding.what == "workers" for finding in found):  # it starts
            assert time.monotonic() < give_up, found
            found = await check_redis_server({"REDIS_URL": url})
        wrong = await check_redis_server({"REDIS_URL": url.replace("redis://:", "redis://:not")})
    assert not [finding for finding in found if finding.verdict is Severity.FAULT], found
    assert next(f.found for f in found if f.what == "Redis: memory").endswith("of 1,024")
    assert wrong[0].found.startswith("it wants another password")


async def test_the_health_check_asks_what_the_services_tell() -> None:
    async def refresh() -> None:
        pass

    *command, code = services(MAIN)["bot"]["healthcheck"]["test"][1:]
    assert services(MAIN)["inference"]["healthcheck"]["test"][1:] == [*command, code]
    assert command == ["python", "-c"]

    def check(port: int) -> int:
        here = [sys.executable, "-c", code.replace("9464", str(port))]
        return subprocess.run(here, check=False, stderr=subprocess.DEVNULL).returncode

    registry = CollectorRegistry()
    async with serve_metrics(
        registry, host="127.0.0.1", port=0, not_ready_reason=lambda: "loading", refresh=refresh
    ) as port:
        assert await asyncio.to_thread(check, port) == 0
    assert await asyncio.to_thread(check, free_port()) != 0


def stop(server: RedisServer) -> None:
    """As `docker compose stop` does: it writes all down, and ends."""
    with server.client() as client:
        client.shutdown()
    server.kill()


def test_a_copy_of_the_stopped_server_s_folder_is_a_backup(tmp_path: Path) -> None:
    """As docs/operate.md does it: stop, copy, start; and back over whatever came after."""
    backup = tmp_path / "backup"
    with RedisServer(tmp_path / "data") as server:
        with server.client() as client:
            client.set("kept", "before")
        stop(server)
        shutil.copytree(server.folder, backup)
        server.start()
        with server.client() as client:
            client.set("kept", "after")
        stop(server)
        shutil.rmtree(server.folder)
        shutil.copytree(backup, server.folder)
        server.start()
        with server.client() as client:
            assert client.get("kept") == b"before"
