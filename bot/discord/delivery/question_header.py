"""What stands above an answer: what was asked, where Discord does not show it."""

from bot import problem_numbers
from bot.discord.delivery import reply_target
from bot.discord.delivery.reply_target import InteractionTarget
from bot.render.question_quote import quotation
from jobqueue.schema import Job


def build_header(job: Job) -> str:
    """The question, the pictures that came with a command, and the message it is about."""
    below = reply_target.decode(job.reply)
    asked, material = problem_numbers.parted(job.prompt)
    command = below if isinstance(below, InteractionTarget) else None
    message = below.about if command or below.quoted else ""  # else Discord shows it
    if material and not (below.footnotes or below.about or below.read_along):
        asked = job.prompt  # nothing was read along: the person wrote what looks like it
    lines = [quotation(asked)] if below.quoted and asked else []
    if (command or message) and not job.order:
        about = message or ", ".join(f"`{name}`" for name in _pictures(job))
        lines += [f"> {'↪' if message else '🖼️'} {about}"] if about else []
    return "\n".join(lines)


def _pictures(job: Job) -> list[str]:
    files = (file for file in job.attachments if file.media_type.startswith("image/"))
    return list(dict.fromkeys(file.name for file in files))
