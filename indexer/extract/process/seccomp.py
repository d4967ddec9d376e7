"""The filter of system calls (seccomp): what a process that only reads may not ask of Linux.

Calls that write, connect or start something are refused, on x86_64 and aarch64. The numbers and
layouts are those of linux/seccomp.h and linux/filter.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets into seccomp_data
_OTHER_ABI = 0x40000000  # x32: the same calls under other numbers

_MACHINES = {"x86_64": (0xC000003E, 317), "aarch64": (0xC00000B7, 277)}
_CLONE_THREAD = 0x10000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0x400000  # O_TMPFILE

# Refused whatever their arguments are: (x86_64, aarch64), None where there is no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # connections, and ways around the filter
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # other processes
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    # the file system
    "creat": (85, None),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "open_by_handle_at": (304, 265),
    # memory that outlives the process
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # the system
    "mount": (165, 40),
    "umount2": (166, 39),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
}
# Reported as missing, so that libc makes the older call, whose arguments a filter can see.
_UNKNOWN = ("openat2", 437), ("clone3", 435)
_OPEN, _OPENAT, _CLONE = (2, None), (257, 56), (56, 220)
_KILL_CALL, _TGKILL, _PRLIMIT, _FCNTL = (62, 129), (234, 131), (302, 261), (72, 25)
_SETS_OWNER = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: a way to send signals


def install_filter(libc: ctypes.CDLL) -> bool:
    """Filter the calls of this process for good; False where the system cannot. `no_new_privs` has
    to be set before."""
    machine = platform.machine()
    if machine not in _MACHINES or sys.maxsize < 1 << 32:
        return False
    program = b"".join(_program(machine))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    filter_program = Program(len(program) // 8, program)
    every_thread = 1
    _, call = _MACHINES[machine]
    return int(libc.syscall(call, 1, every_thread, ctypes.byref(filter_program))) == 0


def _program(machine: str) -> Iterator[bytes]:
    """The instructions of the filter, of 8 bytes each."""
    column = list(_MACHINES).index(machine)

    def step(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, k)

    def argument(n: int) -> bytes:
        return step(_LOAD, 16 + 8 * n)  # its lower half; both machines put that first

    def refusal(number: int = errno.EPERM) -> bytes:
        return step(_RETURN, _ERRNO | number)

    def for_call(call: tuple[int | None, int | None], *then: bytes) -> Iterator[bytes]:
        """`then` for this call alone; after it the number of the call is loaded again."""
        number = call[column]
        if number is not None:
            yield step(_EQUAL, number, 0, len(then) + 1)
            yield from then
            yield step(_LOAD, _NUMBER)

    yield step(_LOAD, _ARCHITECTURE)
    yield step(_EQUAL, _MACHINES[machine][0], 1, 0)
    yield step(_RETURN, _KILL)
    yield step(_LOAD, _NUMBER)
    yield step(_AT_LEAST, _OTHER_ABI, 0, 1)
    yield refusal(errno.ENOSYS)
    for numbers in _REFUSED.values():
        yield from for_call(numbers, refusal())
    for _, number in _UNKNOWN:
        yield from for_call((number, number), refusal(errno.ENOSYS))
    yield from for_call(_OPEN, argument(1), step(_ANY_BIT, _WRITING, 0, 1), refusal(errno.EACCES))
    yield from for_call(_OPENAT, argument(2), step(_ANY_BIT, _WRITING, 0, 1), refusal(errno.EACCES))
    yield from for_call(_CLONE, argument(0), step(_ANY_BIT, _CLONE_THREAD, 1, 0), refusal())
    for call in (_KILL_CALL, _TGKILL):
        yield from for_call(call, argument(0), step(_EQUAL, os.getpid(), 1, 0), refusal())
    yield from for_call(_PRLIMIT, argument(0), step(_EQUAL, 0, 1, 0), refusal())
    for command in _SETS_OWNER:
        yield from for_call(_FCNTL, argument(1), step(_EQUAL, command, 0, 1), refusal())
    yield step(_RETURN, _ALLOW)
