"""What an attack is.

A program prints BREACH when it got what it should not get; an exception is a defence. Each row
has a control: the same program, as the same user, without confinement, prints BREACH, else the
row proves nothing. Where that cannot be shown `no_control` says why, and the program must then
have failed for a reason that is not a slip of the pen.

`@name@` stands for something that the tests hold ready: see `Targets`.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec

BREACH = "BREACH"

# Before every program. nr(x86_64, aarch64) picks a system call's number.
PRELUDE = """\
import ctypes, errno, os, signal, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == 'x86_64'
def nr(x86, arm): return x86 if X86 else arm
def call(number, *arguments):
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = libc.syscall(ctypes.c_long(number), *wide)
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def breach(detail=''): print('BREACH', detail, flush=True)
"""
SLIPS = ("NameError", "SyntaxError", "IndentationError", "TypeError", "ctypes.ArgumentError")


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    program: str
    ends: tuple[str, ...] = ()  # the statuses it may end with; empty: any
    value: str | None = None  # the result's value, where that must not be forged
    interpreter: str = "programs"  # the control's
    no_control: str = ""
    leaks_alone: str = ""  # what gets through without bubblewrap, known and documented

    def source(self, targets: "Targets") -> str:
        text = PRELUDE + self.program
        for name in targets.__slots__:
            text = text.replace(f"@{name}@", str(getattr(targets, name)))
        return text


@dataclass(frozen=True, slots=True)
class Targets:
    secret: str  # in the service's environment and in `file`
    file: str  # readable by everybody
    writable: str  # a file that everybody may write
    folder: str  # a folder that everybody may write
    victim: int  # a process with the programs' user
    address: int  # of eight bytes in its memory
    tcp: int  # a port that answers on loopback
    unix: str  # sockets that accept, by path and by abstract name
    abstract: str
    host: str  # the machine's name
    project: str
    packages: str  # of the interpreter that runs the tests
    long: float  # seconds, more than a program has


def _read(topic: str) -> tuple[Attack, ...]:
    text = Path(__file__).with_name(f"{topic}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["attack"], tuple[Attack, ...])


TOPICS = ("files", "network", "processes", "kernel", "imports", "bombs", "output")
ATTACKS = {f"{topic}: {attack.name}": attack for topic in TOPICS for attack in _read(topic)}
CONTROLLED = {name: attack for name, attack in ATTACKS.items() if not attack.no_control}
# Rows about output speak to the reader of the frames; nobody reads a plain interpreter's.
CONTROLLED = {
    name: attack for name, attack in CONTROLLED.items() if not name.startswith("output: ")
}
