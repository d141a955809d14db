"""Makes misleading links plain text: those that do not lead where they seem to.

A model repeats what it has read, so an answer may carry a link that somebody planted. A zero-width
space takes its meaning and leaves its looks:

- between the label and the target of a masked link whose label (or title) names another address
  than the one it leads to, or whose target is no web address;
- behind the scheme of an address with a part before `@`, which is not where it leads;
- before the path of an invitation, of which Discord makes a card with a button.

A text is cleaned as Discord will read it, so after all other work on it. Labels and invitations are
compared as people see them: without markup and invisible characters, and with letters of other
scripts as the Latin ones that they look like. Code blocks are left alone where they are code under
every reading of the text before them.

The result grows with the text, since each decision is made by the end of its line. What a draft
ends with and is not decided yet is left out of it (`decided`).
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

_ZERO_WIDTH = "\u200b"
_TICKS = "```"
_LONGEST_TARGET = 700  # of a masked link, its title included; no honest one is longer
_LONGEST_AUTHORITY = 300  # of an address: a name has 253 characters at most
_MOST_ADDRESSES = 8  # in one honest label

# https://good.example@evil.example leads to the host behind the sign.
_AUTHORITY = re.compile(
    rf"https?:(?=[/\\]{{2}})(?P<part>[/\\]++[^\s/?#<@＠]{{0,{_LONGEST_AUTHORITY}}}+)(?P<next>.?)",
    re.IGNORECASE | re.DOTALL,
)
_HALF_SCHEME = re.compile(r"https?:(?P<part>[/\\])(?P<next>)\Z", re.IGNORECASE)
_MASKED = re.compile(r"\]\(")


def harmless_links(text: str) -> str:
    """Return `text` with zero-width spaces where a link or an invitation would deceive."""
    places = _unsafe_positions(text)
    if not places:
        return text
    blocks = list(_code_blocks(text))
    starts = [start for start, _ in blocks]
    pieces: list[str] = []
    done = 0
    for at in sorted(places):
        number = bisect_right(starts, at) - 1
        is_code = number >= 0 and at < blocks[number][1]
        if not is_code and text[at - 1] != _ZERO_WIDTH:
            pieces += [text[done:at], _ZERO_WIDTH]
            done = at
    return "".join((*pieces, text[done:]))


def settled_part(line: str) -> str:
    """Return as much of an unfinished line as is cleaned alike whatever follows it."""
    while (end := _decided_end(line)) < len(line):
        line = line[:end]
    return line


def _decided_end(line: str) -> int:
    tail = max(len(line) - _LONGEST_TARGET - _LONGEST_AUTHORITY, 0)  # the text before it is done
    found_hosts = (*_AUTHORITY.finditer(line, tail), *_HALF_SCHEME.finditer(line, tail))
    ends = [
        found.start("part")
        for found in found_hosts
        if found.end() == len(line) and not found["next"]
    ]
    masked = (found.end() for found in _MASKED.finditer(line, tail))
    return min(
        *ends,
        next((at - 1 for at in masked if _Target.parse(line, at).is_open), len(line)),
        len(line),
    )


def _unsafe_positions(text: str) -> set[int]:
    places = {
        found.start("part")
        for found in _AUTHORITY.finditer(text)
        if found["next"] in tuple("@＠") or len(found["part"]) > _LONGEST_AUTHORITY
    }
    if "](" in text or re.search(r"[/／]|%2[fF]", text):
        look = _VisibleText.of(text)
        places.update(look.invites)
        places.update(
            end + 1
            for start, end in _find_labels(text)
            if _is_forged(look, start, end, _Target.parse(text, end + 2))
        )
    return places


# --- masked links -------------------------------------------------------------------------------

# An address as Discord finds it behind `](`, and what ends it.
_URL = re.compile(r"\s*<?(?P<url>(?:\\.|\([^)]*\)|[^\s()\\])*+)", re.DOTALL)
_TITLE = re.compile(r"""\s+["'](?P<title>.*?)["']\s*\)""", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*(?=:)")
_SAFE_SCHEMES = {"", "http", "https", "mailto"}
_LEADS_TO = re.compile(
    r"(?:https?://|mailto:[^\s@?]{1,100}@)([\w.\-]{1,253})(?::\d{1,5})?(?=[/?#]|\Z)", re.IGNORECASE
)
_BRACKET = re.compile(r"[\[\]]")

# Hosts with pages of unknown people: these hosts' names prove nothing.
_SHARED_HOSTS = {
    "github.io", "gitlab.io", "blogspot.com", "wordpress.com", "tumblr.com", "pages.dev",
    "workers.dev", "vercel.app", "netlify.app", "herokuapp.com", "web.app", "firebaseapp.com",
    "appspot.com", "azurewebsites.net", "amazonaws.com", "cloudfront.net", "onrender.com",
    "fly.dev", "surge.sh", "glitch.me", "repl.co", "replit.app", "wixsite.com", "weebly.com",
    "myshopify.com", "ngrok.io", "ngrok.app", "duckdns.org", "codeberg.page", "hf.space", "co.uk",
    "org.uk", "com.au", "co.jp", "co.kr", "co.in", "com.br", "com.cn", "com.tr",
}  # fmt: skip
# On these hosts a file's name may be a label, although it may look like a host: README.md.
_CODE_HOSTS = {"github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "huggingface.co"}


@dataclass(frozen=True)
class _Target:
    """The destination of a link."""

    start: int
    end: int
    url: str = ""
    title: tuple[int, int] = (0, 0)  # its position in the text
    is_link: bool = False
    is_open: bool = False  # more of the line may change it
    is_below: bool = False  # on the next line, which nobody does who has nothing to hide

    @classmethod
    def parse(cls, text: str, start: int) -> "_Target":
        line_end = text.find("\n", start, start + _LONGEST_TARGET)
        end = line_end if line_end >= 0 else min(start + _LONGEST_TARGET, len(text))
        found = _URL.match(text, start, end)
        url, behind = (found["url"].rstrip(">"), found.end()) if found else ("", start)
        rest = text[behind:end].lstrip()
        if rest.startswith(")"):
            return cls(start, behind, url, is_link=True)
        if title := _TITLE.match(text, behind, end):
            return cls(start, behind, url, title.span("title"), is_link=True)
        # The end of the line may come before the bracket.
        may_close = not rest or rest[0] in "\"'(\\"
        is_cut = line_end < 0 and end < start + _LONGEST_TARGET
        is_below = not url and not rest and line_end >= 0
        is_open = may_close and is_cut
        return cls(start, end, url, is_link=not rest, is_open=is_open, is_below=is_below)

    @property
    def scheme(self) -> str:
        found = _SCHEME.match(self.url)
        return found[0].lower() if found else ""

    @property
    def host(self) -> str:
        found = _LEADS_TO.match(self.url)
        return _without_www(found[1]) if self.is_link and found else ""

    def is_at(self, address: str) -> bool:
        """Return whether nobody who reads `address` is deceived."""
        named, host = _without_www(address), self.host
        if not named or not host:
            return False
        is_within = host.endswith(f".{named}") and "." in named and named not in _SHARED_HOSTS
        is_file = host in _CODE_HOSTS and self.url.lower().endswith(f"/{named}")
        return host == named or is_within or is_file


def _without_www(host: str) -> str:
    return host.casefold().rstrip(".").removeprefix("www.")


def _is_forged(look: "_VisibleText", start: int, end: int, target: _Target) -> bool:
    named = [*look.addresses_within(start, end), *look.addresses_within(*target.title)]
    return (
        target.is_below
        or target.scheme not in _SAFE_SCHEMES
        or look.has_invite_within(target.start, target.end)
        or len(named) > _MOST_ADDRESSES
        or not all(map(target.is_at, named))
    )


def _find_labels(text: str) -> Iterator[tuple[int, int]]:
    r"""Yield the longest label before each `](`: its opening and its closing bracket.

    Discord takes `\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]` for a label. The three openings
    are the earliest ones from which that is matched so far: up to a place between nested brackets,
    behind a closing bracket that another has to follow, and within nested brackets.
    """
    between: int | None = None
    behind: int | None = None
    within: int | None = None
    for found in _BRACKET.finditer(text):
        at = found.start()
        if found[0] == "[":
            within = _earlier_of(within, between)
            between, behind = at, None
            continue
        opening = _earlier_of(between, behind)
        if opening is not None and text.startswith("](", at):
            yield opening, at
        between, behind, within = within, opening, None


def _earlier_of(one: int | None, other: int | None) -> int | None:
    return min((at for at in (one, other) if at is not None), default=None)


# --- what people see ----------------------------------------------------------------------------

# Letters of other scripts, and Latin ones with strokes, that are taken for plain Latin ones.
_LOOKALIKES = str.maketrans(
    "авекмнорстухіјѕһԁԛԝӏгпьзєαβγεικνορτυχωϲϳηօսհցոյᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıɑɡłøđħŧς𐐽০୦๐໐〇ဝഠ",
    "abekmhopctyxijshdqwlrnb3eabyeikvoptuxwcjnouhgnjabcdefghijklmnoprstuvwyziaglodhtccooooooo",
)
_TURNED = "\ufffc"
_KNOWN_LOOKS = {
    **dict.fromkeys("。｡．․‧・⸱⸳𝅭ꓸ·∙⋅٠۰۔܁܂", "."),
    # Invisible or very thin characters, and markup.
    **dict.fromkeys("\u115f\u1160\u3164\uffa0\u2800\u2006\u2008\u2009\u200a\u202f\u205f", ""),
    **dict.fromkeys("*_~|`\\", ""),
    # Characters that change the reading direction.
    **dict.fromkeys("\u202a\u202b\u202d\u202e\u2066\u2067\u2068", _TURNED),
    # Letters in boxes or circles, and those of flags.
    **{
        chr(first + n): chr(ord("a") + n)
        for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
        for n in range(26)
    },
}
_DROPPED = ("Cf", "Mn", "Me", "So", "Sk", "Cc", "Cs")
_PIECE = re.compile(
    r"(?P<same>[a-z0-9.\-:/@?#%\[\]()>,;!\"'=&+ \n\u3400-\u9fff]+)"
    r"|(?P<emoji><a?:\w{1,32}:\d{1,20}>)|(?P<one>.)",
    re.DOTALL,
)
_SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_PERCENT = re.compile(r"%([2-7][0-9a-f])")


def _fold(text: str) -> tuple[str, list[int]]:
    """Return the text as it is seen, and where in `text` each character and the end come from."""
    pieces: list[str] = []
    origins: list[int] = []
    for found in _PIECE.finditer(text.translate(_SMALL)):
        if found.lastgroup == "same":
            pieces.append(found[0])
            origins.extend(range(found.start(), found.end()))
        elif found.lastgroup == "one":
            shown = _look_of(found[0])
            pieces.append(shown)
            origins.extend([found.start()] * len(shown))
    return "".join(pieces), [*origins, len(text)]


@cache
def _look_of(character: str) -> str:
    """Return what one character looks like; nothing where it is not seen, or only beside
    letters."""
    if character in _KNOWN_LOOKS:
        return _KNOWN_LOOKS[character]
    if character.isspace():
        return " "
    plain = unicodedata.normalize("NFKD", character)
    if unicodedata.category(character) in _DROPPED and not plain.isalnum():
        return ""
    seen = (c for c in plain.lower() if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return "".join(_KNOWN_LOOKS.get(c, c) for c in seen).translate(_LOOKALIKES)


# Words in scripts that are written without spaces end where the script does.
_NO_SPACES = r"\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_RUN = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+]{{0,9}}://+)?(?P<run>(?:[^\W_{_NO_SPACES}]|[.\-])+)|(?P<bare>://)"
)
_WEB_PORT = re.compile(r":(?:80|81|443|444|3000|5000|5173|80[08]\d|8443|8888|90[09]0|9443)(?!\d)")
# Kept for examples and local networks (RFC 2606, RFC 6762, RFC 7686, RFC 8375).
_KEPT = {
    "example", "test", "invalid", "localhost", "local", "internal", "onion", "lan", "home", "corp",
    "arpa",
}  # fmt: skip
# The root zone of April 2025. A name that is missing does not end an address.
_ROOT_ZONE = resources.files("bot.render").joinpath("top_level_domains.txt").read_text("utf-8")
_ENDS = frozenset(_fold(name)[0] for name in {*_ROOT_ZONE.split(), *_KEPT})
_EARLY_ENDS = {"com", "org", "edu", "gov", "mil"}  # believed though more follows
_UNSPACED_END = re.compile(
    r"(?<![\w.\-])[\w.\-]*\w\.(?:{})(?![\w])".format(
        "|".join(name for name in sorted(_ENDS) if re.search(f"[{_NO_SPACES}]", name))
    )
)

_NOWHERE = r"(?:/+(?:\.{1,2}|[^\s/]{1,40}/+\.\.)){0,5}?"  # steps of a path that lead back
_DISCORD = rf"discord(?:app)?\.com\.?(?::\d{{1,5}})?{_NOWHERE}/+"
_INVITE = re.compile(
    r"(?:discord\.(?:gg|me|io|li|gift|new|link)|dsc\.gg|invite\.gg)\.?(?::\d{1,5})?(?=/)"
    rf"|{_DISCORD}(?:invite|gifts|template|events|activities|quests|application-directory"
    r"|billing/+promotions|discovery/+applications)(?=/)"
    rf"|{_DISCORD}(?:api/+(?:v\d{{1,3}}/+)?)?oauth2/+authorize(?=[/?])"
)


@dataclass(frozen=True)
class _VisibleText:
    """The visible text, by position."""

    addresses: list[tuple[int, int, str]]  # from, to, host; no target is at the host ""
    invites: list[int]  # the positions of their paths

    @classmethod
    def of(cls, text: str) -> "_VisibleText":
        seen, origins = _fold(text)
        return cls(sorted(_addresses(text, seen, origins)), sorted(_find_invites(seen, origins)))

    def addresses_within(self, start: int, end: int) -> Iterator[str]:
        """Yield the first ones, one more than an honest label has."""
        first = bisect_left(self.addresses, (start, 0, ""))
        for _, stop, host in self.addresses[first : first + _MOST_ADDRESSES + 1]:
            if stop <= end:
                yield host

    def has_invite_within(self, start: int, end: int) -> bool:
        return bisect_left(self.invites, start) < bisect_left(self.invites, end)


def _find_invites(seen: str, origins: list[int]) -> Iterator[int]:
    """Yield where the paths of invitations begin; a part may be written as `%67`."""
    pieces: list[str] = []
    places: list[int] = []
    done = 0
    for found in _PERCENT.finditer(seen):
        pieces += [seen[done : found.start()], chr(int(found[1], 16)).lower()]
        places += range(done, found.start() + 1)
        done = found.end()
    pieces.append(seen[done:])
    places += range(done, len(seen) + 1)
    yield from (origins[places[found.end()]] for found in _INVITE.finditer("".join(pieces)))


def _addresses(text: str, seen: str, origins: list[int]) -> Iterator[tuple[int, int, str]]:
    """Yield what reads as an address."""
    turned = seen.find(_TURNED) if _TURNED in seen else len(seen)
    for found in _RUN.finditer(seen):
        scheme, written, bare = found.groups()
        if not (scheme or bare or "." in written or seen.startswith(":", found.end())):
            continue  # a word
        run = (written or "").strip(".-")
        begin = found.start("run") + (written or "").find(run)
        start, end = origins[found.start()], origins[found.end() - 1] + 1
        if scheme in ("http://", "https://") or _WEB_PORT.match(seen, found.end()):
            yield start, end, _required_host(text, run, origins[begin : begin + len(run)])
        elif scheme or bare or (found.start() > turned and "." in run):
            yield start, end, ""
        elif _is_host(run):
            yield start, end, _required_host(text, run, origins[begin : begin + len(run)])
    for found in _UNSPACED_END.finditer(seen):
        run_origins = origins[found.start() : found.end()]
        yield run_origins[0], run_origins[-1] + 1, _required_host(text, found[0], run_origins)


def _required_host(text: str, run: str, origins: list[int]) -> str:
    """Return the host that the target must have; a host that only looks like it is another one."""
    written = text[origins[0] : origins[-1] + 1] if origins else ""
    return run if written.isascii() else written.casefold()


def _is_host(run: str) -> bool:
    names = run.split(".")
    if len(names) == 4 and all(name.isdecimal() and len(name) <= 3 for name in names):
        return True
    if names[0] == "www" and len(names) > 1:
        return True
    return any(
        before and (name in _EARLY_ENDS or (name.partition("-")[0] in _ENDS and at == len(names)))
        for at, (before, name) in enumerate(pairwise(names), start=2)
    )


# --- code blocks --------------------------------------------------------------------------------

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_OPENING = re.compile(r"(?P<before>[ >]*)```[^`\n]*\n?\Z")
_MARK = re.compile(
    r"\\[^\w\s]|(?<!`)(?P<ticks>`++)[^`\n]+(?P=ticks)(?!`)|(?P<tick>`)"
    r"|(?P<address>https?://[^\s<]*)|(?P<mark>\*{1,3}|_{1,3}|~~|\|\||[\[\]])"
)


def _code_blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the contents of code blocks that are code under every reading of the text so far.

    Discord looks for the first mark, and then for its end wherever that is. So a mark that is left
    open, or a block without content, may make code of prose and prose of code: from there on no
    block is sure. A block that is still open is one: each message closes its own.
    """
    at = 0
    start: int | None = None  # of the content of the block that is open
    before = ""  # the marks of a quotation in front of it
    for line in _LINE.findall(text):
        if start is None:
            if opening := _OPENING.match(line):
                start, before = at + len(line), opening["before"]
            elif _TICKS in line or not _is_settled(line):
                return
        elif (ticks := line.find(_TICKS)) >= 0:
            if text[start : at + ticks].strip("\n> ") == "":
                return
            yield start, at + ticks
            start = None
            if not _is_settled(line[ticks + len(_TICKS) :]):
                return
        elif ">" in before and not line.lstrip(" ").startswith(">"):
            yield start, at
            return
        at += len(line)
    if start is not None:
        yield start, len(text)


def _is_settled(line: str) -> bool:
    """Return whether no mark of a line of prose waits for its end."""
    waiting: list[str] = []
    for found in _MARK.finditer(line):
        if found["tick"] or (found["address"] and re.search(r"[`*|\[]", found["address"])):
            return False
        mark = found["mark"]
        if not mark or _is_plain(line, found.start(), found.end()):
            continue
        if mark == "]":
            if waiting and waiting[-1] == "[":
                waiting.pop()
        elif waiting and waiting[-1] == mark:
            waiting.pop()
        else:
            waiting.append(mark)
    return not waiting


def _is_plain(line: str, start: int, end: int) -> bool:
    """Return whether stars stand alone, or underscores within a word."""
    before, behind = line[start - 1 : start] or " ", line[end : end + 1] or " "
    if line[start] == "_":
        return before.isalnum() and behind.isalnum()
    return line[start] == "*" and before.isspace() and behind.isspace()
