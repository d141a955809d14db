"""The prompts for articles, in English and Chinese.

Small models copy an example's form where they do not follow its description, so an outline and a
picture are shown to them as a question that was answered.
"""

import re
from dataclasses import dataclass

from jobqueue.article import ArticleOrder
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
class Language:
    locale: str

    @property
    def name(self) -> str:
        """The English name, for a model."""
        return _NAMES.get(self.locale) or _NAMES.get(self._first) or self.locale

    @property
    def is_chinese(self) -> bool:
        return self._first == "zh"

    @property
    def is_english(self) -> bool:
        return self._first == "en"

    @property
    def capitalizes_names(self) -> bool:
        """Return whether names have capitals, and not every noun, as in German."""
        return self._first != "de"

    @property
    def _first(self) -> str:
        return self.locale.partition("-")[0]


def language_of(job: Job, assignment: str) -> Language:
    """Return the one that was chosen, else that of what was written, else the person's own."""
    order = job.order or ArticleOrder()
    if chosen := order.language or (order.change and order.change.article.language):
        return Language(chosen)
    letters = sum(map(str.isalpha, assignment))
    for locale, characters in _WRITTEN:
        if len(re.findall(characters, assignment)) > _SHARE * letters:
            return Language(job.locale if job.locale.startswith(locale[:2]) else locale)
    return Language(job.locale)


_WORD = 6  # characters of an English word and the blank after it


@dataclass(frozen=True, slots=True)
class Prompts:
    planner: str
    plan_question: str  # {count} {assignment} {source} {at_hand}
    plan_at_hand: str  # {subjects}: what there are pictures of
    plan_source: str  # {text}
    plan_examples: tuple[tuple[str, str], ...]  # assignments, and their plans
    plan_start: str  # how each plan begins
    author: str
    article: str  # {title} {assignment} {parts} {source}: what each section's prompt begins with
    source: str  # {text}
    opening_request: str  # {words}
    section_request: str  # {heading} {about} {words} {paragraphs}
    parts: str  # {headings}
    focus: str  # {text}
    editor: str
    rewrite: str  # {heading} {text} {words}
    expand: str
    shorten: str
    wish: str  # {wish}
    chooser: str
    need_question: str  # {text} {count} {at_hand}
    at_hand: str  # {subjects}: what there are pictures of
    need_subjects: tuple[str, ...]  # of the example
    need_example: tuple[str, tuple[str, ...]]  # a text, and pictures for it
    numbers_question: str  # {text}
    numbers_example: tuple[str, str]
    outline: tuple[tuple[str, str], ...]  # for want of a plan
    chart: str  # {value} {label}: the caption of a table's chart
    paragraphs: tuple[str, ...]  # one, two, three
    comma: str  # between the items of a list
    per_word: float = 1.0  # characters for each English word, where those are counted

    def count_words(self, words: int) -> int:
        """Return so many English words in what the language counts, to the ten."""
        return max(round(words * self.per_word / 10), 1) * 10

    def characters(self, words: int) -> int:
        """Return the number that so many English words take."""
        return round(words * (_WORD if self.per_word == 1 else self.per_word))

    def words_in(self, text: str) -> int:
        """Return how many they would be in English."""
        counted = len(text.split()) if self.per_word == 1 else len(text)
        return round(counted / self.per_word)


_EN_PLAN = """\
Title: Lights Along the Coast
1. The first fires: beacons of wood and coal, before there were towers
2. Lens and clockwork: how Fresnel's glass made a small flame visible for miles
3. After the keepers: automatic lamps, and what becomes of empty towers"""
_EN_CITY = """\
Title: The City That Floats
1. Refuge in the lagoon: how people came to build on mud and wooden piles
2. Ships and spices: the merchants and doges who made the city rich
3. Bridges and canals: how one lives where streets are water
4. High water: floods, visitors, and what is done against both"""
_EN_TEXT = (
    "Neuschwanstein stands on a rock above the village of Hohenschwangau. King Ludwig II had it "
    "built from 1869 on, and lived to see the throne room without its throne."
)
_EN_NUMBERS = (
    "The harbour saw 310 ships in 1990. Ten years later there were 450 ships, and in 2010 the "
    "pilots counted 620 ships."
)
ENGLISH = Prompts(
    planner="You plan articles for a magazine.",
    plan_question=(
        "{source}Plan an article in {count} sections.{at_hand} The assignment: {assignment}"
    ),
    plan_at_hand=" Of these there are pictures, so tell of those that belong: {subjects}.",
    plan_source="A text to go by:\n{text}\n\n",
    plan_examples=(("lighthouses", _EN_PLAN), ("Venice, a city in Italy", _EN_CITY)),
    plan_start="Title:",
    author=(
        "You write articles for a magazine in {language}: clear, exact and lively, in whole "
        "sentences and paragraphs. You write the text alone, without headings and lists, and "
        "without a word about yourself or the article. Where you are not sure of a number, a date "
        "or a name, you leave it out."
    ),
    article='An article with the title "{title}". The assignment was: {assignment}{parts}{source}',
    source="\n\nGo by this text alone, and add no facts to it:\n{text}",
    opening_request=(
        "Write its opening: one paragraph of about {words} words that says what it is about and "
        "why it matters."
    ),
    section_request=(
        'Write the part "{heading}". It tells of this: {about}. Write {paragraphs} of about '
        "{words} words in all."
    ),
    parts="\n\nIts parts: {headings}.",
    focus="\n\nWhat matters most for it:\n{text}",
    editor=(
        "You edit articles for a magazine in {language}. You write the new text alone, in whole "
        "sentences and paragraphs, without headings, and without a word about what you changed."
    ),
    rewrite="Write this part of the article anew, in other words:\n\n{text}",
    expand=(
        "Write this part of the article in more detail, about {words} words, and keep what it "
        "says:\n\n{text}"
    ),
    shorten=(
        "Shorten this part of the article to about {words} words, and keep what matters most:"
        "\n\n{text}"
    ),
    wish="\n\nWhat is wanted: {wish}",
    chooser="You say what the pictures of an article should show.",
    need_question=(
        "{text}\n\n{at_hand}Pictures for this text ({count}): what it shows | the names in it | "
        "its kind"
    ),
    at_hand=(
        "There are pictures of {subjects}. Choose what this text is about, or none of these, or "
        "name another.\n\n"
    ),
    need_subjects=("Hohenschwangau", "Neuschwanstein"),
    need_example=(
        _EN_TEXT,
        (
            "Neuschwanstein on its rock | Neuschwanstein, Hohenschwangau | photo",
            "King Ludwig II | Ludwig II | portrait",
            "Where Neuschwanstein lies | Neuschwanstein | map",
        ),
    ),
    numbers_question="{text}\n\nThe numbers of this text that belong in one chart:",
    numbers_example=(_EN_NUMBERS, "Title: Ships in the harbour\n1990: 310\n2010: 620"),
    outline=(
        ("Background", "where it comes from"),
        ("How it works", "what it is made of, and how that goes together"),
        ("In practice", "where people meet it, with examples"),
        ("What it changes", "why it matters, and to whom"),
        ("Open questions", "what is disputed or not known"),
        ("Further afield", "what is like it elsewhere"),
        ("Outlook", "what may come"),
    ),
    chart="{value} by {label}",
    paragraphs=("one paragraph", "two paragraphs", "three paragraphs"),
    comma=", ",
)

_ZH_PLAN = """\
标题：海岸上的光
1. 最初的火光：有塔之前，人们用木柴和煤点起烽火
2. 透镜与钟表：菲涅耳的玻璃怎样让小小的火苗照亮几十里
3. 守塔人之后：自动灯，以及空下来的塔"""
_ZH_CITY = """\
标题：浮在水上的城
1. 潟湖中的避难所：人们怎样在淤泥和木桩上建城
2. 船与香料：商人和总督怎样让城市富起来
3. 桥与运河：街道是水的地方怎样过日子
4. 大潮：洪水、游客，以及人们的对策"""
_ZH_TEXT = (
    "新天鹅堡矗立在霍恩施万高村上方的岩石上。国王路德维希二世从1869年开始建造它，"
    "直到去世，王座厅里也没有王座。"
)
_ZH_NUMBERS = "1990年港口有310艘船。十年后增加到450艘船，2010年引航员记下了620艘船。"
CHINESE = Prompts(
    planner="你为杂志策划文章。",
    plan_question="{source}请策划一篇分{count}节的文章。{at_hand}题目：{assignment}",
    plan_at_hand="现有这些图片，合适的请写进去：{subjects}。",
    plan_source="依据的材料：\n{text}\n\n",
    plan_examples=(("灯塔", _ZH_PLAN), ("介绍意大利的威尼斯", _ZH_CITY)),
    plan_start="标题：",
    author=(
        "你用{language}为杂志写文章：清楚、准确、生动，用完整的句子和段落。只写正文，不写标题，不用列表，"
        "不谈自己，也不谈文章本身。没有把握的数字、年代和人名就不写。"
    ),
    article="文章的标题是“{title}”。题目要求：{assignment}{parts}{source}",
    source="\n\n只依据下面的材料，不添加材料以外的事实：\n{text}",
    opening_request="请写文章的开头：一段，大约{words}字，说明这篇文章讲什么、为什么值得一读。",
    section_request="请写“{heading}”这一节，讲的是：{about}。{paragraphs}，一共大约{words}字。",
    parts="\n\n各节：{headings}。",
    focus="\n\n与这一节关系最大的材料：\n{text}",
    editor=(
        "你用{language}为杂志修改文章。只写新的正文，用完整的句子和段落，不写标题，"
        "也不说明改了什么。"
    ),
    rewrite="请换一种写法，重写文章的这一节：\n\n{text}",
    expand="请把文章的这一节写得更详细，大约{words}字，保留原来的内容：\n\n{text}",
    shorten="请把文章的这一节缩短到大约{words}字，保留最重要的内容：\n\n{text}",
    wish="\n\n具体要求：{wish}",
    chooser="你说明文章的配图应该是什么。",
    need_question="{text}\n\n{at_hand}给这段文字配图（{count}张）：图中内容 | 其中的名称 | 种类",
    at_hand="现有{subjects}的图片。请选这段文字所讲的，或者都不选，也可以另说一个。\n\n",
    need_subjects=("霍恩施万高", "新天鹅堡"),
    need_example=(
        _ZH_TEXT,
        (
            "岩石上的新天鹅堡 | 新天鹅堡、霍恩施万高 | 照片",
            "国王路德维希二世 | 路德维希二世 | 肖像",
            "新天鹅堡的位置 | 新天鹅堡 | 地图",
        ),
    ),
    numbers_question="{text}\n\n这段文字里可以画进同一张图表的数字：",
    numbers_example=(_ZH_NUMBERS, "标题：港口的船只\n1990年: 310\n2010年: 620"),
    outline=(
        ("来龙去脉", "它从哪里来"),
        ("其中道理", "它由什么组成，怎样运作"),
        ("身边所见", "人们在哪里遇到它，举例说明"),
        ("带来的改变", "它为什么重要，对谁重要"),
        ("尚无定论", "还有什么争议和未知"),
        ("他山之石", "别处有什么相似的"),
        ("展望", "将来会怎样"),
    ),
    chart="各{label}的{value}",
    paragraphs=("写一段", "写两段", "写三段"),
    comma="、",
    per_word=1.6,
)


def prompts_for(language: Language) -> Prompts:
    """Return the English ones for most languages: models know what `Swedish` means."""
    return CHINESE if language.is_chinese else ENGLISH
