"""What a script may say, and how it is told that it is wrong."""

import json
from pathlib import Path

import pytest

from playground import script_actions
from playground.__main__ import main
from playground.discord.json_types import Json
from playground.script_actions import ScriptError


def read(tmp_path: Path, *lines: Json | str) -> list[script_actions.ScriptAction]:
    file = tmp_path / "script.jsonl"
    file.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    script = script_actions.read_script(file)
    script_actions.check_references(script)
    return script


@pytest.mark.parametrize("name", ["target", "process", "of", "what"])
def test_a_process_is_named_in_many_ways(tmp_path: Path, name: str) -> None:
    (action,) = read(tmp_path, {"do": "kill", name: "worker"})
    assert action.fields == {"target": "worker"}


def test_defaults_comments_and_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    said, waited = read(tmp_path, "# first", {"do": "say", "attach": ["a.txt"]}, "", {"do": "wait"})
    assert (said.index, said.user, said.channel, said.fields["content"]) == (
        1,
        "ada",
        "general",
        "",
    )
    assert (said.files[0].name, said.files[0].data) == ("a.txt", b"x")
    assert (waited.index, waited.fields["timeout"]) == (3, 60.0)


def test_faults(tmp_path: Path) -> None:
    status, latency, cut = read(
        tmp_path,
        {"do": "fault", "status": 429, "route": "PATCH /webhooks/*", "times": 2},
        {"do": "fault", "kind": "latency", "ms": 300},
        {"do": "fault", "kind": "disconnect"},
    )
    fault = status.fields["fault"]
    assert fault.matches("PATCH", "/webhooks/1/t/messages/@original")
    assert not fault.matches("POST", "/webhooks/1/t")
    assert latency.fields["fault"].seconds == 0.3
    assert cut.fields["fault"] is None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not JSON"),
        ("[" * 5_000, "not JSON"),
        ("[]", "not a JSON object"),
        ({"do": "dance"}, '"do" must be one of'),
        ({"do": "slash"}, '"command" is missing'),
        ({"do": "slash", "command": "chat", "options": []}, '"options"'),
        ({"do": "say", "content": 7}, '"content" must be a text'),
        ({"do": "say", "content": "x", "attach": ["none.png"]}, "none.png"),
        ({"do": "kill", "target": "cat"}, '"target" must be one of'),
        ({"do": "wait", "timeout": "long"}, '"timeout" must be a number'),
        ({"do": "fault", "status": 200}, '"status" must be'),
        ({"do": "fault", "kind": "flood"}, '"kind" must be'),
        ({"do": "fault", "status": 500, "times": 0}, '"times"'),
        ({"do": "reply", "content": "x", "to": 9}, "no earlier action"),
    ],
)
def test_a_wrong_line_is_named_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: Json | str, complaint: str
) -> None:
    with pytest.raises(ScriptError, match=complaint):
        read(tmp_path, {"do": "wait"}, line)
    assert main(["script", str(tmp_path / "script.jsonl"), "--engine", "scripted"]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert "script.jsonl:2" in error or "line 2" in error
