"""Links that do not lead where they seem to, shown as the text they are.

A model repeats what it has read, so an answer may carry a link that somebody planted. Discord
itself shows a masked link whose label holds an address as text, but not one whose label is a
bare host, and it turns every invitation into a card with a button.

A zero-width space takes the meaning and leaves the looks. Where it goes is decided from the text
before it alone, so that the result grows with the text.
"""

import re
import unicodedata

from bot.render.marks import Marks

_ZERO_WIDTH = "\u200b"

_LABEL = re.compile(r"\[([^\[\]\n]*)\](?=\()")
_HOST = re.compile(r"\w[\w-]*\.[a-z]{2,}\b|://|\bwww\.", re.IGNORECASE)
_INVITE = re.compile(
    r"(?:\bdiscord(?:app)?\.com/invite|\bdiscord\.(?:gg|me|io)|\bdsc\.gg)(?=/)", re.IGNORECASE
)
# https://good.example@evil.example leads to the host behind the sign.
_USER_PART = re.compile(r"\bhttps?://[^\s/@<>()\[\]]+(?=@)", re.IGNORECASE)
# What Unicode offers in place of a dot, besides what normal form KC already folds.
_DOTS = str.maketrans(dict.fromkeys("。｡．․‧・⸱𝅭ꓸ·∙⋅", "."))


def harmless_links(text: str) -> str:
    """`text` without forged links and invitations, code blocks aside."""
    marks = Marks(text)
    # From the last to the first, so that the places found stay right.
    for at in sorted(_places(text), reverse=True):
        if marks.language(at) is None:
            text = text[:at] + _ZERO_WIDTH + text[at:]
    return text


def looks_like_address(label: str) -> bool:
    """Whether a reader may take a link's label for where the link leads."""
    seen = "".join(c for c in label if unicodedata.category(c) not in ("Cf", "Mn", "Me"))
    seen = unicodedata.normalize("NFKC", seen).translate(_DOTS)
    return _HOST.search(seen.replace("\\", "")) is not None


def _places(text: str) -> set[int]:
    labels = (m.end() for m in _LABEL.finditer(text) if looks_like_address(m[1]))
    invites = (m.end() for m in _INVITE.finditer(text))
    users = (m.end() for m in _USER_PART.finditer(text))
    return {*labels, *invites, *users}
