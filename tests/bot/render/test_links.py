"""Links that do not lead where they seem to are shown as text, and honest ones are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.article.message_layout import escape_line, figure_caption
from bot.i18n import words
from bot.notices import Notice
from bot.render.format_answer import format_as_text, format_draft, format_with_images
from bot.render.link_defang import harmless_links
from bot.render.message_view import quote_question
from jobqueue.article import ArticleFigure
from jobqueue.structs import Attachment
from playground.web_ui import discord_markdown

ZERO_WIDTH = "\u200b"
EVIL = "https://evil.example/x"

LABELS = [
    "https://good.example", "good.example", "www.good", "ｇｏｏｄ．example", "good。example",
    "good\u200d.example", "see good.example/login", "good.**example**", "**good**.com",
    "good~~.~~com", "good||.||com", "_good_.com", "`good`.com", "[good.com]", "[[good.com]]"[1:-1],
    "\\[good.com\\]", "[https://good.com]", "good.com\n", "good.com](x)", "good.com/[x]",
    "good.\u0441om", "р\u0430ypal.со\u043c", "gооd.com", "βank.com", "good.сοm", "good.cøm",
    "good٠com", "good․com", "good·com", "good.com.", "good.COM", "банк.рф", "good.中国",
    "中国银行.中国", "xn--bnk-ula.com", "192.168.1.1/login", "good:443", "good.com:8443",
    "localhost:8080", "steam://x", "support@good.com", "good<:a:1>.com", "good🔒.com",
    "good.com 🔗", "ⓖⓞⓞⓓ.ⓒⓞⓜ", "𝐠𝐨𝐨𝐝.𝐜𝐨𝐦", "🇬🇴🇴🇩.🇨🇴🇲", "g\u0336o\u0336od.com",
    "go\u00adod.com", "good\u200a.\u200acom", "good\u2060.\ufeffcom", "\u202emoc.doog",
    "\u2067moc.doog\u2069", "go\u034fod.com", "good.com-login", "good.\u03f2om", "good.\u03c2om",
    "go\u09e6d.com", "https:\\/\\/good.com",
    "<https://good.com>", "访问good.com官网", "good.com\u3164",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize(
    "target", [EVIL, f"<{EVIL}>", f'{EVIL} "good.com"', f" {EVIL}", "https://good.com.evil.example"]
)
def test_a_label_that_looks_like_another_address_is_no_link(label: str, target: str) -> None:
    text = f"a [{label}]({target}) b"
    assert f"]{ZERO_WIDTH}({target})" in harmless_links(text)
    assert harmless_links(text).replace(ZERO_WIDTH, "") == text.replace(ZERO_WIDTH, "")


@pytest.mark.parametrize(
    "text",
    [
        "[good.com](https://evil.example/good.com)",
        "[good.com](https://evilgood.com)",
        "[good.com](https://good.com@evil.example)",
        "[good.com](https://good.com\\@evil.example)",
        "[github.io](https://evil.github.io)",
        "[the docs](https://docs.example 'good.com')",
        "[go](javascript:alert(1))",
        "[go](<JavaScript:alert(1)>)",
        "[go](data:text/html,x)",
        "[go](steam://run/1)",
        "[join](https://discord.gg/abc)",
        "![good.com](https://evil.example)",
        "[a](b [good.com](https://evil.example)",
        "[x] [good.com](https://evil.example)",
        "[good.com](https://evil.example／.good.com/)",
        "[good.com](https://good.com\\.evil.example/)",
        "[good.com](https://good.com%2eevil.example/)",
        "[good.com](https://good.com:443@evil.example/)",
        "[good.com](//good.com)",
        "[join](\nhttps://discord.gg/abc)",
    ],
)
def test_a_target_that_is_hidden_is_no_link(text: str) -> None:
    assert f"]{ZERO_WIDTH}(" in harmless_links(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://good.example@evil.example/x",
        "请看https://good.example@evil.example/x",
        "_https://good.example@evil.example/x_",
        "x https://good.example[@evil.example/x",
        "x https://good.example(@evil.example/x",
        "https://good.example\\@evil.example/x",
        "https://a:b@evil.example",
        "HTTPS://good.example@evil.example",
        "https:////good.example@evil.example",
        "<https://good.example@evil.example/x>",
        "[see](https://good.example@evil.example)",
        f"https://{'good.example.' * 40}@evil.example",
    ],
)
def test_an_address_in_front_of_the_real_host_is_text(text: str) -> None:
    shown = harmless_links(text)
    assert f":{ZERO_WIDTH}//" in shown
    assert shown.replace(ZERO_WIDTH, "") == text
    assert "href" not in discord_markdown.render(shown)


@pytest.mark.parametrize(
    "text",
    [
        "discord.gg/abc", "https://discord.gg/abc", "discord.com/invite/a",
        "DISCORDAPP.com/invite/a",
        "加入discord.gg/abc", "加入discord.com/invite/abc",
        "_discord.gg/abc_", "www.discord.gg/abc",
        "https://discord.gg./abc", "https://discord.gg:443/abc", "https://discord.gg//abc",
        "https://discord.com/%69nvite/abc", "https://discord%2Egg/abc", "discord．gg/abc",
        "ｄｉｓｃｏｒｄ.ｇｇ/abc", "https://discord.com//invite/abc", "https://canary.discord.com/invite/a",
        "https://discord.com/a/../invite/abc", "https://discord.gift/abc",
        "https://discord.new/abc",
        "discord.com/template/abc", "dsc.gg/abc", "discord.com/oauth2/authorize?client_id=1",
        "discord.com/api/v10/oauth2/authorize?client_id=1", "discord.com/api/v9/oauth2/authorize?a",
        "dis\u00adcord.gg/abc", "discord\\.gg/abc",
    ],
)  # fmt: skip
def test_an_invitation_is_no_card(text: str) -> None:
    assert harmless_links(f"join {text} now").count(ZERO_WIDTH) == 1
    assert harmless_links(f"join {text} now").replace(ZERO_WIDTH, "") == f"join {text} now"


FORGED = f"[good.com]({EVIL})"


@pytest.mark.parametrize(
    "text",
    [
        "``` {} ",
        "`` ``` `` {}",
        "`{}",
        "    {}",
        "\t{}",
        "\\```\n{}\n```",
        "> ```\n{}\n",
        "> ```\n{}\n> ```",
        "```\n```\nx\n```\n{}\n```\n",
        "```\n\n```\nx\n```py\n{}\n```\n",
        "`a\n```\n` {}\n```",
        "**a\n```\nx**\n{}\n```",
        "||a\n```\nx||\n{}\n```",
        "**`** `\n```\n` {}\n```",
        "https://a/` `\n```\n` {}\n```",
        "[a\n```\nb](https://c.example)\n{}\n```",
        "- ```\n  x\n  ```\n{}",
        "x ```\n{}\n```",
    ],
)
def test_what_discord_may_read_as_prose_is_no_code(text: str) -> None:
    assert f"]{ZERO_WIDTH}(" in harmless_links(text.format(FORGED))


HONEST = [
    "[the docs](https://docs.example)", "https://docs.example/a@b", "mail a@b.example",
    "[1](2)", "",
    "[docs.python.org](https://docs.python.org/3/)", "[python.org](https://docs.python.org/3/)",
    "[https://docs.python.org/3/](https://docs.python.org/3/)",
    "[`os.path`](https://docs.python.org/3/library/os.path.html)",
    "[Foo (bar)](https://en.wikipedia.org/wiki/Foo_(bar))",
    "https://en.wikipedia.org/wiki/Foo_(bar)",
    "[en.wikipedia.org](https://en.wikipedia.org/wiki/Foo_(bar))",
    "[Node.js](https://nodejs.org/en)",
    "[README.md](https://github.com/u/r/blob/main/README.md)",
    "[a long label, with words. And sentences](https://x.example/a)",
    "[v1.2.3](https://github.com/u/r/releases)", "[Chapter 3.14](https://x.example)",
    "[www.python.org](https://python.org)", "[example.com/a/b](https://www.example.com/a/b)",
    "https://medium.com/@user/post", "https://x.com/?q=@a", "<https://example.com>",
    "[a@b.com](mailto:a@b.com)", "https://discord.com/developers/docs/intro", "discord.js",
    "https://discord.com/channels/1/2", "[第一章。介绍](https://x.example)", "arr[i](x)",
    "[Слово. Дело](https://x.example)", "[St. Petersburg](https://x.example)",
    "[Ph.D. thesis](https://x.example)", "[U.S.A.](https://x.example)",
    "[C++20](https://x.example)",
    "[note: this](https://x.example)", "[John 3:16](https://x.example)",
    "[$5.00](https://x.example)",
    "[bücher.example](https://bücher.example/)", "[例子.中国](https://例子.中国/)",
    "[https://example.com:8080](https://example.com:8080/x)", "[a] (b.com)",
    "[localhost:8080](http://localhost:8080)", '[title](https://x.example "a title")',
    '[title](https://x.example "x.example")', "- [ ] task", "[**bold**](https://a.example)",
    f"[x.com](https://x.com/{'a' * 800})", "[x.com](<https://x.com/a>)",
    "[Example.com.](https://example.com/)",
    f"```\n{FORGED} discord.gg/abc https://a:b@c.example\n```",
    f"Use `x` and **y**:\n```py\n{FORGED}\n```\nsee [the docs](https://docs.example)",
    f"> ```\n> {FORGED}\n> ```",
    f"~~~\n{FORGED}\n~~~".replace("~~~", "```md", 1).replace("~~~", "```"),
    "* item 2 * 3\n```bash\ngit clone https://user:word@host.example/x\n```",
]  # fmt: skip


@pytest.mark.parametrize("text", HONEST)
def test_honest_links_and_code_are_left_alone(text: str) -> None:
    assert harmless_links(text) == text


@given(
    st.lists(
        st.sampled_from(
            ["[", "]", "](", "(", ")", FORGED, "https:", "/", "@", "good.com", "\n", " ", '"',
            "```\n",
             "https://good.com", "discord.gg/abc", "discord.com/a/../invite/b", "%67", "\\",
             "`", "**",
             "[x.com](https://x.com/a)", "> ", "\u202e", "é", "中"]
        ),
        max_size=14,
    ).map("".join),
    st.integers(0, 120),
)  # fmt: skip
def test_a_draft_only_grows_and_cleaning_twice_changes_nothing(text: str, cut: int) -> None:
    assert format_draft(text).startswith(format_draft(text[:cut]))
    assert format_as_text(text).text.startswith(format_draft(text))
    assert harmless_links(harmless_links(text)) == harmless_links(text)


# --- wherever it is shown -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        f"[good\\(.\\)com]({EVIL})",
        f"[good.$com$]({EVIL})",
        f"[good.$\\mathrm{{com}}$]({EVIL})",
        "join discord\\(.\\)gg/abc",
        "https://good.com$@$evil.example/x",
    ],
)
def test_links_that_formulas_make_are_cleaned_after_them(answer: str) -> None:
    shown = format_with_images(answer).text
    assert ZERO_WIDTH in shown
    assert harmless_links(shown) == shown


def test_an_open_block_is_ended_so_that_it_is_code_for_discord() -> None:
    assert format_as_text(f"```\n{FORGED}").text == f"```\n{FORGED}\n```"


def test_a_link_is_shown_once_it_is_known_where_it_leads() -> None:
    assert format_draft("see [good.com](https://good.c") == "see [good.com]"
    assert (
        format_draft("see [good.com](https://good.com/a)") == "see [good.com](https://good.com/a)"
    )
    assert format_draft("https://good.com") == "https:"
    assert format_draft("https://good.com/") == "https://good.com/"


@pytest.mark.parametrize("text", [FORGED, "discord.gg/abc", "https://good.com@evil.example/x"])
def test_what_is_quoted_beside_an_answer_is_cleaned_too(text: str) -> None:
    figure = ArticleFigure(
        Attachment(sha256="0" * 64, name="x.png", media_type="image/png", size=1),
        caption=text,
        author=text,
        licence=text,
        source=text,
    )
    shown = [
        quote_question(text),
        escape_line(text),
        figure_caption(figure),
        Notice("article-changing", arguments={"heading": text}).text(words("en")),
    ]
    assert [harmless_links(each) for each in shown] == shown
    assert all(ZERO_WIDTH in each for each in shown)
