"""The dialect of a model: by its name or its file's metadata, unless the operator names one."""

import re

from inference.tool_parsers.base import ToolParser
from inference.tool_parsers.one_line_forms import Forms
from inference.tool_parsers.python_fence import Fences
from inference.tool_parsers.tag_based import Hermes, InternLM

DIALECTS: dict[str, ToolParser] = {
    dialect.name: dialect for dialect in (Hermes(), InternLM(), Fences(), Forms())
}

# Below this many billion parameters a model does better by filling in forms.
_SMALL = 1.6
_BILLIONS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*([bm])(?![a-z])", re.IGNORECASE)
_FAMILIES = (
    (re.compile(r"intern(?:lm|-?s1)", re.IGNORECASE), "internlm"),
    (re.compile(r"qwen|qwq|hermes|scripted", re.IGNORECASE), "hermes"),
)


def of_model(model: str) -> ToolParser:
    size = _BILLIONS.search(model)
    if size and float(size[1]) * (1 if size[2].lower() == "b" else 1e-3) <= _SMALL:
        return DIALECTS["forms"]
    for family, dialect in _FAMILIES:
        if family.search(model):
            return DIALECTS[dialect]
    return DIALECTS["fences"]
