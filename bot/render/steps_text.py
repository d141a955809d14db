"""The steps of an answer as text: live, folded, and complete.

Live, the newest part is open and the earlier ones are a line each, so that a message never fills
up before the answer begins. With the answer everything folds, and `pages` tells it in full to
whoever wants to know.
"""

import re
from collections.abc import Iterator

from bot.agent_trace import AgentTrace, Part, Step, Thinking
from bot.i18n import Words
from bot.notices import Notice
from bot.render.code_fences import code_block, discord_fences
from bot.render.link_defang import harmless_links
from bot.render.split import MESSAGE_UNITS, split, units
from jobqueue.schema import CallStatus

OPEN_UNITS = 1_300  # of the newest part, while it goes on
FRAME_UNITS = 200  # at most, of all that is around what the newest part says
OUTPUT_UNITS = 400
FOLDED = 5  # lines of earlier steps
NAME_CHARS = 40  # of a tool
LINE_CHARS = 90  # of what a step came to, in its line
OUTPUT_LINES = 8
PROGRAM_LINES = 24
THOUGHT_LINES = 6

ICONS = {
    None: "⏳",  # still at it
    CallStatus.OK: "✅",
    CallStatus.FAILED: "⚠️",
    CallStatus.TIMEOUT: "⏱️",
    CallStatus.REFUSED: "🚫",
}
_TOOLS = {"python": "tool-python", "read_picture": "tool-read-picture"}
_LEFT = "⏹️"  # instead, when nobody is at it any more
_OUTCOMES = {CallStatus.TIMEOUT: "step-timeout", CallStatus.REFUSED: "step-refused"}
_CODE_MARKS = re.compile(r"[`~]{3,}")
_TICKS = "`"


# --- while it goes on ---------------------------------------------------------------------------


def describe_live(work: AgentTrace, words: Words, *, answering: bool) -> str:
    """Return the lines above an answer that is being written. A pending approval is always open."""
    if not work:
        return ""
    *earlier, last = work.parts
    if answering and not work.awaiting_approval:
        return _lines(fold_steps(work, words))
    folded = _lines([_subtext(line) for line in list(_folded_steps(earlier, words))[-FOLDED:]])
    room = min(MESSAGE_UNITS - FRAME_UNITS - units(folded), OPEN_UNITS + OUTPUT_UNITS)
    return _lines(
        [*filter(None, [folded]), *_format_newest(last, words, room), *_format_pending(last, words)]
    )


def fold_steps(work: AgentTrace, words: Words) -> list[str]:
    """Return a line for each of the last steps; for thoughts alone, the time they took."""
    if not work.steps:
        return [_subtext(describe_thinking(work).text(words))] if work else []
    return [_subtext(line) for line in list(_folded_steps(work.parts, words))[-FOLDED:]]


def describe_thinking(work: AgentTrace) -> Notice:
    return Notice("work-thought", arguments={"time": format_duration(work.thought_ms)})


def summarize_steps(work: AgentTrace) -> Notice:
    """Return one line with the number of steps and the time they took."""
    if not work:
        return Notice("work-none")
    if not work.steps:
        return describe_thinking(work)
    failed = sum(step.has_failed for step in work.steps)
    arguments = {"steps": len(work.steps), "failed": failed, "time": format_duration(work.took_ms)}
    return Notice("work-steps-failed" if failed else "work-steps", arguments=arguments)


def format_duration(duration_ms: int) -> Notice:
    if duration_ms < 9_950:
        return Notice(
            "lasting-seconds", arguments={"seconds": f"{max(duration_ms, 100) / 1e3:.1f}"}
        )
    if duration_ms < 90_000:
        return Notice("lasting-seconds", arguments={"seconds": f"{duration_ms / 1e3:.0f}"})
    return Notice("lasting-minutes", arguments={"minutes": round(duration_ms / 60_000)})


def _folded_steps(parts: "list[Part] | tuple[Part, ...]", words: Words) -> Iterator[str]:
    return (_line(part, words) for part in parts if isinstance(part, Step))


def _line(step: Step, words: Words) -> str:
    """Format a step as `✅ 1 · Python · 0.4 s → x = 2`."""
    head, came_to = _head(step, words), _format_result(step, words)
    return f"{head} → {came_to}" if came_to else head


def _head(step: Step, words: Words) -> str:
    icon = _LEFT if step.left else ICONS[step.status]
    head = f"{icon} **{step.number}** · {tool_name(step.tool, words)}"
    return f"{head} · {format_duration(step.duration_ms).text(words)}" if step.duration_ms else head


def tool_name(tool: str, words: Words) -> str:
    return words(_TOOLS[tool]) if tool in _TOOLS else _code(tool[:NAME_CHARS])


def _format_result(step: Step, words: Words) -> str:
    if step.status in _OUTCOMES:
        return words(_OUTCOMES[step.status])
    lines = [line.strip() for line in step.output.splitlines() if line.strip()]
    if not lines:
        return words("step-figures", {"count": len(step.figures)}) if step.figures else ""
    return _code(_shorten(lines[-1]))  # of an error the last line tells what is wrong


def _format_newest(part: Part, words: Words, room: int) -> Iterator[str]:
    if isinstance(part, Thinking):
        yield _subtext(f"💭 {words('work-thinking')}")
        yield _quotation(_tail(part.text.strip(), room // 2, THOUGHT_LINES))
        return
    yield _subtext(_head(part, words))
    output = _tail(part.output.strip("\n"), OUTPUT_UNITS, OUTPUT_LINES)
    program = _tail(part.call.strip("\n"), room - units(output), PROGRAM_LINES)
    if program.strip():
        yield code_block(program, _language(part))
    if output.strip():
        yield code_block(output)


def _format_pending(part: Part, words: Words) -> Iterator[str]:
    if isinstance(part, Step) and part.has_failed:
        refused = part.status is CallStatus.REFUSED
        yield _subtext(f"🔧 {words('step-other-way' if refused else 'step-repairing')}")
    if isinstance(part, Step) and part.asks:
        yield f"✋ **{words('step-asks')}**"


def _tail(text: str, limit: int, lines: int) -> str:
    """Return the end of a text, from the start of a line if there is one, without code fences."""
    text = _CODE_MARKS.sub("'''", text)
    kept = "\n".join(text.split("\n")[-lines:])
    while units(kept) > limit:
        kept = kept[max(units(kept) - limit, 1) :]
    if kept == text:
        return text
    _, _, whole = kept.partition("\n")
    return f"…\n{whole if whole.strip() else kept}"


# --- all of it ----------------------------------------------------------------------------------


def paginate_steps(work: AgentTrace, words: Words) -> list[str]:
    """Return all thoughts, calls and outputs as pages that fit into messages."""
    story = "\n\n".join(_describe_part(part, words) for part in work.parts)
    return [piece.content for piece in split(story) if piece.body.strip()]


def _describe_part(part: Part, words: Words) -> str:
    if isinstance(part, Thinking):
        time = format_duration(part.lasted_ms)
        title = Notice("work-thought", arguments={"time": time}).text(words)
        return f"**{title}**\n{_quotation(part.text.strip())}"
    lines = [_head(part, words)]
    if part.call.strip():
        lines.append(code_block(part.call.strip("\n"), _language(part)))
    if part.status in _OUTCOMES:
        lines.append(words(_OUTCOMES[part.status]))
    if part.output.strip():
        lines += [_subtext(words("step-output")), code_block(part.output.strip("\n"))]
    if part.figures:
        lines.append(_subtext(f"📊 {words('step-figures', {'count': len(part.figures)})}"))
    return "\n".join(lines)


# --- pieces -------------------------------------------------------------------------------------


def _subtext(line: str) -> str:
    return f"-# {line}"


def _lines(lines: list[str]) -> str:
    return "\n".join(lines)


def _quotation(text: str) -> str:
    """Return the text as a quotation, with its code blocks as Discord shows them."""
    lines = discord_fences(text, complete=True).split("\n")
    return harmless_links("\n".join(f"> {line}" for line in lines))


def _language(step: Step) -> str:
    return "python" if step.is_program else "json"


def _code(text: str) -> str:
    """Return the text as a line of code that it cannot close."""
    return f"`{' '.join(text.split()).replace(_TICKS, chr(0x2CB)) or ' '}`"


def _shorten(line: str) -> str:
    return line if len(line) <= LINE_CHARS else f"{line[: LINE_CHARS - 1]}…"
