"""A doctor's report: one finding per check, with what to do about it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.redact import redact


class Severity(StrEnum):
    GOOD = "good"
    WARNING = "warning"  # it works, with less than it could have
    FAULT = "fault"


COLOURS = {Severity.GOOD: "green", Severity.WARNING: "yellow", Severity.FAULT: "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    verdict: Severity
    found: str
    todo: str = ""


def good(what: str, found: str) -> Finding:
    return Finding(what, Severity.GOOD, found)


def warning(what: str, found: str, todo: str) -> Finding:
    return Finding(what, Severity.WARNING, found, todo)


def fault(what: str, found: str, todo: str) -> Finding:
    return Finding(what, Severity.FAULT, found, todo)


def print_report(findings: Sequence[Finding], *, as_json: bool = False) -> int:
    """Print the findings without secrets; return the exit code, which is 1 if one is a fault."""
    findings = [
        replace(each, found=redact(each.found), todo=redact(each.todo)) for each in findings
    ]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        Console().print(_build_table(findings))
    return int(any(finding.verdict is Severity.FAULT for finding in findings))


def _build_table(findings: Sequence[Finding]) -> Table:
    table = Table("", "", "found, and → what to do")
    for finding in findings:
        verdict = Text(finding.verdict, style=COLOURS[finding.verdict])
        # As text, since square brackets are rich's own language; a link must stay in one piece.
        # Both in one column: two are too narrow for a model's name in a terminal of 80 characters.
        found = Text(finding.found, overflow="fold")
        if finding.todo:
            found.append(f"\n→ {finding.todo}", style="bold")
        table.add_row(verdict, finding.what, found)
    return table
