"""Units of measurement. pint knows them; the Chinese names are added here."""

import re
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
}
_DEGREES = re.compile(r"(?i)\b(?:degrees?\s+)?(celsius|fahrenheit|kelvin)\b|°\s*([CF])")
_SQUARED = re.compile(r"(?<=[a-z])\s*\^?\s*([23])$")
MAX_UNIT = 60


async def convert(value: float, unit: str, to: str) -> str:
    """Convert a quantity from one unit to another.

    value: how many of the first unit
    unit: the unit it is given in, as km/h, pounds or 摄氏度
    to: the unit that is wanted
    """
    return converted(Fraction(str(value)), unit, to)


def converted(value: Fraction, unit: str, to: str) -> str:
    """`12.7 cm`. Raises ToolFailed."""
    quantity = exact(value, unit, to)
    shown = str(quantity) if quantity.denominator == 1 else f"{float(quantity):.12g}"
    return f"{shown} {to.strip()}"


def exact(value: Fraction, unit: str, to: str) -> Fraction:
    """Raises ToolFailed where a unit is unknown, or the two do not measure the same."""
    import pint  # noqa: PLC0415  (half a second, and few need it)

    try:
        quantity = _registry().Quantity(value, _unit(unit)).to(_unit(to))
    except pint.DimensionalityError as error:
        raise ToolFailed(f"{unit} and {to} do not measure the same") from error
    return Fraction(quantity.magnitude).limit_denominator(10**15)


def known(unit: str) -> bool:
    try:
        _unit(unit)
    except ToolFailed:
        return False
    return True


@cache
def _registry() -> Any:
    import pint  # noqa: PLC0415

    return pint.UnitRegistry(non_int_type=Fraction)


def _unit(name: str) -> Any:
    import pint  # noqa: PLC0415

    text = name.strip()
    text = _CHINESE.get(text, text)
    text = _DEGREES.sub(lambda found: f"deg{(found[1] or found[2])[0].upper()}", text)
    text = _SQUARED.sub(r"**\1", text.replace("degK", "kelvin"))
    if not text or len(text) > MAX_UNIT or not re.fullmatch(r"[\w\s/*^().µ°-]+", text):
        raise ToolFailed(f"{name!r} is not the name of a unit")
    for written in (text, text.lower()):
        try:
            return _registry().Unit(written)
        except (pint.UndefinedUnitError, ValueError, AssertionError, TypeError, AttributeError):
            continue
        except pint.errors.DefinitionSyntaxError as error:
            raise ToolFailed(f"{name!r} is not the name of a unit") from error
    raise ToolFailed(f"there is no unit {name!r}")
