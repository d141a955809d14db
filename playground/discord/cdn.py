"""Uploaded files and their signed URLs, which expire like Discord's."""

import hashlib
import hmac
import mimetypes
import re
import secrets
import struct
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from playground.discord.clock import Clock
from playground.discord.errors import DiscordError
from playground.discord.json_types import File, Json

URL_SECONDS = 24 * 3600
_UNSAFE = re.compile(r"[^\w.\-]+")


@dataclass
class Cdn:
    clock: Clock
    base_url: str = ""  # http://host:port/cdn
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        self._files: dict[str, File] = {}  # by path below the base

    def store(self, file: File, channel: str, attachment_id: str) -> Json:
        """Keep a file. Return Discord's attachment object."""
        name = _UNSAFE.sub("_", file.name.replace("\\", "/").rsplit("/", 1)[-1]) or "file"
        path = f"attachments/{channel}/{attachment_id}/{name}"
        self._files[path] = file
        media_type = file.media_type or mimetypes.guess_type(name)[0]
        attachment: Json = {
            "id": attachment_id,
            "filename": name,
            "size": len(file.data),
            **self.sign_urls(path),
        }
        if media_type:
            attachment["content_type"] = media_type
        if file.description:
            attachment["description"] = file.description
        if size := picture_size(file.data):
            attachment["width"], attachment["height"] = size
        return attachment

    def sign_urls(self, path: str) -> Json:
        now = int(self.clock.now())
        expires = f"{now + URL_SECONDS:x}"
        query = urlencode({"ex": expires, "is": f"{now:x}", "hm": self._sign(path, expires)})
        url = f"{self.base_url}/{quote(path)}?{query}"
        return {"url": url, "proxy_url": url}

    def renew_urls(self, attachment: Json, channel: str) -> Json:
        path = f"attachments/{channel}/{attachment['id']}/{attachment['filename']}"
        return {**attachment, **self.sign_urls(path)} if path in self._files else attachment

    def read(self, path: str, expires: str, signature: str) -> File:
        """Return a file. Raises 404 for an unknown or expired URL, as Discord's CDN does."""
        file = self._files.get(path)
        genuine = hmac.compare_digest(
            self._sign(path, expires).encode(), signature.encode(errors="replace")
        )
        if file is None or not genuine or int(expires, 16) < self.clock.now():
            raise DiscordError(404, 0, "This content is no longer available.")
        return file

    def _sign(self, path: str, expires: str) -> str:
        return hmac.new(self.secret, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height of a PNG, GIF or JPEG, from its header."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    return _jpeg_size(data) if data[:2] == b"\xff\xd8" else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
