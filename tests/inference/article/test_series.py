"""Which numbers make a chart, and which do not."""

import pytest

from inference.article.chart import Series, read_series, tables

TEXT = (
    "The harbour of Rostock handled 12 million tonnes in 1990, and 15 million tonnes in 2000. "
    "By 2010 the harbour had come to 24 million tonnes. It has 1,200 workers and 300 cranes."
)


def test_numbers_of_the_text_are_a_series() -> None:
    said = "Title: Tonnes in the harbour\n1990: 12\n2000: 15\n2010: 24 million"
    series = read_series(said, TEXT)
    assert series == Series(
        "Tonnes in the harbour", (("1990", 12.0), ("2000", 15.0), ("2010", 24.0))
    )
    assert series.in_time


@pytest.mark.parametrize(
    "said",
    [
        "Title: Tonnes in the harbour\n1990: 12\n2000: 15\n2010: 25",  # 25 is not there
        "Title: Tonnes in the harbour\n1990: 12\n2000: 15\n2020: 24",  # nor is 2020
        "Title: Sailors in the harbour\n1990: 12\n2000: 15\n2010: 24",  # nor are sailors
        "Title: The harbour\nTonnes: 12\nWorkers: 1200\nCranes: 300",  # of three kinds
        "Title: The harbour\nHarbour: 1990\nTonnes: 2000\nWorkers: 2010",  # years
        "Title: The harbour\n1990: 12\n2000: 15",  # too few
        "1990: 12\n2000: 15\n2010: 24",  # of what?
        "I cannot find any numbers.",
    ],
)
def test_anything_else_is_no_chart(said: str) -> None:
    assert read_series(said, TEXT) is None


def test_chinese_numbers_count_the_same_thing() -> None:
    text = "港口1990年有310艘船，2000年有450艘船，2010年有620艘船，工人35万。"
    said = "标题：港口的船\n1990年: 310\n2000年: 450\n2010年: 620"
    series = read_series(said, text)
    assert series is not None
    assert series.in_time
    mixed = "标题：港口的船\n1990年: 310\n2000年: 450\n工人: 35"
    assert read_series(mixed, text) is None


@pytest.mark.parametrize(
    "table",
    [
        "| City | | People |\n|---|---|--:|\n| Rom | | 2,800 |\n| Oslo | | 700 |\n| Bern | | 134 |",
        "City,Country,People\nRom,it,2800\nOslo,no,700\nBern,ch,134",
        "City\tPeople\nRom\t2800\nOslo\t700\nBern\t134",
    ],
)
def test_a_table_of_the_source_is_a_series(table: str) -> None:
    (series,) = tables(f"Some words, and more.\n\n{table}\n\nOther words.", "{value} by {label}")
    assert series == Series("People by City", (("Rom", 2800.0), ("Oslo", 700.0), ("Bern", 134.0)))


@pytest.mark.parametrize("text", ["", "a,b\nc,d\ne,f\ng,h", "x|1\nx|2\nx|3\nx|4", "1,2\n3,4\n5,6"])
def test_what_has_no_head_or_no_numbers_is_none(text: str) -> None:
    assert list(tables(text, "{value} by {label}")) == []
