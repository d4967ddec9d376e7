"""Which file systems are where: those of a network, which no events come from and which may hang,
and those that hold no files at all. Told by the kernel's own list; no folder is touched."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

MOUNTINFO = Path("/proc/self/mountinfo")
# Others may change what lies there, and the system here is not told of it.
NETWORK = frozenset(
    """nfs nfs4 cifs smb smb2 smb3 smbfs ncpfs afs afpfs webdav davfs 9p vboxsf vmhgfs prl_fs ceph
    glusterfs lustre gpfs beegfs orangefs coda ocfs2 gfs gfs2 virtiofs drvfs remote""".split()
)
# Of the file systems in user space, those that are a disk of this machine.
LOCAL_FUSE = frozenset(
    """fuseblk fuse.ntfs-3g fuse.exfat fuse.bindfs fuse.mergerfs fuse.gocryptfs fuse.encfs
    fuse.cryfs fuse.fuse-overlayfs""".split()
)
PSEUDO = frozenset(
    """proc sysfs devtmpfs devpts cgroup cgroup2 debugfs tracefs securityfs pstore bpf configfs
    mqueue hugetlbfs fusectl binfmt_misc efivarfs rpc_pipefs nsfs autofs""".split()
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system and where it is; `device` is what its files' `st_dev` say, if that is known."""

    path: Path
    type: str
    device: int | None = None

    @property
    def network(self) -> bool:
        """Whether it lies on another machine, or may."""
        if self.type.startswith("fuse"):
            return self.type not in LOCAL_FUSE and self.type not in PSEUDO
        return self.type in NETWORK


def mounts() -> list[Mount]:
    """What is mounted now, the later over the earlier."""
    try:
        lines = MOUNTINFO.read_bytes().split(b"\n")
    except OSError:
        return [
            Mount(
                Path(part.mountpoint), "remote" if "remote" in part.opts.split(",") else part.fstype
            )
            for part in psutil.disk_partitions(all=True)
        ]
    return [mount for line in lines if (mount := _mount(line)) is not None]


def _mount(line: bytes) -> Mount | None:
    # 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    fields, dash, source = line.partition(b" - ")
    parts = fields.split(b" ")
    if not dash or len(parts) < 6:
        return None
    major, _, minor = parts[2].partition(b":")
    path = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), parts[4])
    kind = source.split(b" ")[0].decode("ascii", "replace")
    return Mount(Path(os.fsdecode(path)), kind, os.makedev(int(major), int(minor)))


def mount_of(path: Path, among: Iterable[Mount] | None = None) -> Mount | None:
    """The file system a path lies on."""
    innermost: Mount | None = None
    for mount in mounts() if among is None else among:
        inside = mount.path == path or mount.path in path.parents
        if inside and (innermost is None or len(mount.path.parts) >= len(innermost.path.parts)):
            innermost = mount
    return innermost


def network_places(roots: Iterable[Path], among: Iterable[Mount] | None = None) -> dict[Path, str]:
    """The folders on a network among these roots and below them, and their file systems' types."""
    known = mounts() if among is None else list(among)
    places: dict[Path, str] = {}
    for root in roots:
        under = mount_of(root, known)
        if under is not None and under.network:
            places[root] = under.type
        for mount in known:
            if (
                root in mount.path.parents
                and mount.network
                and mount_of(mount.path, known) == mount
            ):
                places[mount.path] = mount.type
    return places


def pseudo_devices() -> frozenset[int]:
    """The devices of file systems that hold no files of anybody."""
    return frozenset(
        mount.device for mount in mounts() if mount.type in PSEUDO and mount.device is not None
    )
