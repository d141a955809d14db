"""Discord's Markdown as HTML: its own flavour, and nothing but known elements."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.web_ui.discord_markdown import DisplayNames, render, render_line, render_preview

NAMES = DisplayNames({"1": "<Ada>"}, {"2": "general"})
KNOWN = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "li", "ol", "p", "pre", "s", "small",
    "span", "strong", "time", "u", "ul",
}  # fmt: skip
KNOWN_ATTRIBUTES = {
    "class", "data-language", "data-style", "data-unix", "data-user", "href", "rel", "role",
    "start", "tabindex", "target", "title",
}  # fmt: skip
TAG = re.compile(r"<(/?)([a-z0-9]+)((?:\s+[\w-]+=\"[^\"<>]*\")*)>")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**b** *i* _i_", "<p><strong>b</strong> <em>i</em> <em>i</em></p>"),
        ("__u__ ~~s~~", "<p><u>u</u> <s>s</s></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("# H", "<h1>H</h1>"),
        ("#### no", "<p>#### no</p>"),
        ("-# small *print*", "<small>small <em>print</em></small>"),
        ("> q\nnot q", "<blockquote>\n<p>q</p>\n</blockquote>\n<p>not q</p>"),
        (">>> a\nb", "<blockquote>\n<p>a<br>\nb</p>\n</blockquote>"),
        ("<@!1>", '<p><span class="mention" data-user="1">@&lt;Ada&gt;</span></p>'),
        ("<#2>", '<p><span class="mention">#general</span></p>'),
        ("<@9>", '<p><span class="mention" data-user="9">@unknown-user</span></p>'),
        ("<t:5:R>", '<p><time data-unix="5" data-style="R"></time></p>'),
        ("<:wave:1>", '<p><span class="emoji">:wave:</span></p>'),
        ("```no code", "<p>```no code</p>"),
        ("a ```b``` c", '<p>a</p>\n<pre data-language=""><code>b</code></pre>\n<p>c</p>'),
        ("| a | b |\n|---|---|", "<p>| a | b |<br>\n|---|---|</p>"),
        ("&amp; <b>", "<p>&amp;amp; &lt;b&gt;</p>"),
        ("www.a.b a@b.c", "<p>www.a.b a@b.c</p>"),
    ],
)
def test_flavour(text: str, html: str) -> None:
    assert render(text, NAMES) == html


def test_spoiler_holds_markup() -> None:
    html = render("||a **b**||")
    assert 'class="spoiler"' in html
    assert html.endswith(">a <strong>b</strong></span></p>")


def test_links_are_marked_and_only_of_the_web() -> None:
    html = render("[t](https://a.b) https://c.d <http://e.f> [x](javascript:alert(1)) [y](data:,)")
    assert html.count('rel="noopener noreferrer nofollow" target="_blank"') == 3
    assert 'href="javascript' not in html
    assert 'href="data' not in html


@pytest.mark.parametrize("fence", ["```py\n{}\n```", "```py\n{}```", "x ```py\n{}\n``` y"])
def test_code_is_highlighted_wherever_the_fence_stands(fence: str) -> None:
    html = render(fence.format("x = 1"))
    assert '<pre data-language="py"><code><span class="hl-n">x</span>' in html
    assert "```" not in html


def test_fences_stay_inside_a_list() -> None:
    html = render("1. a\n   ```js\n   let b\n   ```\n2. c")
    assert html.count("<ol") == 1
    assert "hl-kd" in html


def test_line_has_no_blocks() -> None:
    assert render_line("# **a**\n> b") == "# <strong>a</strong><br>\n&gt; b"


PIECES = st.sampled_from(
    ["```", "`", "||", "**", "__", "~~", "> ", ">>> ", "# ", "-# ", "- ", "1. ", "\n", " ", "<@1>",
     "<t:1:R>", "<script>", "<img onerror=x>", "[a](", "javascript:x", "https://a.b", ")", "py",
     "\"", "'", "&lt;", "</code>", "\\", "<:a:1>", "\t", "é", "x"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_only_known_elements_come_out(text: str) -> None:
    html = render(text, NAMES) + render_line(text, NAMES)
    for tag in TAG.finditer(html):
        assert tag[2] in KNOWN
        assert set(re.findall(r"([\w-]+)=", re.sub(r'"[^"]*"', "", tag[3]))) <= KNOWN_ATTRIBUTES
    assert "<" not in TAG.sub("", html)


@pytest.mark.parametrize(
    ("text", "preview"),
    [
        ("# Title\nbody", "Title body"),
        ("-# small **print**\n> quoted\n>>> rest", "small <strong>print</strong> quoted rest"),
        ("- one\n- two\n\n1. three", "one two three"),
        ("||hid||", '<span class="spoiler" role="button" tabindex="0">hid</span>'),
        ("```py\nprint(1)\n```\ndone", "<code>print(1)</code> done"),
        (f"**{'long ' * 80}end**\n\nmore", f"<strong>{'long ' * 80}end</strong>"),
        ("one\ntwo", "one two"),
    ],
)
def test_preview_is_one_line_without_raw_marks(text: str, preview: str) -> None:
    assert render_preview(text, NAMES, 160) == preview
