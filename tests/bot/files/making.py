"""Files as people, and attackers, make them."""

import base64
import io
import zipfile
import zlib

import docx
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


def huge_picture() -> bytes:
    """A header that promises 10¹⁰ pixels."""
    head = b"IHDR" + (100_000).to_bytes(4) * 2 + b"\x08\x02\0\0\0"
    chunk = (13).to_bytes(4) + head + zlib.crc32(head).to_bytes(4)
    data = b"IDAT" + zlib.compress(b"")
    more = (len(data) - 4).to_bytes(4) + data + zlib.crc32(data).to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + chunk + more
