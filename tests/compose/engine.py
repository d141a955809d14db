"""A private Docker engine with the images that the Dockerfile and Compose build on.

Nothing is pulled: Debian comes from `debootstrap`, Python from this machine, Valkey from Debian.
Data, socket and Docker's plugins lie in one folder, so an engine of this machine is not touched.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

DEBIAN, SUITE = "debian:trixie-slim", "trixie"
PLUGINS = {"docker-compose": "docker-compose", "docker-buildx": "docker-buildx"}  # by package
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
START_S = 60.0
STOP_S = 60.0

# The layout of Docker's official images: Python below /usr/local, Valkey's data in /data.
PYTHON_DOCKERFILE = f"""\
FROM {DEBIAN}
RUN apt-get update && apt-get install -y --no-install-recommends libbz2-1.0 libffi8 liblzma5 \\
    libreadline8t64 libsqlite3-0 libssl3t64 zlib1g && rm -rf /var/lib/apt/lists/*
COPY python /usr/local
COPY pip.conf /etc/pip.conf
RUN ldconfig && python3 -m ensurepip && ln -sf pip3 /usr/local/bin/pip \\
    && ln -sf python3 /usr/local/bin/python
"""
VALKEY_DOCKERFILE = f"""\
FROM {DEBIAN}
RUN apt-get update && apt-get install -y --no-install-recommends valkey-server \\
    && rm -rf /var/lib/apt/lists/* && install -d -o valkey -g valkey /data
VOLUME /data
WORKDIR /data
"""


class EngineError(Exception):
    """Docker's engine does not start, or one of its commands failed. The message has its output."""


class Engine:
    """`with Engine(folder) as engine:` runs dockerd, and ends it with all its containers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.socket = self.folder / "docker.sock"
        self.log = self.folder / "dockerd.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DOCKER_CONTEXT"},
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.folder / "config"),
        }

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._daemon = subprocess.Popen(
                [
                    *("dockerd", "--host", f"unix://{self.socket}"),
                    *("--data-root", str(self.folder / "data")),
                    *("--exec-root", str(self.folder / "exec")),
                    *("--pidfile", str(self.folder / "dockerd.pid")),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C lets us take the containers down first
            )
        give_up = time.monotonic() + START_S
        while not self._is_ready():
            if self._daemon.poll() is not None or time.monotonic() > give_up:
                self.__exit__()
                raise EngineError(f"dockerd does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.terminate()
        try:
            self._daemon.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        for mount in reversed(_mounts_below(self.folder)):
            subprocess.run(["umount", "--lazy", mount], check=False)

    def _is_ready(self) -> bool:
        return self.socket.exists() and not self.attempt("version").returncode

    def attempt(
        self, *arguments: str, cwd: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a `docker` command, and return how it ended. Its errors are in its output."""
        return subprocess.run(
            ["docker", *arguments],
            check=False,
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def docker(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run a `docker` command, and return its output."""
        done = self.attempt(*arguments, cwd=cwd)
        if done.returncode:
            raise EngineError(f"docker {' '.join(arguments)}:\n{done.stdout[-4000:]}")
        return done.stdout

    # --- images -------------------------------------------------------------------------------

    def import_bases(self, python: Path) -> None:
        """Make the images that are not there yet."""
        have = self.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
        debian = self._bootstrap_debian()
        self._unpack_plugins(debian)
        if DEBIAN not in have:
            _run(f"tar -C '{debian}' -c . | docker import - {DEBIAN}", self.environment)
        if "python:3.12-slim" not in have:
            self._build_python(python)
        if "valkey/valkey:8.1-alpine" not in have:
            self._build_base("valkey/valkey:8.1-alpine", VALKEY_DOCKERFILE)

    def _bootstrap_debian(self) -> Path:
        debian = self.folder / SUITE
        if not debian.exists():
            partial = self.folder / f"{SUITE}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            command = ["debootstrap", "--variant=minbase", "--include=ca-certificates"]
            _run([*command, SUITE, str(partial)])
            # What this machine trusts, its network may need.
            shutil.copy(CERTIFICATES, partial / CERTIFICATES.relative_to("/"))
            # As in Debian's image for Docker: apt's caches would be in every layer.
            (partial / "etc/apt/apt.conf.d/docker-clean").write_text(
                'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
                'APT::Install-Recommends "false";\nAPT::Update::Post-Invoke '
                '{ "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
            )
            partial.rename(debian)
        return debian

    def _unpack_plugins(self, debian: Path) -> None:
        """Take Compose and buildx, two static programs, from Debian's packages."""
        packages = self.folder / "plugins"
        target = self.folder / "config" / "cli-plugins"
        if target.exists():
            return
        packages.mkdir(exist_ok=True)
        shutil.copy("/etc/resolv.conf", debian / "etc" / "resolv.conf")
        _run(["chroot", str(debian), "apt-get", "update", "-q"])
        inside = "cd /var/tmp && apt-get download -q " + " ".join(PLUGINS)
        _run(["chroot", str(debian), "sh", "-c", inside])
        for package in (debian / "var" / "tmp").glob("*.deb"):
            _run(["dpkg", "-x", str(package), str(packages)])
            package.unlink()
        target.mkdir(parents=True)
        for name in PLUGINS.values():
            (found,) = packages.rglob(f"cli-plugins/{name}")
            shutil.copy(found, target / name)

    def _build_python(self, python: Path) -> None:
        if python == Path("/usr"):
            raise EngineError("Debian's Python cannot be copied: name another one with --python")
        context = self.folder / "python"
        shutil.rmtree(context, ignore_errors=True)
        leave = ("test", "__pycache__", "site-packages", "config-*", "idlelib", "*.a", "share")
        shutil.copytree(
            python,
            context / "python",
            symlinks=True,
            ignore=shutil.ignore_patterns(*leave),
        )
        (context / "pip.conf").write_text(_pip_settings())
        self._build_base("python:3.12-slim", PYTHON_DOCKERFILE, context)

    def _build_base(self, name: str, dockerfile: str, context: Path | None = None) -> None:
        context = context or self.folder / "empty"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(dockerfile)
        self.docker("build", "--quiet", "--tag", name, str(context))


def _run(command: str | Sequence[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        check=False,
        env=environment,
        shell=isinstance(command, str),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise EngineError(f"{command}:\n{done.stdout[-2000:]}")


def _mounts_below(folder: Path) -> list[str]:
    mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return [mount for mount in mounts if mount.startswith(f"{folder}/")]


def _pip_settings() -> str:
    """Return this machine's index and certificates, which the builds need too."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    lines = ["[global]"]
    for name in ("index-url", "extra-index-url", "trusted-host", "cert"):
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key == f"global.{name}" and "file:" not in value:
                lines.append(f"{name} = {value.strip(chr(39))}")
    return "\n".join([*lines, ""])
