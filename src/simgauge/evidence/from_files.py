"""Evidence from files: the one kind that is given, whatever it is written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast, get_args

from simgauge.errors import InputError, ParameterError
from simgauge.evidence.bought_together import BoughtTogether
from simgauge.evidence.clicks import Clicks
from simgauge.evidence.impressions import Impressions
from simgauge.evidence.judgements import PairJudgements
from simgauge.evidence.labels import Labels
from simgauge.evidence.later import held_out_evidence
from simgauge.evidence.next_item import NextItem
from simgauge.evidence.relevance import Relevance
from simgauge.evidence.similar_users import SimilarUsers
from simgauge.evidence.user_items import UserItems
from simgauge.interactions import Interactions
from simgauge.parameters import Rng, check_choice
from simgauge.read.events.options import ReadingOptions
from simgauge.read.interactions import read_interactions
from simgauge.read.judgements import read_item_labels, read_pairs, read_relevance
from simgauge.read.observations import read_observations

Ask = Literal["items", "users", "similar-users"]
"""What is asked for by held-out interactions."""

KINDS = ("held_out", "labels", "pairs", "qrels", "sessions", "together", "clicks", "shown")
"""Parameters of `evidence_from_files` that name a file, one for each kind of evidence."""

UNUSED: Mapping[str, tuple[str, ...]] = {
    "metric": ("shown",),
    "k": ("pairs", "shown"),
    "after": tuple(kind for kind in KINDS if kind != "sessions"),
    "max_gap": tuple(kind for kind in KINDS if kind != "sessions"),
    "propensity": tuple(kind for kind in KINDS if kind != "clicks"),
}
"""Parameters that a kind of evidence has no use for, so that passing them is a mistake."""


def evidence_from_files(
    held_out: Any = None,
    training: Any = None,
    *,
    labels: Any = None,
    pairs: Any = None,
    qrels: Any = None,
    sessions: Any = None,
    together: Any = None,
    clicks: Any = None,
    shown: Any = None,
    ask: Ask = "items",
    metric: str | None = None,
    k: int | None = None,
    max_queries: int | Literal["auto"] | None = "auto",
    after: float | None = None,
    max_gap: float | None = None,
    propensity: Any = None,
    rng: Rng = 0,
    options: ReadingOptions | None = None,
    told: Callable[[str], None] | None = None,
) -> Any:
    """The evidence of one file, of whatever kind it is.

    Parameters
    ----------
    held_out : path or Interactions, optional
        What the model was not trained on.
    training : path or Interactions, optional
        What it was trained on; goes with `held_out` and `shown`.
    labels : path, optional
        Table of item ids and labels, or "path:id:label".
    pairs : path, optional
        Table of two item ids and a judgement.
    qrels : path, optional
        Table of query id, item id and grade, or TREC qrels.
    sessions : path, optional
        Events of sessions (or users): session, item and, unless the rows are in order, time.
    together : path, optional
        Pairs of items bought together: two item ids and, optionally, a count.
    clicks : path, optional
        The item beside which a list was shown, the item that was clicked, its place from 1 and, optionally, a session.
    shown : path, optional
        User, item and whether it was taken (1) or left (0); `training` says what the users used before.
    ask : {"items", "users", "similar-users"}
        With `held_out`: whether later items are near earlier ones, at the top of the lists that the users' own vectors
        make, or used before by users who are near.
    metric, k, max_queries, after, max_gap, propensity : optional
        Of the kind of evidence; its own defaults when not given.
    rng : int or numpy.random.Generator
        Of the halves of held-out interactions.
    options : ReadingOptions, optional
        How the files are written.
    told : callable, optional
        Called with a sentence on what was read.

    Returns
    -------
    CoConsumption, UserItems, SimilarUsers, Labels, PairJudgements, Relevance, NextItem, BoughtTogether, Clicks,
    Impressions or None
        None when nothing was given.

    Raises
    ------
    ParameterError
        More than one kind, or a parameter that the kind has no use for.
    InputError
        A file that cannot be read as what it is given for.

    Examples
    --------
    >>> evidence_from_files() is None
    True
    """
    files = dict(zip(KINDS, (held_out, labels, pairs, qrels, sessions, together, clicks, shown), strict=True))
    given = [name for name, value in files.items() if value is not None]
    if len(given) > 1:
        raise ParameterError(
            f"{' and '.join(map(_option, given))}: pass one kind of evidence at a time; each answers another question."
        )
    check_choice(ask, "ask", get_args(Ask))
    optional = {"metric": metric, "k": k, "after": after, "max_gap": max_gap, "propensity": propensity}
    chosen = {name: value for name, value in optional.items() if value is not None}
    if not given:
        return None
    kind = given[0]
    if ask != "items" and kind != "held_out":
        raise ParameterError(f"ask={ask!r} goes with --held-out (held_out=), and not with {_option(kind)}.")
    for name, value in chosen.items():
        if kind in UNUSED.get(name, ()):
            raise ParameterError(f"{name}={value!r} has no meaning for evidence from {_option(kind)}: leave it out.")
    options = options or ReadingOptions()
    if kind == "held_out":
        later, known = _interactions(held_out, options), _interactions(training, options)
        found = held_out_evidence(later, known, rng=rng, max_queries=max_queries, **chosen)
        return {"items": found, "users": UserItems(found), "similar-users": SimilarUsers(found)}[ask]
    asked: dict[str, Any] = {} if max_queries == "auto" else {"max_queries": max_queries}
    if kind in ("labels", "pairs", "qrels"):
        return _judged(kind, files[kind], options, asked, chosen)
    return _observed(kind, files[kind], options, {**asked, **chosen}, _interactions(training, options), told)


def _judged(kind: str, path: Any, options: ReadingOptions, asked: dict[str, Any], chosen: dict[str, Any]) -> Any:
    """What people said of items, pairs of items, or items and queries."""
    if kind == "labels":
        return Labels(read_item_labels(path, options), **asked, **chosen)
    if kind == "pairs":
        judged = read_pairs(path, options)
        return PairJudgements(judged.left, judged.right, judged.values, **chosen)
    graded = read_relevance(path, options)
    return Relevance(graded.left, graded.right, graded.values, **chosen)


def _observed(
    kind: str,
    path: Any,
    options: ReadingOptions,
    chosen: dict[str, Any],
    training: Interactions | None,
    told: Callable[[str], None] | None,
) -> Any:
    """What people did."""
    if kind == "shown" and training is None:
        raise InputError(
            "what was shown is compared with what the users used before: pass that, too (--interactions "
            "FILE, training=)."
        )
    table = read_observations(path, kind, options)
    if told is not None:
        told(table.sentence)
    if kind == "sessions":
        return NextItem(table["session"], table["item"], table.get("time"), **chosen)
    if kind == "together":
        return BoughtTogether(table["left"], table["right"], table.get("count"), **chosen)
    if kind == "clicks":
        columns = (table["asked"], table["clicked"], table["position"], table.get("session"))
        return Clicks(*columns, **chosen)
    return Impressions(cast("Interactions", training), table["user"], table["item"], table["taken"])


def _option(kind: str) -> str:
    return f"--{kind.replace('_', '-')}"


def _interactions(source: Any, options: ReadingOptions) -> Any:
    return source if source is None or isinstance(source, Interactions) else read_interactions(source, options=options)
