"""Texts in the encodings that people's programs write; damaged, coloured and cut ones too."""

import time

import pytest

from bot.files.file_reader import FileReader, Text
from bot.files.file_types import FileType, decode, kind_of
from bot.files.plain_text import read_if_plain, read_text

# Of each encoding: single words, tables with separators, sentences.
TEXTS = {
    "cp1252": [
        "Name;Stadt\nMüller;Köln\n", "Jäger;Lübeck", "Grüße", "Zürich", "Prénom;Âge\n", "déjà vu",
        "café crème", "l’été à Genève", "Año;Niño", "corazón", "São Paulo", "ação;preço",
        "Frühstück für zwölf Gäste", "år;måned\nJørgen;Århus", "“quoted” – text", "5 µm ± 2 °C",
        "£20 für alle", "garçon français", "Hôtel à côté de la gare", "Käse 5 €",
    ],
    "cp1250": ["Łódź;Kraków", "Gdańsk", "Zażółć gęślą jaźń", "Plzeň", "Jméno;Město\nJiří;Děčín",
               "Árvíztűrő tükörfúrógép", "Név;Város\nÁkos;Győr", "Děkuji vám pěkně"],
    "iso8859-2": ["Łódź;Kraków", "Wrocław", "Jméno;Město\nJiří;Děčín", "Příliš žluťoučký kůň"],
    "iso8859-15": ["Größe;Höhe;Länge\n12;5;7\n", "Käse 5 €"],
    "cp1251": ["Имя;Город\nИван;Москва\n", "Привет", "Да", "Решите уравнение", "Задача №5", "Київ",
               "Здравей;свят", "ВНИМАНИЕ! ОШИБКА СИСТЕМЫ", "МОСКВА", "УКРАЇНА",
               "ДОГОВОР № 5", "НЕТ"],
    "koi8-r": ["Имя;Город\nИван;Москва\n", "Привет", "решите уравнение", "Екатеринбург",
               "СПИСОК ТОВАРОВ", "МОСКВА"],
    "iso8859-5": ["Имя;Город\nИван;Москва\n", "Привет, как дела?", "ИМЯ;ГОРОД\nИВАН;МОСКВА"],
    "cp866": ["Имя;Город\nИван;Москва\n", "Привет"],
    "cp1253": ["Καλημέρα", "Όνομα;Πόλη\nΓιώργος;Πάτρα", "ΑΘΗΝΑ", "ΕΛΛΑΔΑ ΚΑΛΗΜΕΡΑ"],
    "cp1254": ["İsim;Şehir\nAyşe;İzmir", "öğrenci", "teşekkürler"],
    "cp1255": ["שלום", "שם;עיר\nדוד;חיפה"],
    "cp1256": ["مرحبا", "الاسم;المدينة\nأحمد;بيروت"],
    "cp932": ["名前,都市\n田中,東京\n", "こんにちは", "東京", "エラー", "株式会社",
              "ありがとうございます", "日本語のテスト",
              "価格,数量\nりんご,5"],
    "euc_jp": ["こんにちは", "名前,都市\n田中,東京\n", "テスト結果", "日本語のテスト"],
    "cp949": ["이름,도시\n김철수,서울\n", "안녕하세요", "서울", "네", "수학 문제",
              "가격,수량\n사과,5"],
    "big5": ["姓名,城市\n張三,臺北\n", "你好", "臺中,高雄", "謝謝大家", "解下列方程式",
             "價格,數量\n蘋果,5"],
    "gb18030": ["姓名,城市\n张三,北京\n", "你好", "学校", "数学问题", "是",
                "解下列方程", "价格,数量\n苹果,5"],
}  # fmt: skip
EACH = [(encoding, text) for encoding, texts in TEXTS.items() for text in texts]


@pytest.mark.parametrize(("encoding", "text"), EACH)
def test_an_encoding_is_found_by_few_words(encoding: str, text: str) -> None:
    data = text.encode(encoding)
    assert decode(data) == text
    table = (text.replace(";", ",") + "\n") * 30
    assert decode(table.encode(encoding)) == table


@pytest.mark.parametrize(
    "text",
    [
        "Product,Price\nTea,£2.50\nCoffee,£3.20\n", "Preis: 9,99 €\nRabatt: 2 €\n", "20€", "£5 off",
        "City,Temp\nOslo,-5°C\nRome,20°C\n", "temp 20°-30°", "± 3", "© 2024", "§ 5 Abs. 2", "5 µg",
        "Area: 30 m²\nVolume: 2 m³\n", "3 × 4 = 12", "Price ¥500", "99¢", "½ cup", "Nº 12",
        "30 °C ± 2 µm; 5 €",
    ],
)  # fmt: skip
def test_signs_of_windows_alone_are_no_letters_of_another_script(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


def test_a_word_of_two_scripts_is_one_with_accents_between_as_well() -> None:
    text = "Björk Guðmundsdóttir, Þórður\n"
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe\r\n\x1a".encode("cp1252"), "Größe\n"),
        (b"page 1\x0cpage 2\x1a\x1a", "page 1\x0cpage 2"),
        (b"$ ls\r\nfile\a\n\x1b[31mred\x1b[m\x0f\n", "$ ls\nfile\nred\n"),
        (b"\x0e\x0fok\a\n", "ok\n"),
    ],
)
def test_the_end_of_dos_and_the_bells_of_terminals_are_in_texts(data: bytes, text: str) -> None:
    assert decode(data) == text


@pytest.mark.parametrize("text", ["こんにちは世界。\n", "Subject: テスト\nABC 漢字\n"])
def test_the_sequences_of_japanese_mail_are_no_terminals(text: str) -> None:
    found = read_text(b"\x1b[32m" + text.encode("iso2022_jp") + b"\x1b[0m")
    assert found is not None
    assert (found.text, found.repaired, found.cleaned) == (text, False, True)


@pytest.mark.parametrize("encoding", ["gb18030", "cp932", "euc_jp", "cp949", "big5", "cp1251"])
def test_letters_far_into_a_file_are_found(encoding: str) -> None:
    """Behind much ASCII, and in lines that are longer than what is looked at."""
    for before in ("a line of ASCII\n" * 25_000, "x," * 100_000, ""):
        text = before + TEXTS[encoding][0] * 300
        data = text.encode(encoding)
        assert decode(data) == text
        flat = text.replace("\n", ";")
        assert decode(flat.encode(encoding)) == flat


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    ["hello, world\n", "Привет, мир", "你好，世界。这是测试", "こんにちは\n", "Müller;Köln\n5"],
)
def test_utf_16_with_and_without_its_mark(encoding: str, text: str, mark: bool) -> None:
    data = ("\ufeff" * mark + text).encode(encoding)
    assert kind_of(data) is FileType.TEXT
    assert decode(data) == text


def test_it_is_said_which_encoding_was_assumed_in_doubt() -> None:
    found = read_text("café".encode("cp1252"))
    assert found is not None
    assert (found.text, found.assumed_encoding) == ("café", "Windows-1252")
    certain = read_text("今天天气很好，所以我们去公园散步了。".encode("gbk"))
    assert certain is not None
    assert certain.assumed_encoding == ""


SOUND = "naïve café 数据\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (SOUND.encode() * 9 + b"\xff" + SOUND.encode(), SOUND * 9 + "\ufffd" + SOUND),
        (b"ok \xe2\x82 " + SOUND.encode(), "ok \ufffd " + SOUND),
        ((SOUND + "数据").encode()[:-1], SOUND + "数"),
        ("数据处理".encode()[1:], "据处理"),
        (b"all in ASCII until \xe6\x95", "all in ASCII until "),
        ("👍 ok ".encode() + b"\xf0\x9f\x91" + " ü".encode(), "👍 ok \ufffd ü"),
    ],
)  # fmt: skip
def test_damaged_utf_8_is_repaired(data: bytes, text: str) -> None:
    found = read_text(data)
    assert found is not None
    assert (found.text, found.repaired) == (text, True)


def test_halves_of_a_character_are_joined() -> None:
    found = read_text(b"smile \xed\xa0\xbd\xed\xb8\x80")
    assert found is not None
    assert (found.text, found.repaired) == ("smile 😀", False)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b[31mERROR\x1b[0m disk\n", "ERROR disk\n"),
        (b"\x1b[38;5;196mred\x1b[m \x1b[1;4mx\x1b[K\n", "red x\n"),
        (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "alink\n"),
        (b"\x1b(B\x1b=\x1bPq#0;2\x1b\\x\n", "x\n"),
        ("\x9b31mérr\x9b0m\n".encode(), "érr\n"),
        ("\x1b[32m成功\x1b[0m\n".encode("gbk"), "成功\n"),
        (b"get 1%\rget 50%\rget 100%\ndone\n", "get 100%\ndone\n"),
        ("  0%|   | 0/9\r 50%|██ | 5/9\r100%|███| 9/9\n".encode(), "100%|███| 9/9\n"),
        (b"\r|\r/\r-\r\\\rdone\n", "done\n"),
        (b"N\x08NA\x08AM\x08ME\x08E\n", "NAME\n"),
        (b"a\0b\0c, words\0 and more\n", "abc, words and more\n"),
        (b"2026-11-30 line\n" + b"\0" * 3000, "2026-11-30 line\n"),
        (b"a bell \x07" + b"." * 99, "a bell " + "." * 99),
    ],
)  # fmt: skip
def test_what_terminals_leave_is_taken_out(data: bytes, text: str) -> None:
    found = read_text(data)
    assert found is not None
    assert (found.text, found.cleaned) == (text, True)


@pytest.mark.parametrize("data", [b"a,b\r1,2\r3,4\r", b"a,b\r\n1,2\r\n3,4\r\n"])
def test_ends_of_lines_are_no_progress(data: bytes) -> None:
    text = decode(data)
    assert text is not None
    assert text.split() == ["a,b", "1,2", "3,4"]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\1\2\3" * 50,
        bytes(range(1, 32)) * 20,
        b"MZ\x90\0\3",
        b"\x7fELF\2\1\1\0" + b"\0" * 100,
        bytes(range(256)) * 40,
        b"\0" * 500,
    ],
)
def test_bytes_that_are_no_text(data: bytes) -> None:
    assert decode(data) is None


async def test_the_person_and_the_programs_get_the_same_text() -> None:
    found = await FileReader().read("Müller;Köln".encode("cp1252"), max_chars=5, whole=True)
    assert found == Text("Müller;Köln")
    cut = await FileReader().read("Müller;Köln".encode("cp1252"), max_chars=5)
    assert cut == Text("Mülle", cut=True)


LONG = 4 << 20
HOSTILE = {
    "escapes": b"\x1b" * LONG,
    "titles without end": b"text " * 9_000 + b"\x1b]" * (LONG // 2),
    "numbers without end": b"text " * 9_000 + b"\x1b[" + b"1;" * (LONG // 2),
    "returns": b"a\r" * (LONG // 2),
    "backspaces": b"text " * 9_000 + b"a\x08" * (LONG // 2),
    "only high bytes": b"\xe9 " * (LONG // 2),
    "half damaged": "é".encode() * 9 + b"\xc3\xa9\xff" * (LONG // 3),
    "one line": b"x," * (LONG // 2) + b"\xff",
    "surrogates": b"\xff\xfe" + b"\0\xd8" * (LONG // 2),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_reading_takes_time_in_proportion(data: bytes) -> None:
    started = time.process_time()
    read_text(data)
    assert time.process_time() - started < 30
    started = time.process_time()  # what the bot itself does, between other people's words
    kind_of(data)
    read_if_plain(data)
    assert time.process_time() - started < 2
