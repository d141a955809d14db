"""Units of measurement. pint knows them; the Chinese names are added here.

pint evaluates what stands in a unit, powers of numbers too. So a unit is read here, by a grammar
of names, small powers, products and quotients, and pint is given single names only.
"""

import asyncio
import math
import re
from collections import Counter
from fractions import Fraction
from functools import cache
from typing import Any

from inference.tools.base import ToolFailed

_CHINESE = {
    "千米": "km",
    "公里": "km",
    "米": "m",
    "分米": "dm",
    "厘米": "cm",
    "毫米": "mm",
    "微米": "um",
    "英里": "mile",
    "英尺": "foot",
    "英寸": "inch",
    "码": "yard",
    "海里": "nautical_mile",
    "千克": "kg",
    "公斤": "kg",
    "克": "g",
    "毫克": "mg",
    "吨": "tonne",
    "磅": "pound",
    "盎司": "ounce",
    "小时": "hour",
    "分钟": "minute",
    "秒": "second",
    "秒钟": "second",
    "天": "day",
    "日": "day",
    "周": "week",
    "星期": "week",
    "毫秒": "ms",
    "升": "liter",
    "毫升": "ml",
    "加仑": "gallon",
    "平方米": "m**2",
    "平方千米": "km**2",
    "公顷": "hectare",
    "平方厘米": "cm**2",
    "立方米": "m**3",
    "立方厘米": "cm**3",
    "摄氏度": "degC",
    "华氏度": "degF",
    "焦耳": "joule",
    "千焦": "kJ",
    "卡路里": "cal",
    "千卡": "kcal",
    "千瓦时": "kWh",
    "瓦": "watt",
    "帕": "pascal",
    "牛": "newton",
    "度": "degree",
    "弧度": "radian",
    "千米每小时": "km/h",
    "公里每小时": "km/h",
    "米每秒": "m/s",
    "每小时": "/hour",
    "NM": "nautical_mile",
    **dict.fromkeys(("kmph", "kmh", "KMPH", "KMH", "km/hr"), "km/h"),  # no thousands of miles
}
# Names of several units: they are converted as pint has them, but nobody knows what was meant.
_AMBIGUOUS = re.compile(
    r"(?i:tons?|barrels?|bbls?|bushels?)|Cal|CAL|Calories?|CALORIES?|M[GM]", re.ASCII
)
_DEGREES = re.compile(r"(?i)\b(?:degrees?\s+)?(celsius|fahrenheit|kelvin)\b|°\s*([CF])")
_SQUARED = re.compile(r"(?<=[a-z])\s*\^?\s*([23])$")
_SUPERSCRIPT = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_AS_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_IN_WORDS = re.compile(
    r"\b(?:(?P<before>square|sq|cubic)\s+(?P<of>[^\W\d_]+)|(?P<base>[^\W\d_]+)\s+(?P<after>squared|cubed))\b"
)
MAX_UNIT = 60  # characters
MAX_POWER = 9  # of each name in a unit

_TOKEN = re.compile(
    r"\s*(?:(?P<name>per\b|[^\W\d_]\w*|[°µ]\w*)|(?P<number>\d{1,2})|(?P<sign>\*\*|[-*/^().·]))"
)


async def convert(value: float, unit: str, to: str) -> str:
    """Convert a quantity from one unit to another.

    value: how many of the first unit
    unit: the unit it is given in, as km/h, pounds or 摄氏度
    to: the unit that is wanted
    """
    if not math.isfinite(value):
        raise ToolFailed(f"{value} is no number that can be converted")
    return await asyncio.to_thread(convert_unit, Fraction(str(value)), unit, to)


def convert_unit(value: Fraction, unit: str, to: str) -> str:
    """Return the quantity in another unit, such as `12.7 cm`. Raises ToolFailed."""
    quantity = exact(value, unit, to)
    try:
        shown = str(quantity) if quantity.denominator == 1 else f"{float(quantity):.12g}"
    except (OverflowError, ValueError) as error:
        raise ToolFailed("the result is too large") from error
    return f"{shown} {to.strip()}"


def exact(value: Fraction, unit: str, to: str) -> Fraction:
    """Raises ToolFailed where a unit is unknown, or the two do not measure the same."""
    import pint  # noqa: PLC0415  (half a second, and few need it)

    try:
        quantity = _registry().Quantity(value, _unit(unit)).to(_unit(to))
        # pint takes a radian for 1, so that a turn per second would be 6.28 Hz.
        alike = _turns(_unit(unit)) == _turns(_unit(to))
    except pint.DimensionalityError as error:
        raise ToolFailed(f"{unit} and {to} do not measure the same") from error
    # A power of degrees Celsius; a logarithm.
    except (pint.PintError, ArithmeticError, ValueError, TypeError) as error:
        raise ToolFailed(f"{unit} cannot be converted to {to}: {error}") from error
    if not alike:
        raise ToolFailed(f"{unit} and {to} do not measure the same: one of them counts angles")
    found = Fraction(quantity.magnitude)
    return found.limit_denominator(10**15) if abs(found) > Fraction(1, 10**3) else found


def known(unit: str) -> bool:
    """Return whether it is one unit, and no other goes by the same name."""
    try:
        _unit(unit)
    except ToolFailed:
        return False
    return not any(map(_AMBIGUOUS.fullmatch, re.findall(r"[^\W\d_]+", unit)))


def spellings(unit: str) -> list[str]:
    """Return `unit` and its other names. Raises ToolFailed."""
    read = _unit(unit)
    powers: dict[str, int] = {name: int(power) for name, power in read._units.items()}
    found = {unit.strip(), _product(powers)}
    found.add(_product({_registry().get_symbol(name): power for name, power in powers.items()}))
    if list(powers.values()) == [1]:
        prefix, name, _ = _registry().parse_unit_name(*powers)[0]
        aliases = {name, *_registry()._units[name].aliases}
        found |= {prefix + alias for alias in aliases}
        found |= {f"{name}s" for name in found if len(name) > 2 and not name.endswith("s")}
    found |= {chinese for chinese, name in _CHINESE.items() if name in found}
    return sorted(found)


def _product(powers: dict[str, int]) -> str:
    """Parse a product such as `kg*m/s**2`."""
    above = "*".join(_factor(name, power) for name, power in powers.items() if power > 0)
    below = (f"/{_factor(name, -power)}" for name, power in powers.items() if power < 0)
    return "".join((above or "1", *below))


def _factor(name: str, power: int) -> str:
    return name if power == 1 else f"{name}**{power}"


def _turns(unit: Any) -> Any:
    """The power of angles in it."""
    root = _registry().Quantity(1, unit).to_root_units().units._units
    return root.get("radian", 0)


@cache
def _registry() -> Any:
    import pint  # noqa: PLC0415

    return pint.UnitRegistry(non_int_type=Fraction)


def _unit(name: str) -> Any:
    if len(name) > MAX_UNIT:
        raise ToolFailed(f"{name[:MAX_UNIT]!r} is not the name of a unit")
    text = name.strip()
    text = _CHINESE.get(text, text)
    text = _SUPERSCRIPT.sub(lambda found: f"**{found[0].translate(_AS_DIGITS)}", text)
    text = _DEGREES.sub(lambda found: f"deg{(found[1] or found[2])[0].upper()}", text)
    text = _SQUARED.sub(r"**\1", text.replace("degK", "kelvin"))
    text = _IN_WORDS.sub(_power_in_words, text)
    powers = _UnitReader(text, name).read()
    found = _registry().Unit("")
    for each, power in powers.items():
        found = found * _find_unit(each, name) ** power
    return found


def _power_in_words(found: re.Match[str]) -> str:
    """Write `square foot` and `second squared` with a power."""
    power = 3 if (found["before"] or found["after"]).startswith("cub") else 2
    return f"{found['of'] or found['base']}**{power}"


def _find_unit(each: str, whole: str) -> Any:
    import pint  # noqa: PLC0415

    if not each.replace("°", "a").isidentifier():  # pint reads digits of other scripts as powers
        raise ToolFailed(f"there is no unit {whole!r}")
    for written in (each, each.lower()):
        try:
            return _registry().Unit(written)
        except (pint.PintError, ValueError, AssertionError, TypeError, AttributeError, KeyError):
            continue
    raise ToolFailed(f"there is no unit {whole!r}")


class _UnitReader:
    """A parser of `kg*m/s^2`, `J/(kg*K)`, `1/hour`: each name with its power."""

    def __init__(self, text: str, name: str) -> None:
        self._refusal = ToolFailed(f"{name!r} is not the name of a unit")
        self._tokens: list[str] = []
        position = 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise self._refusal
            self._tokens.append(found[0].strip())
            position = found.end()
        self._at = 0

    def read(self) -> Counter[str]:
        found = self._product(depth=0)
        if self._at < len(self._tokens) or not found:
            raise self._refusal
        if any(abs(power) > MAX_POWER for power in found.values()):
            raise self._refusal
        return found

    def _product(self, depth: int) -> Counter[str]:
        """A quotient's sign reaches to the next one, as pint has it."""
        found: Counter[str] = Counter()
        sign = 1
        if self._take("1"):
            self._expect("/")
            sign = -1
        elif self._take("/"):
            sign = -1
        while True:
            for name, power in self._factor(depth).items():
                found[name] += sign * power
            if self._take("/", "per"):
                sign = -1
            elif self._take("*", "·", ".") or self._peek() not in ("", ")"):
                sign = 1
            else:
                return found

    def _factor(self, depth: int) -> Counter[str]:
        if self._take("("):
            if depth > 2:
                raise self._refusal
            found = self._product(depth + 1)
            self._expect(")")
        else:
            name = self._take(self._peek())
            if not name or not (name[0].isalpha() or name[0] == "°") or name == "per":
                raise self._refusal
            found = Counter({name: 1})
        if not self._take("**", "^"):
            return found
        sign = -1 if self._take("-") else 1
        digits = self._take(self._peek())
        if not (digits.isascii() and digits.isdigit() and int(digits) <= MAX_POWER):
            raise self._refusal
        return Counter({name: power * sign * int(digits) for name, power in found.items()})

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *texts: str) -> str:
        found = self._peek()
        if not found or found not in texts:
            return ""
        self._at += 1
        return found

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._refusal
