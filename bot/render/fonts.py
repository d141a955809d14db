"""The characters that the machine's fonts can draw."""

from functools import cache
from xml.sax.saxutils import escape

import resvg_py

# Ideographs, kana, Hangul and their punctuation.
EAST_ASIAN = (
    "[\u2e80-\u303f\u3040-\u30ff\u3130-\u318f\u31f0-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]"
)

# The first that is installed is taken; single characters may still come from any other.
FAMILIES = (
    "Noto Sans, Noto Sans CJK SC, DejaVu Sans, Liberation Sans, WenQuanYi Micro Hei, PingFang SC, "
    "Microsoft YaHei, Helvetica, Arial, sans-serif"
)
EAST_ASIAN_FAMILIES = (
    "Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, WenQuanYi Micro Hei, WenQuanYi Zen Hei, "
    "PingFang SC, Microsoft YaHei, Droid Sans Fallback, sans-serif"
)
_NO_CHARACTER = "\U0010fffe"


@cache
def draws(char: str) -> bool:
    """Return whether some installed font has `char`. It is drawn once to find out."""
    return _draw_char(char) not in (_draw_char(" "), _draw_char(_NO_CHARACTER))


def _draw_char(char: str) -> bytes:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
        f'<text y="16" font-size="16" font-family="{FAMILIES}">{escape(char)}</text></svg>'
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=svg))
