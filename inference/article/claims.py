"""What a text says of its subjects, without what it only holds them against.

*Unlike Xi'an, Luoyang lies on a river* is not about Xi'an, and a text that says what something is
not has no picture of it beside it. A clause with such a word is left out as a whole: what is lost
by it is a picture, and what is kept out a wrong one.
"""

import re
from collections.abc import Iterator

from inference.article.sentence_splitter import pieces

_AGAINST = re.compile(
    r"\b(?:unlike|like|likewise|than|as \w+ as|not(?! only)|no|nor|neither|never|none|cannot"
    r"|without|instead|rather|except|despite|whereas|unrelated|mistaken|confused|compar(?:ed?|able|ison)"
    r"|similar(?:ly)?|differs?|different|resembl\w+|rivals?|rivalled|remind\w*|reminiscent|evok\w+"
    r"|imitat\w+|cop(?:y|ies|ied)|replicas?|namesakes?|if|imagine|elsewhere)\b|n['’]t\b"
    r"|不(?![仅但少断朽久])|没|无关|非(?![常洲凡遗])|并未|尚未|比(?![如例赛萨利])|如同|犹如|宛如|好像"
    r"|(?<![佛石雕画塑肖铜造影图神])像|似|与其|除了|以外|相较|媲美|仿|别于|区别|误认|误以|混淆",
    re.IGNORECASE,
)
# What is said of one thing to tell it from another, wherever the word stands.
_WHOLE = re.compile(
    r"\b(?:by|in) (?:contrast|comparison)\b|\bon the other hand\b|\bmeanwhile\b|相反|反之|相比之下",
    re.IGNORECASE,
)
_PAUSE = re.compile(r"[;；:：()（）—]|[,，](?!\d)|\bbut\b|\bwhile\b", re.IGNORECASE)


def sentences(text: str) -> Iterator[str]:
    """Those that hold nothing against anything."""
    for each in pieces(text, ended=True):
        if not (_WHOLE.search(each.text) or _AGAINST.search(each.text)):
            yield each.text


def claims(text: str) -> str:
    """Its clauses, but for those that hold something against something else."""
    kept = (_claimed(each.text) + each.space for each in pieces(text, ended=True))
    return "".join(kept).strip()


def _claimed(sentence: str) -> str:
    if _WHOLE.search(sentence):
        return ""
    if not _AGAINST.search(sentence):
        return sentence
    clauses = _PAUSE.split(sentence)
    return ", ".join(each.strip() for each in clauses if not _AGAINST.search(each))
