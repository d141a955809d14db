"""Actions on answers: ask again, continue, reword, undo, choose a version, vote; stop and allow.

A new version is an ordinary job that follows the same turn as the old one and is shown in the
same messages. Only a channel's latest answer can be changed, and only while nothing else is being
answered there, so that what people read is always what the model remembers.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from bot import notices, problem_numbers
from bot.answer_store import ShownAnswer
from bot.discord import access
from bot.discord.access import require_asker_or_manager, require_here
from bot.discord.ask import ask_flow
from bot.discord.ask.admission import asker_of
from bot.discord.delivery import reply_target
from bot.discord.delivery.message_transport import ORIGINAL
from bot.discord.delivery.reply_target import InteractionTarget, ReplyTarget
from bot.discord.host import Host, Interaction
from bot.discord.views import answer_buttons, steps_view
from bot.discord.views.answer_buttons import AllowButton, AnswerButton, StopButton
from bot.discord.views.embeds import notice_embed, send_notice
from bot.discord.views.modals import LONGEST_FIELD, FormField, FormSpec, form_values, send_form
from bot.feedback import Vote
from bot.i18n import words
from bot.notices import Notice, QuestionRefused, Tone
from bot.sanitize import clean_prompt
from common import tracing
from jobqueue.errors import QueueUnavailable, UnknownJob
from jobqueue.schema import Turn

FORM = "reword"  # the form's custom_id begins with this

NOT_YOURS = Notice("action-not-yours")
NOT_YOUR_QUESTION = Notice("action-not-your-question")
NOT_YOUR_FAILURE = Notice("retry-not-yours")
GONE = Notice("retry-forgotten")
STOP_NOT_YOURS = Notice("stop-not-yours")
ALLOW_NOT_YOURS = Notice("allow-not-yours")
OVER = Notice("stop-over")
OLD = Notice("action-old")
FORGOTTEN = Notice("action-forgotten")
TOO_LONG = Notice("action-long")

ActionHandler = Callable[[Interaction, str], Coroutine[Any, Any, None]]


class AnswerActions:
    def __init__(self, client: Host) -> None:
        self._client = client
        self._services = client.services
        self._answers = client.answers
        self._handlers: dict[str, ActionHandler] = {
            "again": self._regenerate,
            "retry": self._retry,
            "more": self._continue,
            "edit": self._open_edit_form,
            "undo": self._undo,
            "before": lambda press, job: self._switch_version(press, job, -1),
            "after": lambda press, job: self._switch_version(press, job, +1),
            "up": lambda press, job: self._vote(press, job, "up"),
            "down": lambda press, job: self._vote(press, job, "down"),
            "work": steps_view.show,
            "numbers": steps_view.open_numbers_form,
            "latex": steps_view.show_latex,
        }

    async def handle(self, interaction: Interaction, button: AnswerButton) -> None:
        """Run the action of the button.

        Raises:
            QuestionRefused: with what the person is told.
            QueueUnavailable: nothing was done.
        """
        act = self._handlers.get(button.fields["do"])
        if act is None:
            raise QuestionRefused(access.FORGOTTEN)
        await act(interaction, button.fields["job"])

    # --- new versions ---------------------------------------------------------------------------

    async def _regenerate(self, interaction: Interaction, job_id: str) -> None:
        await self._submit_version(
            interaction, await self._client.find_answer(interaction, job_id, FORGOTTEN)
        )

    async def _continue(self, interaction: Interaction, job_id: str) -> None:
        shown = await self._client.find_answer(interaction, job_id, FORGOTTEN)
        await self._submit_version(interaction, shown, continues=shown.job.id)

    async def _open_edit_form(self, interaction: Interaction, job_id: str) -> None:
        shown = await self._client.find_answer(interaction, job_id, FORGOTTEN)
        turn = await self._require_changeable(interaction, shown)
        if turn.user != str(interaction.user.id):
            raise QuestionRefused(NOT_YOUR_QUESTION)  # others may not change a person's words
        asked, _ = problem_numbers.split_prompt(turn.prompt)  # not the files' texts
        if len(asked) > LONGEST_FIELD:
            raise QuestionRefused(TOO_LONG)
        field = FormField("prompt", "edit-question", asked, LONGEST_FIELD, required=True)
        form = FormSpec(f"{FORM}:{job_id}", "edit-title", [field])
        await send_form(interaction, form.build(words(str(interaction.locale))))

    async def submit_edit(self, interaction: Interaction, job_id: str) -> None:
        """Submit the edited question. An earlier process may have opened the form."""
        shown = await self._client.find_answer(interaction, job_id, FORGOTTEN)
        if shown.job.user != str(interaction.user.id):
            raise QuestionRefused(NOT_YOUR_QUESTION)
        limit = self._services.settings.commonroom_max_prompt_chars
        prompt = clean_prompt(form_values(interaction).get("prompt", ""), limit)
        _, material = problem_numbers.split_prompt(shown.job.prompt)
        prompt = f"{prompt}\n\n{material}" if material else prompt
        await self._submit_version(interaction, shown, prompt=prompt)

    async def _retry(self, interaction: Interaction, job_id: str) -> None:
        """Ask a failed question again below. It has no turn that could have a new version."""
        try:
            failed = await self._services.queue.get_job(job_id)
        except UnknownJob as error:
            raise QuestionRefused(GONE) from error
        require_here(interaction, failed)
        if failed.user != str(interaction.user.id):
            raise QuestionRefused(NOT_YOUR_FAILURE)
        await ask_flow.ask_again(interaction, failed)

    async def _submit_version(
        self, interaction: Interaction, shown: ShownAnswer, **changes: str
    ) -> None:
        channel = shown.job.channel
        with tracing.start_question_span(str(interaction.id), channel, "renewed"):
            async with self._answers.lock_channel(channel):
                if self._answers.find_renewal(shown.id):  # a section of it, elsewhere
                    raise QuestionRefused(notices.BUSY)
                turn = await self._require_changeable(interaction, shown)
                renewed = {"prompt": turn.prompt, "continues": "", **changes}
                # The text read in a photo is part of the question now, perhaps corrected.
                asked = shown.job.prompt
                kept = bool(asked) and turn.prompt.startswith(asked)
                attachments = shown.job.attachments if kept else ()
                job = replace(
                    shown.job,
                    id=str(interaction.id),
                    parent=turn.parent,
                    reply=replacement_target(shown, interaction, quoted="prompt" in changes),
                    attachments=attachments,
                    **renewed,
                )
                admitted = await self._client.admission.admit(asker_of(interaction), job)
                submission = await self._answers.submit(admitted)
                try:
                    await interaction.response.defer()
                finally:
                    self._answers.start_delivery(admitted.job, submission)
                await self._answers.delete_unreachable_messages(
                    shown, reply_target.decode(admitted.job.reply).messages
                )

    # --- undo and choice of versions ------------------------------------------------------------

    async def _undo(self, interaction: Interaction, job_id: str) -> None:
        shown = await self._client.find_answer(interaction, job_id, FORGOTTEN)
        async with self._answers.lock_channel(shown.job.channel):
            turn = await self._require_changeable(interaction, shown)
            if not await self._services.history.undo(shown.job.channel, shown.job.id):
                raise QuestionRefused(OLD)
            done = notice_embed(Notice("undo-done", Tone.INFO), words(str(interaction.locale)))
            await interaction.response.edit_message(embed=done, view=None)
        before = await self._services.answers.find(turn.parent) if turn.parent else None
        if before and before.job.id == turn.parent:
            await self._services.answers.store(before)
            await self._client.registry.redraw_buttons(before, latest=True)

    async def _switch_version(self, interaction: Interaction, job_id: str, step: int) -> None:
        shown = await self._client.find_answer(interaction, job_id, FORGOTTEN)
        async with self._answers.lock_channel(shown.job.channel):
            await self._require_changeable(interaction, shown)
            wanted = shown.switch_to((shown.current + step) % len(shown.versions))
            channel, history = shown.job.channel, self._services.history
            turn = await history.get_turn(channel, wanted.job.id)
            if turn is None:
                raise QuestionRefused(FORGOTTEN)
            if not await history.select_head(channel, wanted.job.id, instead_of=shown.job.id):
                raise QuestionRefused(OLD)
            await interaction.response.defer()
            wanted = with_reachable_target(wanted, interaction)
            await self._answers.delete_unreachable_messages(shown, wanted.messages)
            await self._answers.show_version(wanted, turn.answer)

    # --- votes ----------------------------------------------------------------------------------

    async def _vote(self, interaction: Interaction, job_id: str, vote: Vote) -> None:
        await self._client.find_answer(interaction, job_id, FORGOTTEN)
        user, place = str(interaction.user.id), str(interaction.channel_id)
        feedback = self._services.feedback
        votes = await feedback.vote(job_id, place, user, vote, str(interaction.id))
        if interaction.message is not None and interaction.message.flags.components_v2:
            # An article's buttons are a part of its layout, which does not change.
            counted = Notice("vote-counted", Tone.INFO, {"up": votes.up, "down": votes.down})
            await send_notice(interaction, counted)
        elif interaction.message is not None:
            shown = answer_buttons.with_votes(interaction.message, votes)
            await interaction.response.edit_message(view=shown)

    # --- permissions ----------------------------------------------------------------------------

    async def _require_changeable(self, interaction: Interaction, shown: ShownAnswer) -> Turn:
        """Return the turn of the current version if this person may change it now."""
        require_asker_or_manager(interaction, shown.job, NOT_YOURS)
        history = self._services.history
        turn, head = await asyncio.gather(
            history.get_turn(shown.job.channel, shown.job.id), history.get_head(shown.job.channel)
        )
        if turn is None:
            raise QuestionRefused(FORGOTTEN)
        if head != shown.job.id:
            raise QuestionRefused(OLD)
        return turn


def replacement_target(
    shown: ShownAnswer, interaction: Interaction, *, quoted: bool = False
) -> str:
    """Return the encoded target of a new version: the messages of the old one.

    `quoted` shows the question again, since it is another one than its readers saw.
    """
    below = replace(
        target_of(shown, interaction),
        answer=shown.id,
        messages=editable_messages(shown, interaction),
    )
    below = replace(below, quoted=below.quoted or quoted)
    return reply_target.encode(below).decode()


def editable_messages(shown: ShownAnswer, interaction: Interaction) -> tuple[str, ...]:
    """Return those of an answer's messages that the press allows to edit.

    A token edits what was sent with it and the message whose button was pressed, no other
    message (https://discord.com/developers/docs/interactions/receiving-and-responding). The bot
    edits by itself where it may write.
    """
    below: ReplyTarget = reply_target.decode(shown.job.reply)
    pressed = str(interaction.message.id) if interaction.message else ""
    if isinstance(below, InteractionTarget) and not below.may_write and pressed in shown.messages:
        return (ORIGINAL,)
    return shown.messages


def target_of(shown: ShownAnswer, interaction: Interaction) -> ReplyTarget:
    """Return where the answer is, with the press's token where only a token can edit it."""
    below: ReplyTarget = reply_target.decode(shown.job.reply)
    if isinstance(below, InteractionTarget) and not below.may_write:
        created_s = int(interaction.created_at.timestamp())
        below = replace(below, token=interaction.token, created_s=created_s)
    return below


def with_reachable_target(shown: ShownAnswer, interaction: Interaction) -> ShownAnswer:
    """Return the answer with the place and the messages that the press allows to edit."""
    reply = reply_target.encode(target_of(shown, interaction)).decode()
    version = replace(shown.version, job=replace(shown.job, reply=reply))
    before, after = shown.versions[: shown.current], shown.versions[shown.current + 1 :]
    messages = editable_messages(shown, interaction)
    return replace(shown, versions=(*before, version, *after), messages=messages)


# --- while it is being written ------------------------------------------------------------------


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
        require_asker_or_manager(interaction, job, STOP_NOT_YOURS)
        state = await queue.cancel(job_id)
    except UnknownJob:
        return OVER
    except QueueUnavailable:
        return notices.UNAVAILABLE
    except QuestionRefused as refused:
        return refused.notice
    answered = state.is_terminal and job_id not in interaction.client.answers
    return OVER if answered else None


async def handle_allow(interaction: Interaction, button: AllowButton) -> None:
    """Record a person's decision on a tool call, where the admins ask for one.

    Raises:
        QuestionRefused: the job is over, shown elsewhere, or another person's.
    """
    services, fields = interaction.client.services, button.fields
    try:
        job = (await services.queue.get_status(fields["job"])).job
    except UnknownJob as error:
        raise QuestionRefused(OVER) from error
    require_here(interaction, job)
    require_asker_or_manager(interaction, job, ALLOW_NOT_YOURS)
    attempt, step = int(fields["attempt"]), int(fields["step"])
    await services.approvals.decide(job.id, attempt, step, allowed=fields["allowed"] == "1")
    await interaction.response.defer()  # the answer itself shows what came of it
