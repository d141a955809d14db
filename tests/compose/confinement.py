"""What docker-compose.yml promises about containers, seen from outside and from inside."""

import subprocess
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

# Of a process in the container: its user, what it may do, and where it cannot write. Control
# groups of both versions say the limits.
INSIDE = """
grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/1/status
for folder in / /usr /etc; do touch "$folder/written" 2>/dev/null && echo "writable: $folder"; done
cd /sys/fs/cgroup
echo "memory: $(cat memory.max memory/memory.limit_in_bytes 2>/dev/null)"
echo "pids: $(cat pids.max pids/pids.max 2>/dev/null)"
echo "interfaces: $(ls /sys/class/net | tr '\\n' ' ')"
"""


def find_problems(name: str, service: Json, inspected: Json, inside: str) -> Iterator[str]:
    """Yield where a container is not held as its service, of `docker compose config`, says."""
    for problem in (*_from_outside(service, inspected), *_from_inside(service, inside)):
        yield f"{name}: {problem}"


def _from_outside(service: Json, inspected: Json) -> Iterator[str]:
    host = inspected["HostConfig"]
    expected = {
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges:true"],
        "Memory": int(service["mem_limit"]),
        "PidsLimit": service["pids_limit"],
        "LogConfig": {"Type": "json-file", "Config": service["logging"]["options"]},
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
    }
    for key, value in expected.items():
        if host[key] != value:
            yield f"{key} is {host[key]!r}, not {value!r}"
    for mount in inspected["Mounts"]:
        if mount["Type"] == "bind" and mount["RW"]:
            yield f"{mount['Source']} can be written"


def _from_inside(service: Json, said: str) -> Iterator[str]:
    lines = (line.partition(":") for line in said.splitlines())
    told = {key: value.split() for key, _, value in lines}
    if "0" in told["Uid"]:
        yield "runs as root"
    if any(int(capabilities, 16) for key in ("CapEff", "CapBnd") for capabilities in told[key]):
        yield f"has capabilities {told['CapEff']}, {told['CapBnd']}"
    if told["NoNewPrivs"] != ["1"]:
        yield "may gain privileges"
    if told["Seccomp"] != ["2"]:
        yield "has no system call filter"
    if "writable" in told:
        yield f"{told['writable']} can be written"
    if told["memory"] != [str(service["mem_limit"])]:
        yield f"memory is limited to {told['memory']}, not {service['mem_limit']}"
    if told["pids"] != [str(service["pids_limit"])]:
        yield f"processes are limited to {told['pids']}, not {service['pids_limit']}"
    if service.get("network_mode") == "none" and told["interfaces"] != ["lo"]:
        yield f"has a network: {told['interfaces']}"


# A name that DNS knows, and a connection to an address: nothing may answer.
NO_WAY_OUT = """
import socket
for name, port in (("pypi.org", 443), ("deb.debian.org", 80), ("192.0.2.1", 80)):
    try:
        socket.create_connection((name, port), timeout=3)
    except ConnectionRefusedError:
        print(name, "is reached")
    except OSError:
        continue
    else:
        print(name, "is reached")
"""


def find_leaks(secrets: dict[str, str], places: dict[str, str]) -> list[str]:
    """Return which secret stands in which text."""
    return [
        f"{secret} stands in {place}"
        for place, text in places.items()
        for secret, value in secrets.items()
        if value in text
    ]


def list_processes() -> str:
    """Return the command lines of all processes of this machine, the containers' among them."""
    return subprocess.run(
        ["ps", "axww", "-o", "args"], check=True, capture_output=True, text=True
    ).stdout
