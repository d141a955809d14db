"""The articles that the scripted engine writes.

The assignment may say it, each directive reaching to the next one; `\n` is a new line. `!write`
comes once for the opening and once for each section, `!picture` and `!numbers` once for each
section, the opening included; the last of a kind stands for those that are missing.

    !plan Title: Luoyang\n1. Caves: the grottoes\n2. Flowers: peonies
    !write An opening. !write On caves. !write On flowers.
    !picture The Longmen Grottoes | Longmen Grottoes | photo
    !numbers Title: Visitors\n2019: 12\n2020: 5\n2021: 9
    !change What a section says when it is written anew.

Without directives it writes a few plain sentences about whatever was asked.
"""

import re

from inference.engines.base import Request

_DIRECTIVE = re.compile(
    r"!(plan|write|picture|numbers|change)\b ?"
    r"((?:(?!!(?:plan|write|picture|numbers|change|delay)\b).)*+)",
    re.DOTALL,
)
_STAGE = re.compile(
    r"\.(plan|section|picture|wish|numbers|rewrite|expand|shorten)(?:-(\d+))?(?:-\d+)?$"
)
_DIRECTIVES = {"section": "write", "rewrite": "change", "expand": "change", "shorten": "change"}
_ASSIGNMENT = re.compile(r"(?:assignment(?: was)?:|题目(?:要求)?：)\s*(.+?)(?:\n\n|\Z)", re.DOTALL)
_BEGINNING = re.compile(r"^(?:Title:|标题：)")
_PLAN = (
    "Title: {topic}\n1. The beginning: how it began\n2. The work: how it is done\n"
    "3. The people: who does it\n4. What remains: what is left of it"
)
_TEXTS = (
    "A script writes about {topic} here, and no model was asked. It knows nothing in particular.",
    "Nobody remembers the first day. What came afterwards is told in many ways; this is one.",
    "Hands do most of it, and patience does the rest. Every step has its tool and its hour.",
    "Some learn it early, others late. They meet in the evening and compare what they have made.",
    "Much is lost, something is kept. Whoever looks for {topic} will find traces of it everywhere.",
)


class ArticleScripts:
    """What each job's assignment says, for those requests that show only a section's text."""

    def __init__(self) -> None:
        self._assignments: dict[str, str] = {}

    def answer(self, request: Request) -> str | None:
        """None where it is asked for something else."""
        found = _STAGE.search(request.id)
        if found is None:
            return None
        job = request.id[: found.start()]
        question = next(m.content for m in reversed(request.messages) if m.role == "user")
        if asked := _ASSIGNMENT.search(question):
            self._assignments[job] = asked[1]
        last = request.messages[-1]
        begun = last.content if last.role == "assistant" else ""
        said = _write_stage(self._assignments.get(job, ""), found[1], int(found[2] or 0))
        return begun + _BEGINNING.sub("", said) if begun else said


def _write_stage(assignment: str, stage: str, number: int) -> str:
    topic = _DIRECTIVE.sub("", assignment).strip() or "this"
    wanted = _DIRECTIVES.get(stage, stage)
    written = [words.rstrip() for name, words in _DIRECTIVE.findall(assignment) if name == wanted]
    if written:
        said: str = written[min(number, len(written) - 1)]
        return said.replace("\\n", "\n")
    if stage == "plan":
        return _PLAN.format(topic=topic)
    text = _TEXTS[number % len(_TEXTS)] if wanted in ("write", "change") else ""
    return text.format(topic=topic)
