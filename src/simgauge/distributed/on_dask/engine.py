"""Where Dask's tasks run: on the workers of a `distributed.Client`, or on the threads of this process."""

from __future__ import annotations

import itertools
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from simgauge.core.tables.threads import thread_count
from simgauge.distributed.cluster_error import ClusterError
from simgauge.distributed.one_part import Placed
from simgauge.errors import optional_import

SMALL_BYTES = 1 << 14
"""Arguments up to this size travel inside the tasks; larger ones are sent to every worker once."""

Task = Any
"""A `dask.delayed.Delayed`, or a `distributed.Future`."""


class Engine(ABC):
    """Runs tasks; `lost` are the errors after which the same tasks may succeed."""

    lost: tuple[type[BaseException], ...] = ()

    @abstractmethod
    def place(self, arguments: tuple[Any, ...]) -> Any:
        """A handle of the arguments that tasks take in place of them; they open it as `Placed`."""

    @abstractmethod
    def hold(self, tasks: Sequence[Task]) -> list[Task]:
        """Start the tasks, and keep their results where they are computed for as long as the handles live."""

    @abstractmethod
    def stream(self, tasks: Iterator[Task]) -> Iterator[Any]:
        """Results in order, with a short queue, so that finished ones do not pile up."""

    def result(self, task: Task) -> Any:
        """The result of one task."""
        return next(self.stream(iter([task])))

    def intact(self, handle: Task) -> bool:  # noqa: ARG002  what runs here cannot be lost
        """Whether what `hold` returned is still there, or will be again."""
        return True


class ThreadEngine(Engine):
    """The scheduler that Dask is configured for, its threads by default; nothing leaves this process."""

    def __init__(self) -> None:
        self._dask = optional_import("dask", extra="dask", purpose="work on Dask collections")

    def place(self, arguments: tuple[Any, ...]) -> Any:
        """See `Engine.place`; the graph refers to it, without a copy."""
        from dask.delayed import delayed

        return delayed(Placed(arguments), pure=False, traverse=False)

    def hold(self, tasks: Sequence[Task]) -> list[Task]:
        """See `Engine.hold`."""
        return list(self._dask.persist(*tasks)) if tasks else []

    def stream(self, tasks: Iterator[Task]) -> Iterator[Any]:
        """See `Engine.stream`; as many at a time as there are threads."""
        waiting: list[Task] = []
        for task in tasks:
            waiting.append(task)
            if len(waiting) >= thread_count():
                yield from self._dask.compute(*waiting)
                waiting = []
        if waiting:
            yield from self._dask.compute(*waiting)


class ClusterEngine(Engine):
    """The workers of a client."""

    def __init__(self, client: Any) -> None:
        distributed = optional_import("distributed", extra="dask", purpose="work on a Dask cluster")
        self.client = client
        self.lost = (distributed.client.FutureCancelledError, distributed.comm.CommClosedError, TimeoutError)
        self._killed = distributed.KilledWorker

    def place(self, arguments: tuple[Any, ...]) -> Any:
        """See `Engine.place`; large values are copied from worker to worker, never into the graph."""
        if _bytes_of(arguments) <= SMALL_BYTES:
            return Placed(arguments)
        (future,) = self.client.scatter([Placed(arguments)], broadcast=True, hash=False)
        return future

    def hold(self, tasks: Sequence[Task]) -> list[Task]:
        """See `Engine.hold`."""
        return list(self.client.compute(list(tasks)))

    def stream(self, tasks: Iterator[Task]) -> Iterator[Any]:
        """See `Engine.stream`; twice as many tasks at a time as the workers have threads."""
        ahead = max(2 * sum(self.client.nthreads().values()), 2)
        pending: deque[Any] = deque()
        try:
            more = True
            while more or pending:
                while more and len(pending) < ahead:
                    group = list(itertools.islice(tasks, ahead - len(pending)))
                    more = bool(group)
                    pending.extend(self.client.compute(group) if group else [])
                if pending:
                    yield pending[0].result()
                    pending.popleft()
        except self._killed as error:
            raise ClusterError(
                f"a task ended the worker it ran on, and so did its repetitions ({error.task}). Most often the memory "
                f"of "
                "a worker does not hold its partitions and the sums: cut the data into more partitions, or give "
                "the workers more memory."
            ) from error
        finally:  # also when the caller stops early or is interrupted
            if pending:
                self.client.cancel(list(pending))

    def intact(self, handle: Task) -> bool:
        """See `Engine.intact`."""
        return getattr(handle, "status", "finished") in ("finished", "pending")


def engine_for(client: Any = None, sources: Sequence[Any] = ()) -> Engine:
    """The client that is given, that of the futures, or the current one of this process; threads where there is
    none."""
    futures = [source for source in sources if type(source).__module__.startswith("distributed.")]
    found = client or (futures[0].client if futures else _current_client())
    return ThreadEngine() if found is None else ClusterEngine(found)


def _current_client() -> Any:
    module = sys.modules.get("distributed")  # without it there is no client either
    if module is None:
        return None
    from dask import config

    if config.get("scheduler", None) not in (None, "dask.distributed", "distributed"):
        return None
    try:
        return module.default_client()
    except ValueError:
        return None


def _bytes_of(value: Any) -> int:
    if isinstance(value, tuple | list):
        return sum(map(_bytes_of, value))
    return int(getattr(value, "nbytes", 0)) or (len(value) if isinstance(value, bytes | str) else 8)
