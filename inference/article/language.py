"""The language that an article is to be in."""

import re
from dataclasses import dataclass

from jobqueue.article import Order
from jobqueue.schema import Job

_HAN, _KANA, _HANGUL = "[\u3400-\u9fff]", "[\u3040-\u30ff]", "[\uac00-\ud7af]"
_WRITTEN = (("ja", _KANA), ("ko", _HANGUL), ("zh-CN", _HAN))  # what few other languages have
_SHARE = 0.3  # of what is written; less is a name or a word that is talked about

# By the first part of a locale, or by all of it where the parts differ in writing.
_NAMES = {
    "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fi": "Finnish", "fr": "French", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "lt": "Lithuanian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Simplified Chinese",
    "zh-TW": "Traditional Chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tongue:
    locale: str

    @property
    def name(self) -> str:
        """In English, for a model."""
        return _NAMES.get(self.locale) or _NAMES.get(self._first) or self.locale

    @property
    def is_chinese(self) -> bool:
        return self._first == "zh"

    @property
    def is_english(self) -> bool:
        return self._first == "en"

    @property
    def has_capitals_for_names(self) -> bool:
        """And not for every noun, as German has."""
        return self._first != "de"

    @property
    def _first(self) -> str:
        return self.locale.partition("-")[0]


def tongue_of(job: Job, assignment: str) -> Tongue:
    """The one that was chosen, else that of what was written, else the person's own."""
    order = job.order or Order()
    if chosen := order.language or (order.change and order.change.article.language):
        return Tongue(chosen)
    letters = sum(map(str.isalpha, assignment))
    for locale, characters in _WRITTEN:
        if len(re.findall(characters, assignment)) > _SHARE * letters:
            return Tongue(job.locale if job.locale.startswith(locale[:2]) else locale)
    return Tongue(job.locale)
