"""The type of a file, by its first bytes. Names and media types are claims, and claims lie."""

import struct
from enum import StrEnum

from bot.files import plain_text


class FileType(StrEnum):
    TEXT = "text"
    PDF = "pdf"
    DOCX = "docx"
    IMAGE = "image"
    HEIC = "heic"
    AUDIO = "audio"
    UNKNOWN = "unknown"


_MAGIC = (
    (b"%PDF-", FileType.PDF),
    (b"\x89PNG\r\n\x1a\n", FileType.IMAGE),
    (b"\xff\xd8\xff", FileType.IMAGE),
    (b"GIF87a", FileType.IMAGE),
    (b"GIF89a", FileType.IMAGE),
    (b"II*\0", FileType.IMAGE),  # TIFF
    (b"MM\0*", FileType.IMAGE),
    (b"OggS", FileType.AUDIO),
    (b"ID3", FileType.AUDIO),
    (b"fLaC", FileType.AUDIO),
    *((head, FileType.AUDIO) for head in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),  # untitled MP3
)
# Brands of ISO media files, which follow the first box's length and name.
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), FileType.IMAGE),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), FileType.HEIC),
    **dict.fromkeys((b"mif1", b"msf1"), FileType.HEIC),
    **dict.fromkeys((b"M4A ", b"M4B "), FileType.AUDIO),
}
_PDF_WITHIN = 1_024  # bytes that may stand before a PDF's head, as readers allow
_BITMAP_HEADS = (12, 40, 52, 56, 64, 108, 124)  # lengths of the second head of a BMP

_RTF = b"{\\rtf"  # a text by its bytes, mostly of codes

# Known types that are not read, and the message that says so.
_UNREAD_MAGIC = (
    (_RTF, "file-rtf"),
    (b"Rar!\x1a\x07", "file-archive"),
    (b"7z\xbc\xaf\x27\x1c", "file-archive"),
    (b"\x1f\x8b", "file-archive"),
    (b"BZh", "file-archive"),
    (b"\xfd7zXZ", "file-archive"),
    (b"\x28\xb5\x2f\xfd", "file-archive"),
    (b"\x7fELF", "file-program"),
    (b"MZ", "file-program"),
    (b"\xcf\xfa\xed\xfe", "file-program"),
    (b"\xca\xfe\xba\xbe", "file-program"),
    (b"\0asm", "file-program"),
    (b"\x1aE\xdf\xa3", "file-video"),
    (b"FLV\x01", "file-video"),
    (b"\0\0\x01\xba", "file-video"),
)
# First bytes that no readable text has.
_NEVER_TEXT = (
    _RTF,
    *(magic for magic, _ in _UNREAD_MAGIC if not magic.decode("latin-1").isprintable()),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = ("WordDocument", "Workbook", "Book", "PowerPoint Document")
_IN_ZIP = (
    (b"mimetypeapplication/vnd.oasis.opendocument", "file-opendocument"),
    (b"mimetypeapplication/epub+zip", "file-ebook"),
    (b"xl/", "file-spreadsheet"),
    (b"ppt/", "file-slides"),
    (b".iwa", "file-iwork"),
)


def kind_of(data: bytes) -> FileType:
    """Return what it is, in little time."""
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if kind is None:
        kind = _kind_of_container(data)
    if kind is None:
        is_text = not data.startswith(_NEVER_TEXT) and plain_text.looks_like_text(data)
        kind = FileType.TEXT if is_text else FileType.UNKNOWN
    return kind


def _kind_of_container(data: bytes) -> FileType | None:
    """Return what it is by more than its first bytes."""
    kind = None
    if data.startswith(b"RIFF"):
        kind = {b"WEBP": FileType.IMAGE, b"WAVE": FileType.AUDIO}.get(data[8:12], FileType.UNKNOWN)
    elif data[4:8] == b"ftyp":
        kind = _BRANDS.get(data[8:12], FileType.UNKNOWN)
    elif data.startswith(b"PK\x03\x04"):
        # The names of its parts are not compressed.
        kind = FileType.DOCX if b"word/document" in data else FileType.UNKNOWN
    elif b"\n%PDF-" in data[:_PDF_WITHIN] and b"endobj" in data:
        kind = FileType.PDF
    elif _is_bitmap(data):
        kind = FileType.IMAGE
    return kind


def decode(data: bytes) -> str | None:
    """Return the text of a text file; None when it is none."""
    found = plain_text.read_text(data) if kind_of(data) is FileType.TEXT else None
    return found.text if found else None


def name_unread(data: bytes) -> str:
    """Return the key that names a kind which is not read; nothing where it is not known either."""
    key = next((key for magic, key in _UNREAD_MAGIC if data.startswith(magic)), "")
    if data.startswith(b"PK\x03\x04"):
        locked = data[6] & 1
        keys = (key for mark, key in _IN_ZIP if mark in data)
        key = "file-encrypted" if locked else next(keys, "file-archive")
    elif data.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in data
        office = any(stream.encode("utf-16-le") in data for stream in _OLE_STREAMS)
        key = "file-encrypted" if locked else "file-old-office" * office
    elif data[4:8] == b"ftyp" or (data.startswith(b"RIFF") and data[8:12] == b"AVI "):
        key = "file-video"
    elif data[257:262] == b"ustar":
        key = "file-archive"
    return key


def _is_bitmap(data: bytes) -> bool:
    """Return whether it is a BMP, which begins with two letters that many texts begin with."""
    if not data.startswith(b"BM") or len(data) < 26:
        return False
    reserved, _, head = struct.unpack_from("<III", data, 6)
    return reserved == 0 and head in _BITMAP_HEADS
