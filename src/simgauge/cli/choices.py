"""Values that options accept, where there is a list: shown in the help, and completed by the shell."""

from __future__ import annotations

import copy
import inspect
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

VERDICTS = ("warn", "fail")
SIDES = ("none", "items", "users", "both")
METRICS = ("cosine", "dot")
TRAINED_WITH = ("factors", "none")

CHOICES: dict[str, tuple[str, ...]] = {
    "biases": SIDES,
    "center": SIDES,
    "duplicates": ("sum", "max", "mean", "last", "count", "error"),
    "expect": (*METRICS, "l2"),
    "id_type": ("auto", "text"),
    "on_bad_row": ("error", "drop"),
    "decimal": (".", ","),
    "weight_transform": ("none", "log1p", "binary"),
    "neighbors.of": ("items", "users", "user-items"),
    "neighbors.metric": METRICS,
    "fix.aim": ("balanced", "discovery", "popular"),
    "fix.metric": ("recall", "precision", "ndcg", "mrr", "spearman", "auc"),
    "fit.penalty": ("product", "factors", "weights", "dropout"),
    "fit.solver": ("auto", "dense", "gram", "lanczos"),
    "audit.penalty": TRAINED_WITH,
    "fix.penalty": TRAINED_WITH,
    "audit.fail_on": VERDICTS,
    "check.fail_on": VERDICTS,
    "reproduce.power_law": ("rank", "density", "power"),
    "apply.side": ("items", "users"),
    "apply.form": ("numpy", "sql", "pgvector", "onnx", "sentence-transformers"),
    "align.method": ("rotation", "linear"),
    "align.wider": ("refuse", "widen", "truncate"),
    "upgrade.method": ("best", "linear", "rotation", "anchors"),
    "upgrade.metric": METRICS,
    "log_format": ("text", "json"),
}
"""Parameter, or command.parameter where commands differ -> what it accepts. The library checks what is given."""

PRECISIONS = ("float32", "float16", "int8", "binary")
"""What ``preview --precision`` accepts, several separated by commas."""


COMPLETIONS: dict[str, Callable[..., Any]] = {}
"""command.parameter -> what completes its values, where it is no fixed list; filled below."""

FILES = frozenset({
    "baseline", "by", "first_users", "held_out", "interactions", "junit", "labels", "markdown", "new_queries",
    "new_users", "old_queries", "old_users", "pairs", "qrels", "second_users", "thresholds", "users",
})  # fmt: skip
"""Parameters that are files, or what else can be read as tables."""
KINDS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
"""Type of a value -> what stands for it in the help."""


def with_choices(name: str, parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter of a command, with what it accepts in its help and for the shell's completion."""
    if get_origin(parameter.annotation) is not Annotated:
        return parameter
    kind, info, *more = get_args(parameter.annotation)
    if not isinstance(info, OptionInfo | ArgumentInfo):
        return parameter
    one = _known(CHOICES, name, parameter.name)
    info = copy.copy(info)
    complete = _one_of(one) if one is not None else COMPLETIONS.get(f"{name}.{parameter.name}")
    if complete is not None:
        info.autocompletion = complete
    if info.metavar is None:
        info.metavar = "|".join(one) if one else _placeholder(parameter.name, kind, isinstance(info, ArgumentInfo))
    return parameter.replace(annotation=Annotated[(kind, info, *more)])


def _placeholder(name: str, kind: Any, argument: bool) -> str | None:
    """What stands for a value in the help; None for switches."""
    kinds = [part for part in (get_args(kind) or (kind,)) if part is not type(None)]
    if bool in kinds:
        return None
    if argument:
        return name.upper()
    if name in FILES:
        return "FILE"
    return "DIRECTORY" if name in ("out", "old_out", "root") else KINDS.get(kinds[0], "TEXT")


def _known(table: dict[str, tuple[str, ...]], command: str, parameter: str) -> tuple[str, ...] | None:
    return table.get(f"{command}.{parameter}", table.get(parameter))


def _one_of(values: Iterable[str]) -> Callable[[str], list[str]]:
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def _some_of(values: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{value}" for value in values() if value.startswith(last)]

    return complete


def _relations() -> Iterable[str]:
    from simgauge.auditing.gate import RELATIONS

    return RELATIONS


def _objectives(incomplete: str) -> list[str]:
    from simgauge.auditing.objectives import OBJECTIVES

    return [name for name in sorted(OBJECTIVES) if name.startswith(incomplete.lower())]


def _targets(incomplete: str) -> list[str]:
    from simgauge.stores.target import known_kinds

    return [f"{kind}:" for kind in sorted(known_kinds()) if kind.startswith(incomplete)]


NOT_PLAIN = re.compile(r"[^\w.,:/+-]")
"""What a shell does not take for part of a word."""
MOST_NAMES = 50
"""Names that are offered; more do not help."""


def _names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of items of a saved embedding that begin so."""
    from simgauge.embedding import Embedding

    place = ctx.params.get("embedding") or ctx.params.get("items")
    if not isinstance(place, str) or not Path(place).is_dir():
        return []
    try:
        names = Embedding.load(place).item_names
    except Exception:  # completion never complains: the command itself says what is wrong
        return []
    known = [str(name) for name in names if str(name).startswith(incomplete) and str(name).isprintable()]
    if "bash" in os.environ.get("_SIMGAUGE_COMPLETE", ""):  # it inserts what it is given, spaces too
        known = [NOT_PLAIN.sub(r"\\\g<0>", name) for name in known]
    return known[:MOST_NAMES]


COMPLETIONS.update({
    "preview.precision": _some_of(lambda: PRECISIONS),
    "compare.fail_on": _some_of(_relations),
    "neighbors.items": _names,
    "fix.show": _names,
    "audit.objective": _objectives,
    "fix.objective": _objectives,
    "check.target": _targets,
    "export.to": _targets,
})  # fmt: skip
