"""A disk that remembers the order of what was written to it, and what it holds when the power fails.

A disk may keep what was written before the last sync of a file, and must keep nothing else: of what came
after, each sector is kept or lost by chance. `hold` says what such a disk holds after a cut at any place.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR = 512


@dataclass(frozen=True)
class Written:
    """One act: a write, a sync, a change of length, or the removal of a file."""

    file: str
    kind: str
    place: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """What was there before, and every act since, in order."""

    folder: Path
    acts: list[Written] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self._vfs = _Recording(self)

    def connect(self, name: str, pragmas: str) -> apsw.Connection:
        """A database on this disk. It is ours alone, because this way of looking on has no shared memory."""
        connection = apsw.Connection(str(self.folder / name), vfs=self._vfs.name)
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute(pragmas).fetchall()
        return connection

    def hold(
        self, cuts: list[int], chance: random.Random, kept: float
    ) -> Iterator[tuple[int, dict[str, bytes]]]:
        """What the disk holds after each cut: so many acts were done, the power failed, and it came back.

        Args:
            cuts: numbers of acts, ascending.
            chance: decides of each sector that was not synced.
            kept: the probability that it was kept all the same.
        """
        surely = {name: bytearray(data) for name, data in self.before.items()}
        waiting: list[Written] = []
        done = 0
        for cut in cuts:
            for act in self.acts[done:cut]:
                waiting.append(act)
                if act.kind == "sync":
                    for each in [each for each in waiting if each.file == act.file]:
                        _apply(surely, each)
                    waiting = [each for each in waiting if each.file != act.file]
            done = cut
            found = {name: bytearray(data) for name, data in surely.items()}
            for act in waiting:
                for part in _parts(act):
                    if chance.random() < kept:
                        _apply(found, part)
            yield cut, {name: bytes(data) for name, data in found.items()}


def _parts(act: Written) -> Iterator[Written]:
    """A write, sector by sector: the power can fail in the middle of it."""
    if act.kind != "write":
        yield act
        return
    begin = act.place
    end = act.place + len(act.data)
    while begin < end:
        until = min(end, (begin // SECTOR + 1) * SECTOR)
        yield Written(act.file, "write", begin, act.data[begin - act.place : until - act.place])
        begin = until


def _apply(files: dict[str, bytearray], act: Written) -> None:
    if act.kind == "remove":
        files.pop(act.file, None)
        return
    data = files.setdefault(act.file, bytearray())
    if act.kind == "write":
        if len(data) < act.place:
            data.extend(bytes(act.place - len(data)))
        data[act.place : act.place + len(act.data)] = act.data
    elif act.kind == "length":
        del data[act.place :]
        data.extend(bytes(act.place - len(data)))


class _Recording(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.name = f"recording-{id(disk)}"
        self._disk = disk
        super().__init__(self.name, "")

    def xOpen(self, name: object, flags: list[int]) -> "_File":
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(self._disk, path, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.acts.append(Written(Path(filename).name, "remove"))
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, path: str | None, flags: list[int]) -> None:
        self._acts = disk.acts
        self._name = Path(path).name if path else None  # a temporary file has none, and is nobody's loss
        super().__init__("", path, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._note("write", offset, bytes(data))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._note("sync")

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._note("length", newsize)

    def _note(self, kind: str, place: int = 0, data: bytes = b"") -> None:
        if self._name is not None:
            self._acts.append(Written(self._name, kind, place, data))
