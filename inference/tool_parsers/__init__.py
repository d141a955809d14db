"""The tool parser of a model: by its name or its file's metadata, unless the operator names one."""

import re

from inference.tool_parsers.base import ToolParser
from inference.tool_parsers.one_line_forms import Forms
from inference.tool_parsers.python_fence import Fences
from inference.tool_parsers.tag_based import Hermes, InternLM

TOOL_PARSERS: dict[str, ToolParser] = {
    tool_parser.name: tool_parser for tool_parser in (Hermes(), InternLM(), Fences(), Forms())
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
        return TOOL_PARSERS["forms"]
    for family, name in _FAMILIES:
        if family.search(model):
            return TOOL_PARSERS[name]
    return TOOL_PARSERS["fences"]
