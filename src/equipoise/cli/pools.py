"""Where chunks of a simulation are run: in this process, in several of this machine, or on a Dask cluster."""

import multiprocessing
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.diagnosis.chunk import Chunk
    from equipoise.diagnosis.performance import Sums
    from equipoise.diagnosis.planning.trying import MapsChunks
    from equipoise.estimation.arrays import Bools

__all__ = ["mapped_over"]

_SECONDS = 1.0  # that one errand of a worker should take, so that sending it costs little beside it
_AHEAD = 3  # errands that wait for each worker
_MOST = 256  # chunks of one errand


@contextmanager
def mapped_over(workers: int, scheduler: str | None) -> "Iterator[MapsChunks]":
    """A map over chunks, whose results come in the order of the chunks wherever they are run.

    Args:
        workers: processes of this machine; 1 is this process itself.
        scheduler: the address of a Dask scheduler, in place of processes of this machine.
    Raises:
        InputError: there is no scheduler at the address, or what it takes to speak to one is not installed.
    """
    if scheduler is not None:
        with _dask(scheduler) as (executor, count):
            yield _by_errands(executor, count)
    elif workers == 1:
        yield map
    else:
        # Processes are begun anew: libraries in this one have threads, whose locks a copy would inherit held.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts) as executor:
            try:
                yield _by_errands(executor, workers)
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise


def _by_errands(executor: Executor, workers: int) -> "MapsChunks":
    """Chunks in errands of about a second, a few ahead for each worker; so memory is bounded."""

    def mapped(chunk: "Chunk", numbers: Iterable[int]) -> "Iterator[tuple[Sums, Bools]]":
        left, size = deque(numbers), 1
        waiting: deque[Future[tuple[float, list[tuple[Sums, Bools]]]]] = deque()
        while left or waiting:
            while left and len(waiting) < workers * _AHEAD:
                errand = [left.popleft() for _ in range(min(size, len(left)))]
                waiting.append(executor.submit(_run, chunk, errand))
            seconds, found = waiting.popleft().result()
            size = _size(len(found), seconds)
            yield from found

    return mapped


def _size(chunks: int, seconds: float) -> int:
    return max(1, min(_MOST, int(chunks * _SECONDS / max(seconds, 1e-3))))


def _run(chunk: "Chunk", numbers: list[int]) -> "tuple[float, list[tuple[Sums, Bools]]]":
    """An errand: its chunks one after the other, and how long they took."""
    started = time.perf_counter()
    found = [chunk(number) for number in numbers]
    return time.perf_counter() - started, found


def _ignore_interrupts() -> None:
    """Ctrl-C is for the process that asks; it then ends the others."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _dask(address: str) -> Iterator[tuple[Executor, int]]:
    try:
        from distributed import Client
    except ImportError:
        message = "speaking to a Dask scheduler takes the package distributed: pip install 'equipoise[dask]'"
        raise InputError(Problem("", "--scheduler", message)) from None
    try:
        client: Any = Client(address, timeout=5, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        message = f"no Dask scheduler answers at {address}: {why}; start one with: dask scheduler"
        raise InputError(Problem("", "--scheduler", message)) from None
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            message = f"the scheduler at {address} has no workers; start one with: dask worker {address}"
            raise InputError(Problem("", "--scheduler", message))
        with client.get_executor(pure=False) as executor:
            yield executor, sum(each["nthreads"] for each in workers.values())
