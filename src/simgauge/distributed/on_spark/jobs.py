"""Spark jobs that Ctrl-C ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from simgauge.errors import optional_import

Result = TypeVar("Result")


def cancellable(context: Any, action: Callable[[], Result]) -> Result:
    """Result of `action`, whose jobs are cancelled when this thread is interrupted.

    It runs in a thread of its own. A signal that arrives in the middle of a call to the JVM leaves the connection of
    that thread unusable, and with it Spark's own handler, which would cancel over the same connection.
    """
    pyspark = optional_import("pyspark", extra="spark", purpose="work on Spark")
    sql = optional_import("pyspark.sql", extra="spark", purpose="work on Spark")
    tag = f"simgauge-{uuid.uuid4().hex}"

    def tagged() -> Result:
        context.addJobTag(tag)
        return action()

    with ThreadPoolExecutor(1) as pool:
        # the pool and the description that the caller's thread has set hold for these jobs too
        session = sql.SparkSession.builder.getOrCreate()
        running: Future[Result] = pool.submit(pyspark.inheritable_thread_target(session)(tagged))
        try:
            return running.result()
        except BaseException:
            if not running.done():
                context.cancelJobsWithTag(tag)
            raise
