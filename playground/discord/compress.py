"""Gateway transport compression: one stream per connection, flushed after each payload.

https://discord.com/developers/docs/events/gateway#transport-compression
"""

import importlib
import zlib
from collections.abc import Callable

Compress = Callable[[str], str | bytes]


class UnknownCompressionError(ValueError):
    """The client asked for something this server cannot do."""


def create_compressor(name: str | None) -> Compress:
    """For the `compress` parameter of a gateway address."""
    if name is None:
        return lambda payload: payload
    if name == "zlib-stream":
        stream = zlib.compressobj()
        return lambda payload: stream.compress(payload.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
    if name == "zstd-stream":
        return _create_zstd_compressor()
    raise UnknownCompressionError(name)


def _create_zstd_compressor() -> Compress:
    # discord.py asks for it exactly where this package is installed, so it is here then too.
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        raise UnknownCompressionError("zstd-stream") from None
    stream = zstandard.ZstdCompressor().compressobj()
    flush_block = zstandard.COMPRESSOBJ_FLUSH_BLOCK

    def compress(payload: str) -> bytes:
        return bytes(stream.compress(payload.encode()) + stream.flush(flush_block))

    return compress
