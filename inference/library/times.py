"""When something is: a map of Tang Luoyang is none of today's."""

import re

_ERAS = (
    ("zhou", -1046, -256, r"zhou dynasty|eastern zhou|周代|周朝|东周|西周"),
    ("han", -202, 220, r"han dynasty|eastern han|汉代|汉朝|东汉|西汉"),
    ("wei", 220, 534, r"northern wei|wei dynasty|北魏|魏晋"),
    ("sui", 581, 618, r"sui dynasty|隋代|隋朝|隋唐"),
    ("tang", 618, 907, r"\btang\b|唐代|唐朝|唐长安|盛唐|隋唐"),
    ("song", 960, 1279, r"song dynasty|northern song|southern song|宋代|宋朝|北宋|南宋"),
    ("yuan", 1271, 1368, r"yuan dynasty|元代|元朝"),
    ("ming", 1368, 1644, r"ming dynasty|明代|明朝"),
    ("qing", 1644, 1912, r"qing dynasty|清代|清朝"),
    ("modern", 1912, 9999, r"modern|today(?!['’]s)|present.day|contemporary|现代|当代|如今|今日"),
)
_ANCIENT = re.compile(r"ancient|medieval|historical|古代|中世纪")
_YEAR = re.compile(r"(?<!\d)(\d{3,4})(?!\d)(?!\s*(?:m|km|metres|meters|people|米|公里|人))")


def eras(text: str) -> frozenset[str]:
    """Those that a text names, by name or by year; empty where it names none."""
    plain = text.casefold()
    years = [int(year) for year in _YEAR.findall(plain)]
    found = {
        era
        for era, begin, end, words in _ERAS
        if re.search(words, plain) or any(begin <= year < end for year in years)
    }
    if _ANCIENT.search(plain) and not found:
        found = {era for era, *_ in _ERAS if era != "modern"}
    return frozenset(found)


def at_odds(one: str, other: str) -> bool:
    """Both say when, and not the same."""
    first, second = eras(one), eras(other)
    return bool(first and second and not first & second)
