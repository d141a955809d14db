"""What the bot needs to be allowed in a server, and nothing more."""

import discord

NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,  # /ask and /thread
    embed_links=True,
    attach_files=True,
    read_message_history=True,
)


def invitation(application_id: int) -> str:
    """Where a server's admin lets the bot in, with exactly these permissions."""
    scopes = ("bot", "applications.commands")
    return discord.utils.oauth_url(application_id, permissions=NEEDED, scopes=scopes)


def missing(held: discord.Permissions) -> list[str]:
    """The needed ones that are not held, in words such as `attach files`."""
    if held.administrator:
        return []
    return [name.replace("_", " ") for name, needed in NEEDED if needed and not getattr(held, name)]
