"""What a person says in a row becomes as few questions as fit."""

from bot.discord.ask.question_intake import group_questions, merge_questions
from bot.discord.delivery import reply_target
from bot.discord.delivery.reply_target import MessageTarget
from bot.pending_questions import PostedFile, Question
from jobqueue.schema import Job


def _said(number: int, prompt: str, *files: str, asked: bool = True) -> Question:
    below = MessageTarget(channel="c", message=str(number))
    job = Job(
        id=str(number),
        channel="c",
        user="u",
        user_name="ada",
        server="s",
        prompt=prompt,
        reader="bot-0",
        reply=reply_target.encode(below).decode(),
    )
    posted = tuple(PostedFile(url=name, name=name, size=1) for name in files)
    return Question(job, posted, asked)


def test_one_question_is_left_as_it_is() -> None:
    question = _said(1, "hello")
    assert merge_questions([question]) is question


def test_the_first_names_the_job_and_the_last_is_answered() -> None:
    question = merge_questions([_said(1, "one", "a"), _said(2, "two", "b")])
    assert (question.job.id, question.job.prompt) == ("1", "one\ntwo")
    assert reply_target.decode(question.job.reply) == MessageTarget(channel="c", message="2")
    assert [file.name for file in question.files] == ["a", "b"]


def test_words_of_ours_give_way_to_the_persons_own() -> None:
    files_alone = _said(1, "Please look.", "a", asked=False)
    question = merge_questions([files_alone, _said(2, "what is it?")])
    assert question.job.prompt == "what is it?"
    assert question.asked
    assert not merge_questions([files_alone, _said(2, "Please look.", "b", asked=False)]).asked


def test_what_is_too_long_together_stays_apart_and_in_order() -> None:
    said = [_said(1, "a" * 4), _said(2, "b" * 4), _said(3, "c" * 9), _said(4, "d")]
    groups = [[each.job.id for each in group] for group in group_questions(said, 10)]
    assert groups == [["1", "2"], ["3"], ["4"]]
