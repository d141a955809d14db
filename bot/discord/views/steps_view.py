"""What an answer's Steps, LaTeX and Other numbers buttons open.

Each reads the stored answer and its steps, so that it works after a restart.
"""

import asyncio
from io import BytesIO
from typing import Any

import discord

from bot import problem_numbers
from bot.agent_trace import AgentTrace
from bot.discord.access import require_here
from bot.discord.ask import ask_flow
from bot.discord.ask.job_factory import AskOptions
from bot.discord.delivery.reply_target import Footnote, is_private
from bot.discord.host import Interaction
from bot.discord.views.modals import form_values, send_form
from bot.discord.views.persistent_item import PersistentItem
from bot.i18n import Words, words
from bot.notices import Notice, QuestionRefused
from bot.render import steps_text
from bot.render.code_fences import code_block
from bot.render.formulas import sources
from bot.render.split import MESSAGE_UNITS, units
from jobqueue.errors import UnknownJob
from jobqueue.schema import SOLVE

FORM = "numbers"  # the form's custom_id begins with this
MOST_FILES = 10  # of one message

FORGOTTEN = Notice("work-forgotten")
LATEX_FORGOTTEN = Notice("latex-forgotten")
LATEX_FILE = "formulas.tex"
NUMBERS_UNCHANGED = Notice("numbers-same")
NOBODY = discord.AllowedMentions.none()


# --- the steps ----------------------------------------------------------------------------------


async def show(interaction: Interaction, job_id: str) -> None:
    """Show the first page of the steps to this person alone, with the programs as files.

    Raises:
        QuestionRefused: the steps are no longer kept.
    """
    work = await _find_steps(interaction, job_id)
    say = words(str(interaction.locale))
    await interaction.response.send_message(
        **_render_page(work, 0, job_id, say),
        files=_programs(work),
        ephemeral=True,
        allowed_mentions=NOBODY,
    )


async def _find_steps(interaction: Interaction, job_id: str) -> AgentTrace:
    """Return the steps.

    Raises `QuestionRefused` if they are forgotten, or private to another person or place.
    """
    service = interaction.client.services
    await interaction.client.answers.wait_until_recorded(job_id)
    work, shown = await service.traces.find(job_id), await service.answers.find(job_id)
    try:  # an answer that came to nothing is known by its question
        job = shown.job if shown else await service.queue.get_job(job_id)
    except UnknownJob as error:
        raise QuestionRefused(FORGOTTEN) from error
    require_here(interaction, job)
    if work is None:
        raise QuestionRefused(FORGOTTEN)
    return work


def _render_page(work: AgentTrace, number: int, job_id: str, say: Words) -> dict[str, Any]:
    contents = steps_text.paginate_steps(work, say)
    view = discord.ui.View(timeout=None)
    if len(contents) > 1:
        for button in _page_buttons(number, len(contents), job_id):
            view.add_item(button)
    return {"content": contents[min(number, len(contents) - 1)], "view": view}


def _page_buttons(number: int, pages: int, job_id: str) -> list[PersistentItem]:
    place, is_last = f"{number + 1}/{pages}", number == pages - 1
    return [
        _page_button(number - 1, job_id, emoji="◀️", disabled=number == 0),
        _page_button(number, job_id, label=place, disabled=True),
        _page_button(number + 1, job_id, emoji="▶️", disabled=is_last),
    ]


def _page_button(page: int, job_id: str, **looks: Any) -> "PageButton":
    return PageButton(discord.ui.Button(custom_id=f"work:{page}:{job_id}", **looks))


def _programs(work: AgentTrace) -> list[discord.File]:
    programs = work.programs[-MOST_FILES:]
    names = [f"program-{n}.py" for n in range(1, len(programs) + 1)]
    names = names if len(programs) > 1 else ["program.py"]
    return [
        discord.File(BytesIO(f"{program.rstrip()}\n".encode()), name)
        for name, program in zip(names, programs, strict=False)
    ]


class PageButton(PersistentItem, template=r"work:(?P<page>-?\d+):(?P<job>\d+)"):
    """A button that turns to another page of the steps."""


async def turn_page(interaction: Interaction, button: PageButton) -> None:
    job_id = button.fields["job"]
    work = await _find_steps(interaction, job_id)
    page = _render_page(work, int(button.fields["page"]), job_id, words(str(interaction.locale)))
    await interaction.response.edit_message(**page, allowed_mentions=NOBODY)


# --- the problem with other numbers -------------------------------------------------------------


async def open_numbers_form(interaction: Interaction, job_id: str) -> None:
    """Open a form with the problem's numbers. Raises `QuestionRefused` if it is forgotten."""
    shown = await interaction.client.find_answer(interaction, job_id, FORGOTTEN)
    asked, _ = problem_numbers.split_prompt(shown.job.prompt)
    say = words(str(interaction.locale))
    form = discord.ui.Modal(title=say("numbers-title"), custom_id=f"{FORM}:{job_id}")
    for place, number in enumerate(problem_numbers.find_numbers(asked)):
        entry: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=str(place),
            default=number.text[: problem_numbers.LONGEST],
            required=False,
            max_length=problem_numbers.LONGEST,
        )
        form.add_item(discord.ui.Label(text=number.label, component=entry))
    await send_form(interaction, form)


async def submit_numbers(interaction: Interaction, job_id: str) -> None:
    """Solve the problem with the submitted numbers in an answer of its own."""
    shown = await interaction.client.find_answer(interaction, job_id, FORGOTTEN)
    asked, material = problem_numbers.split_prompt(shown.job.prompt)
    typed = form_values(interaction)
    values = {int(name): value for name, value in typed.items() if name.isdecimal()}
    changes = problem_numbers.describe_changes(asked, values)
    if not changes:
        raise QuestionRefused(NUMBERS_UNCHANGED)
    options = AskOptions(
        private=is_private(shown.job.reply),
        material=material,
        capability=SOLVE,
        attachments=shown.job.attachments,
        footnotes=(Footnote("numbers-changed", {"changes": changes}),),
    )
    await ask_flow.ask(interaction, problem_numbers.replace_numbers(asked, values), options=options)


# --- the formulas' sources ----------------------------------------------------------------------


async def show_latex(interaction: Interaction, job_id: str) -> None:
    """Show the formulas' sources as a code block, or as a file where they are too long.

    Raises:
        QuestionRefused: the answer is no longer kept.
    """
    shown = await interaction.client.find_answer(interaction, job_id, LATEX_FORGOTTEN)
    turn = await interaction.client.services.history.get_turn(shown.job.channel, job_id)
    found = await asyncio.to_thread(sources, turn.answer) if turn else []
    if not found:
        raise QuestionRefused(LATEX_FORGOTTEN)
    text = "\n\n".join(found)
    block = code_block(text, "latex")
    if units(block) <= MESSAGE_UNITS:
        await interaction.response.send_message(block, ephemeral=True, allowed_mentions=NOBODY)
    else:
        file = discord.File(BytesIO(text.encode()), LATEX_FILE)
        await interaction.response.send_message(file=file, ephemeral=True)
