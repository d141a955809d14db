"""The differences between Discord's Markdown and CommonMark.

Text is prepared line by line first (fences that start in the middle of a line, quotes without lazy
continuation, `>>>`), then parsed by markdown-it with the few rules added here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import heading as commonmark_heading
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

FENCE = re.compile(r"```(?:([A-Za-z0-9_+\-.#]*)\n)?(.*?)```", re.DOTALL)
OWN_LINE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?\Z")
BACKTICKS = re.compile(r"`+")
ENTITY = re.compile(
    r"<(?:(?P<kind>@!?|@&|\#)(?P<id>\d{1,20})"
    r"|t:(?P<unix>-?\d{1,13})(?::(?P<style>[tTdDfFsSR]))?"
    r"|a?:(?P<emoji>\w{1,32}):\d{1,20}"
    r"|/(?P<command>[\w \-]{1,100}):\d{1,20})>"
)


# --- before parsing ---------------------------------------------------------------------------


def to_commonmark(text: str) -> str:
    """Rewrite Markdown that Discord reads differently than CommonMark; code stays."""
    return "".join(
        code if code else _rewrite_quotes(prose) for prose, code in _split_at_fences(text)
    )


def _split_at_fences(text: str) -> Iterator[tuple[str, str]]:
    end = 0
    for match in FENCE.finditer(text):
        before = text[end : match.start()]
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        yield before, ""
        yield "", match[0] if _is_commonmark(match, line) else _rewrite_fence(match)
        end = match.end()
    # Discord shows a fence that is never closed as it stands.
    yield text[end:].replace("```", r"\`\`\`"), ""


def _is_commonmark(match: re.Match[str], line: str) -> bool:
    """Return whether both fences stand on lines of their own, apart from list and quote marks."""
    _, newline, closing = match[2].rpartition("\n")
    return (
        match[1] is not None
        and newline == "\n"
        and not closing.strip(" \t>")
        and OWN_LINE.match(line) is not None
        and match.string[match.end() : match.end() + 1] in ("", "\n")
    )


def _rewrite_fence(match: re.Match[str]) -> str:
    language, code = match[1] or "", match[2].strip("\n")
    longest = max((len(run) for run in BACKTICKS.findall(code)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"\n{ticks}{language}\n{code}\n{ticks}\n"


def _rewrite_quotes(prose: str) -> str:
    lines: list[str] = []
    quoted = rest_is_quote = False
    for line in prose.split("\n"):
        opens = line.startswith(">>> ") and not rest_is_quote
        rest_is_quote = rest_is_quote or opens
        is_quote = rest_is_quote or line.startswith("> ")
        if quoted and not is_quote and line.strip():
            lines.append("")  # CommonMark would take the line into the quote
        lines.append(f"> {line[4:] if opens else line}" if rest_is_quote else line)
        quoted = is_quote
    return "\n".join(lines)


# --- rules ------------------------------------------------------------------------------------


def parse_heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a heading of `#` to `###`, as CommonMark does; deeper ones are text."""
    at = state.bMarks[start] + state.tShift[start]
    return not state.src.startswith("####", at) and commonmark_heading(state, start, end, silent)


def parse_subtext(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """Parse `-# small print`."""
    at, stop = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    if not state.src.startswith("-# ", at):
        return False
    if not silent:
        state.line = start + 1
        token = state.push("subtext_open", "small", 1)
        token.block = True
        token = state.push("inline", "", 0)
        token.content = state.src[at + 3 : stop].strip()
        token.map = [start, state.line]
        token.children = []
        state.push("subtext_close", "small", -1)
    return True


def parse_spoiler(state: StateInline, silent: bool) -> bool:
    """Parse `||hidden until clicked||`."""
    start = state.pos
    if not state.src.startswith("||", start):
        return False
    end = state.src.find("||", start + 2, state.posMax)
    if end <= start + 2:
        return False
    if not silent:
        limit, state.posMax, state.pos = state.posMax, end, start + 2
        token = state.push("spoiler_open", "span", 1)
        token.attrs = {"class": "spoiler", "role": "button", "tabindex": "0"}
        state.md.inline.tokenize(state)
        state.push("spoiler_close", "span", -1)
        state.posMax = limit
    state.pos = end + 2
    return True


def parse_entity(state: StateInline, silent: bool) -> bool:
    """Parse mentions, times, custom emoji and command links: `<@1>` `<#1>` `<t:1:R>` `<:a:1>`."""
    match = ENTITY.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        token = state.push("entity", "", 0)
        token.content = match[0]
        token.meta = match.groupdict()
    state.pos = match.end()
    return True


# Discord's Markdown to HTML that is safe to insert: raw HTML is always text.
#
# The only elements and attributes that can come out are the ones written in this file and in
# `discord_markdown.py`; every text passes through `html.escape`.

BLOCK_RULES = ["fence", "blockquote", "list", "heading", "paragraph"]
INLINE_RULES = [
    "text", "linkify", "newline", "escape", "backticks", "strikethrough", "emphasis", "link",
    "autolink", "balance_pairs", "fragments_join",
]  # fmt: skip
LINK_ATTRIBUTES = {"rel": "noopener noreferrer nofollow", "target": "_blank"}
FORMATTER = HtmlFormatter(nowrap=True, classprefix="hl-")


@dataclass(frozen=True)
class DisplayNames:
    """The names of ids in a text. A missing id is shown as unknown."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


NO_NAMES = DisplayNames()


def render(text: str, names: DisplayNames = NO_NAMES) -> str:
    """Render a message's text, an embed's description or a text display."""
    return str(MARKDOWN.render(to_commonmark(text), {"names": names})).strip()


def render_line(text: str, names: DisplayNames = NO_NAMES) -> str:
    """Render a text without blocks: an embed's title or a field's name."""
    return str(MARKDOWN.renderInline(text, {"names": names})).strip()


def render_preview(text: str, names: DisplayNames, characters: int) -> str:
    """Render a text as one line, without blocks and their marks. Blocks that start after
    `characters` are left out: the page shortens the line to its width."""
    parts: list[str] = []
    env, length = {"names": names}, 0
    for token in MARKDOWN.parse(to_commonmark(text), env):
        if not token.content or length > characters:
            continue
        if token.children is None:
            parts.append(f"<code>{escape(' '.join(token.content.split())[:characters])}</code>")
        else:
            for child in token.children:
                if child.type in ("softbreak", "hardbreak"):
                    child.type, child.content = "text", " "
            parts.append(str(MARKDOWN.renderer.render(token.children, MARKDOWN.options, env)))
        length += len(token.content)
    return " ".join(parts)


def highlight_code(source: str, language: str) -> str:
    """Highlight source code. An unknown language stays plain text."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(source)
    return highlight(source, lexer, FORMATTER).removesuffix("\n")


# --- how tokens are written -------------------------------------------------------------------

Tokens = Sequence[Token]


def _render_fence(_self: RendererHTML, tokens: Tokens, at: int, *_: Any) -> str:
    language = tokens[at].info.strip().split(" ")[0]
    body = highlight_code(tokens[at].content.removesuffix("\n"), language)
    return f'<pre data-language="{escape(language)}"><code>{body}</code></pre>\n'


def _render_strong(self: RendererHTML, tokens: Tokens, at: int, options: Any, env: Any) -> str:
    """Underline `__x__` and make `**x**` bold, as Discord does."""
    tokens[at].tag = "u" if tokens[at].markup == "__" else "strong"
    return self.renderToken(tokens, at, options, env)


def _render_link(self: RendererHTML, tokens: Tokens, at: int, options: Any, env: Any) -> str:
    tokens[at].attrs.update(LINK_ATTRIBUTES)
    return self.renderToken(tokens, at, options, env)


def _render_entity(_self: RendererHTML, tokens: Tokens, at: int, _options: Any, env: Any) -> str:
    found, names = tokens[at].meta, env["names"]
    if unix := found["unix"]:
        return f'<time data-unix="{int(unix)}" data-style="{found["style"] or "f"}"></time>'
    if emoji := found["emoji"]:
        return f'<span class="emoji">:{escape(emoji)}:</span>'
    if command := found["command"]:
        return f'<span class="mention">/{escape(command)}</span>'
    if found["kind"] == "#":
        return _render_mention("#", names.channels.get(found["id"], "unknown"))
    if found["kind"] == "@&":
        return _render_mention("@", "unknown-role")
    return _render_mention("@", names.users.get(found["id"], "unknown-user"), found["id"])


def _render_mention(sign: str, name: str, user: str = "") -> str:
    data = f' data-user="{escape(user)}"' if user else ""
    return f'<span class="mention"{data}>{sign}{escape(name)}</span>'


def _is_allowed_link(url: str) -> bool:
    return url.lower().startswith(("https://", "http://"))


def _build_parser() -> MarkdownIt:
    md = MarkdownIt("zero", {"html": False, "linkify": True, "breaks": True, "maxNesting": 20})
    md.block.ruler.before("heading", "subtext", parse_subtext, {"alt": ["paragraph"]})
    md.block.ruler.at("heading", parse_heading, {"alt": ["paragraph", "blockquote"]})
    md.inline.ruler.before("link", "spoiler", parse_spoiler)
    md.inline.ruler.before("autolink", "entity", parse_entity)
    md.inline.add_terminator_char("|")
    md.enable([*BLOCK_RULES, *INLINE_RULES, "inline", "subtext", "spoiler", "entity"])
    md.validateLink = _is_allowed_link  # type: ignore[method-assign]
    if md.linkify is not None:
        md.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    md.add_render_rule("fence", _render_fence)
    md.add_render_rule("strong_open", _render_strong)
    md.add_render_rule("strong_close", _render_strong)
    md.add_render_rule("link_open", _render_link)
    md.add_render_rule("entity", _render_entity)
    return md


MARKDOWN = _build_parser()
