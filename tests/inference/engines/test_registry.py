import subprocess
import sys

import pytest

from inference.config import WorkerSettings
from inference.engines import UnknownEngine, create_engine


def test_an_unknown_engine_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownEngine, match="scripted, transformers"):
        create_engine("vapour", WorkerSettings())


def test_the_scripted_engine_needs_no_heavy_library() -> None:
    program = (
        "import sys; from inference.config import WorkerSettings;"
        "from inference.engines import create_engine;"
        "create_engine('scripted', WorkerSettings()); import inference.worker;"
        "print([m for m in ('torch', 'transformers', 'peft', 'jinja2') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert shown.stdout.strip() == b"[]"
