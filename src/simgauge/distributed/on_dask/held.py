"""Results of Dask tasks that stay on the workers, made again when they are lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from simgauge.core.tables.row_parts import add, tree_sum
from simgauge.distributed.cluster_error import ClusterError
from simgauge.distributed.on_dask.engine import Engine, Task
from simgauge.errors import optional_import

ATTEMPTS = 5
"""Times that work is sent after data was lost, before `ClusterError`."""

Recipe = Callable[[], Sequence[Task]]
"""Gives the tasks, with everything they need placed anew."""

Make = Callable[[Any], Iterator[Task]]
"""Gives tasks from the handle of placed arguments."""


class HeldTasks:
    """Tasks by their recipe.

    Parameters
    ----------
    engine : Engine
    recipe : callable
        Called at the start, and again when a worker took with it what the scheduler cannot compute again.
    hold : bool
        Whether results are kept, or computed again whenever they are needed.
    """

    def __init__(self, engine: Engine, recipe: Recipe, hold: bool = True) -> None:
        self.engine, self.holds, self._recipe = engine, hold, recipe
        self.tasks = self._made()

    def _made(self) -> list[Task]:
        return self.engine.hold(self._recipe()) if self.holds else list(self._recipe())

    def restore(self) -> None:
        """Make again what the engine cannot restore by itself."""
        if not (self.holds and all(map(self.engine.intact, self.tasks))):
            self.tasks = self._made()

    def each(self, work: Callable[..., Any], *extra: Any) -> Iterator[Any]:
        """``work(result, *extra)`` of every task, in order."""
        delayed = lazily()
        return self.results(lambda _: (delayed(work)(task, *extra) for task in self.tasks))

    def total(self, make: Make, arguments: tuple[Any, ...] = ()) -> Any:
        """The sum of the results of what `make` gives, added up in pairs where the tasks run."""
        return next(self.results(lambda placed: iter([tree_sum(map(_Term, make(placed))).task]), arguments))

    def results(self, make: Make, arguments: tuple[Any, ...] = ()) -> Iterator[Any]:
        """Results of what `make` gives, in order; after a loss those that are still missing are asked for again."""
        done, failures = 0, 0
        while True:
            try:
                tasks = make(self.engine.place(arguments))
                for _ in range(done):
                    next(tasks)
                for result in self.engine.stream(tasks):
                    yield result
                    done, failures = done + 1, 0
                return
            except self.engine.lost as error:
                failures += 1
                if failures == ATTEMPTS:
                    raise ClusterError(
                        f"data on the workers was lost {ATTEMPTS} times in a row ({error}). Look at the workers' logs: "
                        "most often they run out of memory. Parts that were scattered cannot be rebuilt: pass "
                        "dask.delayed objects that read them instead."
                    ) from error
                self.restore()


class _Term:
    """A task whose sum with another is a task."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __add__(self, other: _Term) -> _Term:
        return _Term(lazily()(add)(self.task, other.task))


def lazily() -> Any:
    """`dask.delayed` that never looks whether the same call was made before, which would cost a hash of the data."""
    delayed = optional_import("dask", extra="dask", purpose="work on Dask collections").delayed

    def call(function: Callable[..., Any]) -> Any:
        return delayed(function, pure=False)

    return call
