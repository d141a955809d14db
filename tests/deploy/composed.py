"""docker-compose.yml as Compose reads it: merged, with the defaults of its variables."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
MAIN = PROJECT / "docker-compose.yml"
VLLM = PROJECT / "deploy" / "compose.vllm.yml"
CPU = PROJECT / "deploy" / "compose.cpu.yml"
RESET = object()  # of `!reset`: what the other file says is dropped

Json = dict[str, Any]


class Loader(yaml.SafeLoader):
    """YAML with Compose's own tag."""


Loader.add_constructor("!reset", lambda _loader, _node: RESET)


def read(path: Path) -> Json:
    """`${NAME:-default}` becomes the default."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", path.read_text("utf-8"))
    loaded: Json = yaml.load(text, Loader)  # noqa: S506  (a safe loader)
    return loaded


def merged(below: Any, above: Any) -> Any:
    """Mappings by key, lists one after the other, all else replaced: Compose's rules, as far as
    these files need them."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        both = {key: merged(below.get(key), above.get(key, below.get(key))) for key in below}
        both |= {key: value for key, value in above.items() if key not in below}
        return {key: value for key, value in both.items() if value is not RESET}
    if isinstance(below, list) and isinstance(above, list) and below is not above:
        return [*below, *above]
    return above


def services(*paths: Path) -> dict[str, Json]:
    whole: Any = {}
    for path in paths:
        whole = merged(whole, read(path))
    named: dict[str, Json] = whole["services"]
    return named


def script(command: list[str]) -> str:
    """What a shell in a container gets to read: Compose's `$$` is a `$`."""
    return command[-1].replace("$$", "$")
