"""Files as people, and attackers, make them."""

import base64
import io
import struct
import zipfile
import zlib

import docx
import pypdf
from PIL import Image


def pdf(*pages: str, stream: bytes | None = None) -> bytes:
    """One text line a page, or pages of this compressed stream."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    kids = []
    for text in pages:
        plain = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
        packed = zlib.compress(plain) if stream is None else stream
        number = len(objects) + 1
        kids.append(f"{number} 0 R")
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            b"/Resources << /Font << /F1 " + font + b" >> >> "
            b"/Contents " + f"{number + 1} 0 R >>".encode()
        )
        head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        objects.append(head + packed + b"\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    start = len(out)
    size = len(objects) + 1
    return (
        out
        + f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
        + f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    )


def pdf_of_halves(text: str) -> bytes:
    """Its font says that an "h" is half a character of UTF-16."""
    table = b"1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
    table += b"1 beginbfchar\n<68> <D800>\nendbfchar\n"
    mapping = b"9 0 obj\n<< /Length %d >>\nstream\n%bendstream\nendobj\n" % (len(table), table)
    plain = pdf(text).replace(b"/Helvetica", b"/Helvetica /ToUnicode 9 0 R")
    return plain.replace(b"xref\n", mapping + b"xref\n", 1)


def pdf_of_work(words: int) -> bytes:
    """A small file whose one page takes seconds."""
    return pdf("", stream=zlib.compress(b"BT /F1 9 Tf " + b"(x) Tj " * words + b" ET"))


def pdf_locked(text: str, opened_by: str = "a word", cipher: str = "AES-256") -> bytes:
    """One that asks for a password, or for none to read it where that is empty."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(text)))
    writer.encrypt(opened_by, "the owner's", algorithm=cipher)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_of_pictures() -> bytes:
    """A page that was scanned."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PDF")
    return out.getvalue()


def pdf_bomb(unpacked: int) -> bytes:
    """A page whose content unpacks to so many bytes."""
    packer = zlib.compressobj(9)
    block = b"BT (x) Tj ET " * 80_000
    packed = b"".join(packer.compress(block) for _ in range(unpacked // len(block)))
    return pdf("", stream=packed + packer.flush())


def word(*paragraphs: str, table: list[list[str]] | None = None) -> bytes:
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if table:
        grid = document.add_table(len(table), len(table[0]))
        for row, values in zip(grid.rows, table, strict=True):
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


_OFFICE = "http://schemas.openxmlformats.org"
_NAMES = {
    "w": f"{_OFFICE}/wordprocessingml/2006/main",
    "m": f"{_OFFICE}/officeDocument/2006/math",
    "r": f"{_OFFICE}/officeDocument/2006/relationships",
    "a": f"{_OFFICE}/drawingml/2006/main",
    "wp": f"{_OFFICE}/drawingml/2006/wordprocessingDrawing",
    "mc": f"{_OFFICE}/markup-compatibility/2006",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
}
NAMESPACES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*inside: str) -> str:
    return f"<w:p>{''.join(inside)}</w:p>"


def word_of(body: str, parts: dict[str, str] | None = None, head: str = "") -> bytes:
    """A Word document with this body, in raw XML; `parts` by their kind, such as "footnotes"."""
    parts = parts or {}
    rels = f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
    kind = f"{_NAMES['r']}/"
    related = "".join(
        f'<Relationship Id="{name}" Type="{kind}{name.rstrip("0123456789")}" Target="{name}.xml"/>'
        for name in parts
    )
    main = f'<Relationship Id="d" Type="{kind}officeDocument" Target="word/document.xml"/>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", f"{rels}{main}</Relationships>")
        archive.writestr("word/_rels/document.xml.rels", f"{rels}{related}</Relationships>")
        document = f"{head}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
        archive.writestr("word/document.xml", document)
        for name, content in parts.items():
            tag, _, inside = content.partition(":")
            archive.writestr(f"word/{name}.xml", f"<w:{tag} {NAMESPACES}>{inside}</w:{tag}>")
    return out.getvalue()


def word_bomb(unpacked: int) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(unpacked >> 20):
            part.write(b"A" * (1 << 20))
    return out.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (4, 3)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


# 96 by 64 pixels, red on the left and white on the right, to be turned by a quarter: as a phone
# writes it. By libheif with x265.
PHOTO = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaFtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAA"
    "AAAAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAABxQABAAAAAAAAACgAAgAAAAAB7QABAAAAAAAAACQAAAA4aWluZgAA"
    "AAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA4Glwcn"
    "AAAADAaXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroC"
    "QGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2"
    "xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABgAAAAQAAAABBwaXhpAAAAAAMICAgAAAAJaXJvdAMAAAAYaXBtYQAA"
    "AAAAAAABAAEFgQIDBIUAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAFRtZGF0AAAAJCgBrxmA93yFN//4oYf+a1"
    "r/r+C7T4X5Q/ncLaf5ZsgB7HSv/gAAAAZFeGlmAABNTQAqAAAACAABARIAAwAAAAEABgAAAAAAAA=="
)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


def png(depth: int, kind: int, row: bytes, width: int, *, hidden: bytes = b"") -> bytes:
    """A PNG of 32 such rows, in a depth and kind of colours that Pillow does not write."""
    head = width.to_bytes(4) + (32).to_bytes(4) + bytes((depth, kind, 0, 0, 0))
    out = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head)
    out += _chunk(b"tRNS", hidden) if hidden else b""
    return out + _chunk(b"IDAT", zlib.compress((b"\0" + row) * 32)) + _chunk(b"IEND", b"")


def tiff_of_large_bytes_first(row: bytes, width: int) -> bytes:
    """A TIFF of 32 such rows of 16 bits a pixel."""
    data = row * 32
    shorts = {256: width, 257: 32, 258: 16, 259: 1, 262: 1, 277: 1, 278: 32}
    longs = {273: 8, 279: len(data)}
    tags = b"".join(
        struct.pack(">HHIHH", tag, 3, 1, shorts[tag], 0)
        if tag in shorts
        else struct.pack(">HHII", tag, 4, 1, longs[tag])
        for tag in sorted(shorts | longs)
    )
    count = struct.pack(">H", len(shorts | longs))
    return b"MM\0*" + struct.pack(">I", 8 + len(data)) + data + count + tags + b"\0\0\0\0"


def huge_picture() -> bytes:
    """A header that promises 10¹⁰ pixels."""
    head = b"IHDR" + (100_000).to_bytes(4) * 2 + b"\x08\x02\0\0\0"
    chunk = (13).to_bytes(4) + head + zlib.crc32(head).to_bytes(4)
    data = b"IDAT" + zlib.compress(b"")
    more = (len(data) - 4).to_bytes(4) + data + zlib.crc32(data).to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + chunk + more
