"""The tool that reads text in the conversation's pictures, for models without vision."""

from inference import ocr
from inference.tools.base import Context, ToolFailed, cut


async def read_picture(context: Context, picture: str) -> str:
    """Read the text in a picture that was posted in this conversation.

    picture: its file name, as photo.png
    """
    if not context.pictures:
        raise ToolFailed("no picture was posted")
    if picture not in context.pictures:
        names = ", ".join(context.pictures)
        raise ToolFailed(f"there is no picture {picture!r}; there are {names}")
    try:
        lines = await ocr.read_text(context.pictures[picture])
    except ocr.Unread as error:
        raise ToolFailed(f"{picture} cannot be read: {error}") from error
    return cut(ocr.in_rows(lines)) or "There is no text in it."
