"""Discord's Markdown to HTML that is safe to insert: raw HTML is always text.

The only elements and attributes that can come out are the ones written in this file and in
`discord_markdown.py`; every text passes through `html.escape`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from playground.web_ui import discord_markdown

BLOCK_RULES = ["fence", "blockquote", "list", "heading", "paragraph"]
INLINE_RULES = [
    "text", "linkify", "newline", "escape", "backticks", "strikethrough", "emphasis", "link",
    "autolink", "balance_pairs", "fragments_join",
]  # fmt: skip
LINK_ATTRIBUTES = {"rel": "noopener noreferrer nofollow", "target": "_blank"}
FORMATTER = HtmlFormatter(nowrap=True, classprefix="hl-")


@dataclass(frozen=True)
class DisplayNames:
    """What ids in a text are called; an id that is missing is shown as unknown."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


NO_NAMES = DisplayNames()


def render(text: str, names: DisplayNames = NO_NAMES) -> str:
    """A message's text, an embed's description or a text display."""
    return str(MARKDOWN.render(discord_markdown.to_commonmark(text), {"names": names})).strip()


def render_line(text: str, names: DisplayNames = NO_NAMES) -> str:
    """Text without blocks: an embed's title or a field's name."""
    return str(MARKDOWN.renderInline(text, {"names": names})).strip()


def highlight_code(source: str, language: str) -> str:
    """Highlighted source; an unknown language is plain text."""
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
    """`__x__` is underlined on Discord, `**x**` is bold."""
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
    md.block.ruler.before(
        "heading", "subtext", discord_markdown.parse_subtext, {"alt": ["paragraph"]}
    )
    md.block.ruler.at(
        "heading", discord_markdown.parse_heading, {"alt": ["paragraph", "blockquote"]}
    )
    md.inline.ruler.before("link", "spoiler", discord_markdown.parse_spoiler)
    md.inline.ruler.before("autolink", "entity", discord_markdown.parse_entity)
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
