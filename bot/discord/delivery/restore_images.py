"""Pictures of an article that are no longer in the queue's memory, taken from its own messages.

Bytes live there for a day, an article's buttons for a month. Its messages keep its pictures, under
names that say what they hold; so what is laid out anew loses none.
"""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import aiohttp
import discord

from bot.answer_formatter import figure_name
from bot.answer_store import Shown
from bot.discord.delivery import reply_target
from jobqueue.article import Article
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueError

log = logging.getLogger(__name__)


async def restore_images(
    client: discord.Client, blobs: Blobs, shown: Shown, article: Article
) -> None:
    """Put back what is gone, as far as Discord still has it; a picture less is no failure."""
    with suppress(QueueError):
        wanted = {
            figure_name(figure): figure.picture.sha256
            for figure in article.figures
            if await blobs.get(figure.picture.sha256) is None
        }
        if not wanted:
            return
        async for name, data in _attached(client, shown, wanted):
            if sha256(data).hexdigest() == wanted[name]:
                await blobs.put(data, user=shown.job.user, server=shown.job.server)


async def _attached(
    client: discord.Client, shown: Shown, wanted: Collection[str]
) -> AsyncIterator[tuple[str, bytes]]:
    channel = client.get_partial_messageable(int(reply_target.decode(shown.job.reply).channel))
    for message in shown.messages:
        try:
            found = await channel.fetch_message(int(message.rpartition("/")[2]))
            for url in _addresses_of_files(found):
                name = PurePosixPath(urlsplit(url).path).name
                if name in wanted:
                    yield name, await client.http.get_from_cdn(url)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.info("pictures not reclaimed answer=%s: %r", shown.id, error)


def _addresses_of_files(message: discord.Message) -> Iterator[str]:
    """Yield the address of each file of a message. An address ends with the file's name.

    `attachments` holds only files that no embed and no component shows.
    """
    yield from (file.url for file in message.attachments)
    yield from (item.url for item in _media_in(message.components))


def _media_in(components: Iterable[object]) -> Iterator[discord.UnfurledMediaItem]:
    for component in components:
        match component:
            case discord.MediaGalleryComponent(items=items):
                yield from (item.media for item in items)
            case discord.FileComponent(media=media) | discord.ThumbnailComponent(media=media):
                yield media
            case discord.Container(children=children):
                yield from _media_in(children)
            case discord.SectionComponent(accessory=accessory):
                yield from _media_in([accessory])
