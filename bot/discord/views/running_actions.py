"""What people may do about an answer that is still being written: stop it, or allow a tool call."""

from bot import notices
from bot.discord.access import require_here
from bot.discord.host import Interaction
from bot.discord.views.answer_buttons import AllowButton, StopButton
from bot.discord.views.embeds import send_notice
from bot.notices import Notice, Refused
from jobqueue.errors import QueueUnavailable, UnknownJob

STOP_NOT_YOURS = Notice("stop-not-yours")
ALLOW_NOT_YOURS = Notice("allow-not-yours")
OVER = Notice("stop-over")


async def handle_stop(interaction: Interaction, button: StopButton) -> None:
    if refusal := await stop(interaction, button.fields["job"]):
        await send_notice(interaction, refusal)
    else:
        await interaction.response.defer()  # the answer itself shows that it ended


async def stop(interaction: Interaction, job_id: str) -> Notice | None:
    """Stop the job if this person may. Return the reason if they may not."""
    queue = interaction.client.services.queue
    try:
        job = (await queue.get_status(job_id)).job
        require_here(interaction, job)
        if job.user != str(interaction.user.id) and not interaction.permissions.manage_messages:
            return STOP_NOT_YOURS
        state = await queue.cancel(job_id)
    except UnknownJob:
        return OVER
    except QueueUnavailable:
        return notices.UNAVAILABLE
    except Refused as refused:
        return refused.notice
    answered = state.is_terminal and job_id not in interaction.client.answers
    return OVER if answered else None


async def handle_allow(interaction: Interaction, button: AllowButton) -> None:
    """Record a person's decision on a tool call, where the admins ask for one.

    Raises:
        Refused: the job is over, shown elsewhere, or another person's.
    """
    services, fields = interaction.client.services, button.fields
    try:
        job = (await services.queue.get_status(fields["job"])).job
    except UnknownJob as error:
        raise Refused(OVER) from error
    require_here(interaction, job)
    if job.user != str(interaction.user.id) and not interaction.permissions.manage_messages:
        raise Refused(ALLOW_NOT_YOURS)
    attempt, step = int(fields["attempt"]), int(fields["step"])
    await services.approvals.decide(job.id, attempt, step, allowed=fields["allowed"] == "1")
    await interaction.response.defer()  # the answer itself shows what came of it
