"""Generated texts that look like what models write, and like what nobody should write."""

from hypothesis import strategies as st

LIMIT = 160

_WORDS = [
    "one",
    "two three",
    "a longer run of words.",
    "第一句。",
    "ありがとう！",
    "👩‍👩‍👧‍👦",
    "🇫🇷🇩🇪",
    "e\u0301\u0301",
    "\u200d",
    "x" * 110,
    "**bold**",
    "~~",
    "$5",
    "||secret||",
    "||",
    "|",
]
_BREAKS = [" ", "\n", "\n\n", "\r\n", "", "\t", "  \n  \n", "\u2028"]
_FENCES = [
    "```",
    "```python\n",
    "\n```\n",
    "\n~~~js\n",
    "\n~~~\n",
    "\n````markdown\n",
    "\n````\n",
    "````",
    "``",
    "`",
    "```c++\n",
    "``````",
    "```not a language\n",
    '\n```python title="x.py"\n',
]
_LINES = [
    "\n# Heading\n",
    "\n- item\n  - nested item\n",
    "\n1. first\n2. second\n",
    "\n> quoted words\n> and more\n",
    "\n>>> all of it\n",
    "\n| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |\n",
    "| 5 | 6 |\n",
    "\n```\n| no | table |\n|--|--|\n```\n",
]
_MATHS = [
    r"$x^2$",
    "$$\n\\frac{a}{b}\n$$",
    r"\(a+b\)",
    "\\[\nx = 1\n\\]",
    "$$",
    r"\[",
    r"\(",
    r"\$",
    "US$5 and $6",
    r"\begin{align}a&=b\\c&=d\end{align}",
]
_LINKS = [
    "[docs](https://docs.example/a_b)",
    "[good.example](https://evil.example)",
    "https://a.example/b?c=d",
    "https://good.example@evil.example/x",
    "https://discord.gg/abc",
    "[half",
    "[half](",
    "(",
    ")",
    "[",
    "]",
]

chunks = st.sampled_from([*_WORDS, *_BREAKS, *_FENCES, *_LINES, *_MATHS, *_LINKS])
texts = st.lists(chunks | st.text(max_size=40), max_size=60).map("".join)

# What must come out whole wherever it stands in running text.
CONSTRUCTS = [
    r"$E = m c^2$",
    r"\(a + b\)",
    "$$ x + y = z $$",
    "`some inline code`",
    "[a label](https://docs.example/x)",
    "https://docs.example/a/long/path?query=1",
]
