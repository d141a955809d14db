"""Pictures with text in them, as a screen shows it."""

from xml.sax.saxutils import escape

import resvg_py

from bot.render.svg_to_png import EAST_ASIAN_FAMILIES


def written(*lines: str, size: int = 32, width: int = 900) -> bytes:
    """A PNG file with black lines of text on white."""
    rows = "".join(
        f'<text x="20" y="{size * (2 * number + 2)}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{size * (2 * len(lines) + 1)}" font-size="{size}" '
        f'font-family="DejaVu Sans, {EAST_ASIAN_FAMILIES}">{rows}</svg>'
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, background="white"))
