"""What the processes of a workspace owe each other: one where one is enough, and none left behind."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from equipoise.errors import InputError, Problem

__all__ = ["end_with", "heed_the_stop", "in_turn", "only_one"]

_LOOK_SECONDS = 0.5


@contextmanager
def in_turn(place: Path) -> Iterator[None]:
    """Wait until no other process holds this lock, then hold it. It is given back whatever becomes of us."""
    with place.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def only_one(place: Path, message: str) -> Iterator[None]:
    """Hold a lock that at most one process has.

    Args:
        place: the file that is locked; its number is written there, to be found by a person.
        message: what is wrong where another process has it.
    Raises:
        InputError: another process has it.
    """
    with place.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            number = place.read_text("ascii").strip()
            raise InputError(Problem(str(place.parent), "", f"{message} (process {number})")) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def end_with(parent: int) -> None:
    """End this process in good order when its parent is gone, however that came.

    A process that went on alone would hold the port or the lock, and run the code of before an upgrade.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def heed_the_stop(*, within: int | None = None) -> None:
    """Let what SIGTERM and Ctrl-C ask for be done, however long the main thread waits.

    Python notes a signal and runs its handler when the main thread next goes on. Of one that comes just
    before that thread begins to wait, or that another thread gets, it would hear only after the wait: for a
    server, never. So a signal wakes a thread, which wakes the main thread until the process has ended. To be
    called in the main thread.

    Args:
        within: seconds after which a process that was told to end is ended, whatever it waits for.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    signal.signal(signal.SIGURG, lambda *_: None)  # means nothing, but one that is ignored would wake nobody
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    main = threading.get_ident()

    def watch() -> None:
        while not {signal.SIGTERM, signal.SIGINT}.intersection(os.read(told, 64)):
            pass
        if within is not None:
            signal.alarm(within)  # the system's own: it needs no thread of Python's to be free
        while True:
            signal.pthread_kill(main, signal.SIGURG)
            time.sleep(_LOOK_SECONDS)

    threading.Thread(target=watch, daemon=True).start()
