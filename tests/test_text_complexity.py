"""Every function over text from outside takes time in proportion to the text, whatever it says.

A new function joins by a line in `FUNCTIONS`. `make fuzz` has each of them read every input of
`INPUTS`, all of 100,000 characters. In `make test` each reads those of `ALWAYS` and a third of the
others, another third than its neighbour. Ordinary text of that length takes each less than 0.2 s.
"""

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from bot import notices, problem_numbers, sanitize
from bot.agent_trace import AgentTrace, Step, Thinking
from bot.article.export import markdown_to_html
from bot.files.prompt_files import clean_file_name, fence_text
from bot.i18n import words
from bot.notices import QuestionRefused
from bot.render import (
    code_fences,
    emphasis,
    format_answer,
    formulas,
    latex_to_png,
    link_defang,
    markdown_spans,
    split,
    steps_text,
    tables,
)
from bot.render.format_answer import highlight_result
from bot.render.latex_to_unicode import to_unicode
from bot.render.message_view import quote_question
from inference import image_text, reasoning
from inference.agent import prompts
from inference.article import (
    chart,
    image_requests,
    outline,
    section_topics,
    source,
    stream_cleaner,
)
from inference.engines import scripted
from inference.engines.detokenizer import StopStrings
from inference.engines.openai import errors, request_body
from inference.library import image_checks, image_entry, image_library
from inference.library import normalize as library_names
from inference.maths import (
    expression_parser,
    form_programs,
    output_parser,
    question_parser,
    sympy_reader,
)
from inference.tool_parsers import TOOL_PARSERS, json_call
from inference.tools import base, calculator, search_tools, units
from inference.tools.base import Outcome, ToolFailed
from jobqueue import schema
from jobqueue.article import Article, Section
from playground.discord import interaction_payloads, messages
from playground.web_ui import discord_markdown

SIZE = 100_000
SHARE = 1 if os.environ.get("COMMONROOM_EVERY_INPUT") else 3  # one of so many inputs is read
BUDGET_S = 5.0  # of a processor
PATIENCE_S = 120.0  # where other tests use the processors too
MEMORY = 4 << 30
REFUSALS = (
    QuestionRefused,
    expression_parser.NotMathematics,
    ToolFailed,
    SyntaxError,
    sympy_reader.NotAnExpression,
)
MESSAGE = 4_096  # characters: the local Discord refuses more in a text
PIECE = 50  # characters of a stream that come at once

UNITS = (
    " ", "\n", "\t", "\xa0", "a", "A b ", "A. ", "Aa. Bb! ", "`", "``a` ", "```\n", "~~~\n", "|",
    "||a ", "|a|b\n|-|-\n", " :- |", "[", "](", "[](", "[[]]", "[a](b", "!", "![", "9!", "(",
    "()", "{", "{}", "\\", "\\(", "\\[", "\\{", "\\frac{", "\\left(", "\\boxed{", "\\text{a",
    "^{", "$", "$$", "$x ", "$ ", "\\begin{x}", "*", "**a ", "**a**:\n", "_", "__a ", ">", "> ",
    "> ```\n", "# a\n", "-", "- a\n", "1. a\n", "<", "<a:a", "<think>", "<tool_call>",
    '<tool_call>{"name":', '{"a":[', '"', '\\"', ":", "a: 1 ", "Title: ", "1", "1,", "1,1 ", ".",
    "a.", "?!", "x = 1, ", "1+", "%", "/", "@", "https://", "https://a@", "discord.gg/",
    "discord.com/a/../", "中", "中。", "的", "\u0301", "\u200b", "👨\u200d", "🇦", "\u202e",
    "\u2028", "а", "\x00", "\x1e", "!say ", "A of the ", 'File "a":\n', "assignment: ",
    "answer is 1. ",
    "5 km ", "not ", "&amp;", "\ue000",
)  # fmt: skip
ALWAYS = (" ", "\n", "`", "|", "[", "!", "\\frac{")  # which every function reads in `make test` too
BEGINNINGS = (
    "1. a",
    "Title",
    "a:",
    "caption",
    "| ",
    "x = ",
    "> a",
    "[a](b",
    "**a",
    "\\boxed",
    "```",
)


def _inputs() -> Iterator[tuple[str, str]]:
    """Yield each unit many times, within a line and at the end of the text, and other odd texts."""
    for unit in UNITS:
        run = unit * (SIZE // 2 // len(unit))
        yield unit, f"A x\n{run}x\ny {run}"
    for beginning in BEGINNINGS:
        yield f"{beginning} behind spaces", f"{beginning}{' ' * SIZE}x"
    for opening, closing in ("()", "[]", "{}", "<>"):
        yield f"{opening}…{closing}", opening * (SIZE // 2) + closing * (SIZE // 2)
    yield "a box of boxes", "$$\\boxed{" + "{" * (SIZE // 2) + "}" * (SIZE // 2) + "}$$"
    yield "a row of cells", "|a" * (SIZE // 4) + "\n" + "|-" * (SIZE // 4) + "\n"
    yield "rows", "|a|b|\n|-|-|\n" + "|x|y|\n" * (SIZE // 6)
    yield "spaces before ticks", (" " * 200 + "``\n") * (SIZE // 203)
    yield "words", "The cat sat on the mat, and it was 5 km away. " * (SIZE // 46)


INPUTS = dict(_inputs())


# --- readers that are no plain functions of a text -----------------------------------------------


def _marks(text: str) -> None:
    every = markdown_spans.MarkdownSpans(text)
    _ = every.fences, every.spans, every.open_start, every.tables, every.headings
    every.quote(len(text) - 1)
    every.table_head(len(text) // 2)


def _steps(text: str) -> None:
    for part in (Thinking(text, 0, 1), Step(1, "python", call=text, output=text)):
        work = AgentTrace((part,))
        steps_text.describe_live(work, words("en"), answering=False)
        steps_text.fold_steps(work, words("en"))
        steps_text.paginate_steps(work, words("en"))


def _prose(text: str, *, piece: int) -> None:
    cleaner = stream_cleaner.StreamCleaner(
        frozenset({"Silk"}),
        stream_cleaner.SentenceMemory(),
        paragraphs=3,
        characters=20_000,
        is_supported=lambda _: True,
    )
    for at in range(0, len(text), piece):
        cleaner.feed(text[at : at + piece])
    cleaner.finish(cut=False)


def _tool_parsers(text: str) -> None:
    for tool_parser in TOOL_PARSERS.values():
        tool_parser.read(text, ended=False)
        tool_parser.read(text, ended=True)


def _stops(text: str) -> None:
    stops = StopStrings(("\n\n\n\n\n\nx", "aaaaaaaaab", "<|im_end|>"))
    for at in range(0, len(text), PIECE):
        stops.push(text[at : at + PIECE])
    stops.flush()


def _topics(text: str) -> None:
    entries = tuple(
        image_entry.ImageEntry(path=name, caption=name, entities=(name,))
        for name in ("Silk", "Silk Road", "丝绸")
    )
    library = image_library.ImageLibrary(Path(), entries)
    article = Article(title="Silk", sections=(Section(heading="Silk", text=text),))
    section_topics.SectionTopics(library, article, text[:1_500]).needs(0)


def _source(text: str) -> None:
    found = source.parse_source(f"About silk\n\n{text}")
    found.about("silk roads", 500)
    found.overview(500)
    found.supports(text, SimpleNamespace(is_english=True))  # type: ignore[arg-type]


def _mentions(text: str) -> None:
    messages._CODE.sub(" ", text)
    interaction_payloads._AT_NAME.sub("", text)


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "draft": format_answer.format_draft,
    "format_as_text": format_answer.format_as_text,
    "pages": lambda text: format_answer.paginate(format_answer.format_as_text(text)),
    "format_with_images": format_answer.format_with_images,
    "may_need_images": format_answer.may_need_images,
    "split": split.split,
    "marks": _marks,
    "fences": partial(code_fences.discord_fences, complete=False),
    "links": link_defang.harmless_links,
    "links: decided": lambda text: link_defang.settled_part(text.replace("\n", " ")),
    "emphasis": emphasis.find_emphasis,
    "emphasis: balance": lambda text: emphasis.balance([text[: SIZE // 2], text[SIZE // 2 :]]),
    "rows of formulas": latex_to_png.normalize_rows,
    "quotation": quote_question,
    "quotation, whole": partial(quote_question, longest=1_900, lines=None),
    "highlight_result": highlight_result,
    "formulas": lambda text: [*formulas.extract(text)],
    "formulas: sources": formulas.sources,
    "to_unicode": to_unicode,
    "tables": lambda text: [
        tables.parse_table(text[table.start : table.end])
        for table in markdown_spans.MarkdownSpans(text).tables
    ],
    "tables: plain": tables.plain_cell,
    "tables: a number": lambda text: tables._NUMBER.fullmatch(f"1{text[4:]}"),
    "steps": _steps,
    "problem": lambda text: (
        problem_numbers.split_prompt(text),
        problem_numbers.find_numbers(text),
    ),
    "prompt": lambda text: sanitize.clean_prompt(text, 10**9),
    "names": lambda text: (sanitize.clean_name(text), clean_file_name(text)),
    "quote": fence_text,
    "notice": lambda text: notices.Notice(
        "article-changing", arguments={"heading": text[:2_000]}
    ).text(words("en")),
    "article: page": markdown_to_html,
    "article: sentences": lambda text: [*stream_cleaner.pieces(text, ended=True)],
    "article: prose": partial(_prose, piece=SIZE * 2),
    "article: prose, streamed": partial(_prose, piece=PIECE),
    "article: outline": lambda text: outline.parse_outline(text, 7),
    "article: title": outline.title_of,
    "article: numbers": lambda text: chart.read_series(text, text),
    "article: tables": lambda text: [*chart.tables(text, "{value} {label}")],
    "article: may chart": chart.may_chart,
    "article: pictures": lambda text: [*image_requests.parse_needs(text, "Silk", text)],
    "article: heading": lambda text: image_requests.heading_need(text[:200], text),
    "article: names": library_names.capitalized_names,
    "article: topics": _topics,
    "article: source": _source,
    "library: names": lambda text: ([*library_names.terms(text)], library_names.name_of(text)),
    "library: mentioned": lambda text: library_names.mentioned_names(
        text, ["Silk", "丝绸", text[:30]]
    ),
    "library: years": image_entry.years_in,
    "library: kinds": image_entry.kind_in,
    "library: look": image_checks.parse_report,
    "question": question_parser.read,
    "question: words": lambda text: question_parser.split_question(
        question_parser.words_to_signs(text), ["中"]
    ),
    "expression": expression_parser.expression,
    "expression: plain": expression_parser.plain,
    "relation": expression_parser.relation,
    "a conversion": lambda text: question_parser.read(f"5{text[4:1_900]}"),
    "a conversion's unit": lambda text: question_parser.read(
        f"how many m are there in 5{text[4:1_900]}5"
    ),
    "forms": form_programs.create_program,
    "forms, a limit's point": lambda text: form_programs.create_program(
        f"limit('1/x', 'x', {f'0{text}'!r})"
    ),
    "forms, a relation": lambda text: form_programs.create_program(f"solve({text!r})"),
    "forms, a value": lambda text: form_programs.create_program(f"calculate({text[:3_900]!r})"),
    "calculator": calculator.evaluate,
    "units": units.known,
    "printed": output_parser.typeset,
    "printed: expression": sympy_reader.read_sympy,
    "answer": lambda text: prompts.answer(text, Outcome(text), ""),
    "only asks": image_text._only_asks,
    "tool_parsers": _tool_parsers,
    "call": lambda text: json_call.made_call("python", text, complete=True),
    "call, unfinished": lambda text: json_call.made_call("python", text, complete=False),
    "thought": partial(reasoning.split, ended=False),
    "stop strings": _stops,
    "cut": base.cut,
    "search": lambda text: search_tools.best(text[:500], [*search_tools.passages_of(text)]),
    "web pages": lambda text: search_tools.pages(text.encode()),
    "web papers": lambda text: search_tools.papers(text.encode("utf-8", "replace")),
    "plain": request_body.plain,
    "server's error": lambda text: (
        errors.bad_request(f"maximum context length is 5 {text}"),
        errors.explanation(text.encode("utf-8", "replace")),
    ),
    "script": lambda text: (scripted._SCRIPT.findall(text), scripted.tokenize(text)),
    "script of an article": lambda text: (
        scripted._DIRECTIVE.findall(text),
        scripted._ASSIGNMENT.search(text),
    ),
    "capability": partial(schema.add_model, "chat"),
    "playground: markdown": lambda text: discord_markdown.render(text[:MESSAGE]),
    "playground: line": lambda text: discord_markdown.render_line(text[:MESSAGE]),
    "playground: mentions": _mentions,
}


def slow_inputs(read: Callable[[str], object], names: Sequence[str]) -> list[str]:
    """Return what takes longer than its budget, or raises what is no refusal."""
    waiting, found = list(names), list[str]()
    while waiting:
        with _child(read, waiting) as lines:
            for line in lines:
                name, took, raised = json.loads(line)
                waiting.remove(name)
                if took > BUDGET_S or raised:
                    found.append(f"{name!r}: {took:.1f} s {raised}")
        if waiting:
            found.append(f"{waiting.pop(0)!r}: no end within {PATIENCE_S} s")
    return found


@contextmanager
def _child(read: Callable[[str], object], names: Sequence[str]) -> Iterator[Iterator[bytes]]:
    """A process that reads the inputs one after the other and tells of each, as lines. They end
    where one takes longer than its budget."""
    reading_end, telling_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            for name in names:
                os.write(telling_end, _told(read, name))
        finally:
            os._exit(0)
    os.close(telling_end)
    with os.fdopen(reading_end, "rb") as pipe:
        yield _lines_in_time(pipe)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _told(read: Callable[[str], object], name: str) -> bytes:
    started = time.process_time()
    raised = ""
    try:
        read(INPUTS[name])
    except REFUSALS:
        pass
    except Exception as error:  # the parent tells it
        raised = f"{type(error).__name__}: {str(error)[:80]}"
    return json.dumps([name, time.process_time() - started, raised]).encode() + b"\n"


def _lines_in_time(pipe: BinaryIO) -> Iterator[bytes]:
    received = b""
    while select.select([pipe], [], [], PATIENCE_S)[0] and (more := os.read(pipe.fileno(), 65_536)):
        *lines, received = (received + more).split(b"\n")
        yield from lines


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_takes_time_in_proportion_to_the_text(name: str) -> None:
    first = list(FUNCTIONS).index(name) % SHARE
    names = dict.fromkeys((*ALWAYS, *list(INPUTS)[first::SHARE]))
    assert slow_inputs(FUNCTIONS[name], list(names)) == []


def test_slow_readers_and_odd_errors_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.BUDGET_S", 0.05)
    monkeypatch.setattr(f"{__name__}.PATIENCE_S", 3.0)
    inputs = {"fair": "a", "refused": "b", "slow": "c", "odd": "d", "endless": "e", "last": "f"}
    monkeypatch.setattr(f"{__name__}.INPUTS", inputs)

    def read(text: str) -> None:
        started = time.process_time()
        while text == "e" or (text == "c" and time.process_time() < started + 0.1):
            pass
        if text in "bd":
            raise {"b": SyntaxError, "d": RecursionError}[text]

    found = slow_inputs(read, list(inputs))
    assert [each.partition(":")[0] for each in found] == ["'slow'", "'odd'", "'endless'"]
