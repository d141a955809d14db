"""What a file is, by its first bytes. Names and media types are claims, and claims lie."""

from enum import StrEnum


class Kind(StrEnum):
    TEXT = "text"
    PDF = "pdf"
    DOCX = "docx"
    IMAGE = "image"
    HEIC = "heic"
    AUDIO = "audio"
    UNKNOWN = "unknown"


_MAGIC = (
    (b"%PDF-", Kind.PDF),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"GIF87a", Kind.IMAGE),
    (b"GIF89a", Kind.IMAGE),
    (b"OggS", Kind.AUDIO),
    (b"ID3", Kind.AUDIO),
    (b"fLaC", Kind.AUDIO),
)
# In order: strict enough that the wrong one nearly always fails. gb18030 is what Chinese
# Windows writes.
_ENCODINGS = ("utf-8-sig", "gb18030", "cp1252")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What an ISO media file says that it is, behind its first box's length and name.
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), Kind.IMAGE),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), Kind.HEIC),
    **dict.fromkeys((b"mif1", b"msf1"), Kind.HEIC),
}
_SAMPLE = 4_096
_FEW_CONTROLS = 0.01


def kind_of(data: bytes) -> Kind:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data.startswith(b"RIFF"):
        return {b"WEBP": Kind.IMAGE, b"WAVE": Kind.AUDIO}.get(data[8:12], Kind.UNKNOWN)
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], Kind.UNKNOWN)
    if data.startswith(b"PK\x03\x04"):
        # Its parts' names stand in the archive uncompressed.
        return Kind.DOCX if b"word/document.xml" in data else Kind.UNKNOWN
    return Kind.TEXT if decode(data) is not None else Kind.UNKNOWN


def decode(data: bytes) -> str | None:
    """The text of a text file; None when it is none."""
    if data.startswith(_UTF16_MARKS):
        return _as("utf-16", data)
    if b"\0" in data[:_SAMPLE]:
        return None
    for encoding in _ENCODINGS:
        text = _as(encoding, data)
        if text is not None and _reads_as_text(text[:_SAMPLE]):
            return text
    return None


def _as(encoding: str, data: bytes) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _reads_as_text(sample: str) -> bool:
    controls = sum(c < " " and c not in "\t\n\r\f" for c in sample)
    return controls <= len(sample) * _FEW_CONTROLS
