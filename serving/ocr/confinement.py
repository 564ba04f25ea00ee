"""A process that may no longer do what the parser of a file has no need of.

Limits of the kernel (memory, processor time, no file written), Landlock (files: only what is named
may be read; no TCP) and a seccomp filter (no socket, no other program, no look into other
processes).  Landlock and seccomp are left out where the kernel has none or the processor is another
one; the limits always hold.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from collections.abc import Sequence
from pathlib import Path

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _SECCOMP_FILTER = 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION, _RULE_PATH = 1, 1
_READ = 1 << 2 | 1 << 3  # a file's content, a folder's listing
_ALL_OF_FIRST = (1 << 13) - 1
_TCP = 1 << 0 | 1 << 1
_X86_64 = 0xC000003E
# socket, connect, accept, sendto, sendmsg, bind, listen, socketpair, execve, kill, ptrace, tkill,
# tgkill, accept4, process_vm_readv, process_vm_writev, execveat, bpf, userfaultfd, io_uring_setup,
# pidfd_open, pidfd_getfd: by their numbers on x86-64.
_DENIED = (41, 42, 43, 44, 46, 49, 50, 53, 59, 62, 101, 200, 234, 288, 310, 311, 322, 321, 323, 425,
           434, 438)  # fmt: skip
_NOT_PERMITTED = 1


def confine(readable: Sequence[Path], memory: int, seconds: int) -> list[str]:
    """Give up, for good, all but reading below ``readable`` and using what is already open.

    ``memory``: bytes of address space; ``seconds`` of processor time, twice that by the clock.
    Gives the names of what holds: limits, landlock, seccomp.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(2 * seconds)
    held = ["limits"]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return held
    if _landlock(libc, readable):
        held.append("landlock")
    if _seccomp(libc):
        held.append("seccomp")
    return held


def _landlock(libc: ctypes.CDLL, readable: Sequence[Path]) -> bool:
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if version < 1:
        return False
    handled = _ALL_OF_FIRST | (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    rules = struct.pack("QQ", handled, _TCP) if version >= 4 else struct.pack("Q", handled)
    ruleset = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path)
        return not libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", _READ, folder)
        libc.syscall(_LANDLOCK_ADD, ruleset, _RULE_PATH, rule, 0)
    finally:
        os.close(folder)


def _seccomp(libc: ctypes.CDLL) -> bool:
    if platform.machine() != "x86_64":
        return False
    load, equal, give = 0x20, 0x15, 0x06
    allowed, denied, killed = 0x7FFF0000, 0x00050000 | _NOT_PERMITTED, 0x80000000
    program = [
        (load, 0, 0, 4),
        (equal, 1, 0, _X86_64),
        (give, 0, 0, killed),
        (load, 0, 0, 0),
        # Numbers of the x32 interface would name the same calls anew.
        (0x35, len(_DENIED), 0, 0x40000000),
    ]
    for place, number in enumerate(_DENIED):
        program.append((equal, len(_DENIED) - place, 0, number))
    # The x32 test jumps over all comparisons but one; that one falls to the refusal below.
    program += [(give, 0, 0, allowed), (give, 0, 0, denied)]
    program[4] = (0x35, len(_DENIED) + 1, 0, 0x40000000)
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    return not libc.prctl(_SET_SECCOMP, _SECCOMP_FILTER, filter_, 0, 0)
