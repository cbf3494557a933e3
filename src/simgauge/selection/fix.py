"""fix: score every candidate, choose one, confirm the choice on units that had no part in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from simgauge.core.inference.tradeoff import measure_weights
from simgauge.core.tables.scale import refuse_overflow
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence.protocol import check_evidence
from simgauge.interactions import Interactions
from simgauge.labels import same_labels
from simgauge.matching import check_ids, sources_of
from simgauge.parameters import Rng, as_seed, check_integer
from simgauge.progress import Progress
from simgauge.read.as_embedding import as_embedding
from simgauge.selection.aims import AimName, aim_of
from simgauge.selection.deciding import Settings, decide
from simgauge.selection.default import default_selection
from simgauge.selection.from_interactions import lists_beside
from simgauge.selection.record import Selection
from simgauge.selection.scoring import score_candidates, unchecked, unleaked, with_baseline
from simgauge.selection.search import Goal
from simgauge.selection.searching import is_searched, search_candidates
from simgauge.selection.zero_vectors import ZeroVectors, without_zero_vectors
from simgauge.wording import counted

MIN_UNITS = 10
"""Fewer users, queries or pairs than this cannot be split and resampled."""


def fix(
    embedding: Any,
    evidence: Any = None,
    candidates: Sequence[Any] | None = None,
    *,
    users: Any = None,
    rng: Rng = 0,
    interactions: Interactions | None = None,
    aim: AimName | None = None,
    popularity_exponent: float | None = None,
    popularity_tradeoff: float | None = None,
    max_loss: float = 0.02,
    vectors_only: bool = True,
    search: bool = True,
    folds: int = 5,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    objective: str | None = None,
    biases: str | None = None,
    penalty: str | None = None,
    trust_ids: bool = False,
    progress: Progress | None = None,
) -> Selection:
    """Choose the similarity that the evidence supports; leave the embedding alone when it supports no other.

    Parameters
    ----------
    embedding : Embedding, array-like, data frame, torch tensor or path
        The items' vectors, or an Embedding of both tables.
    evidence : CoConsumption, Labels, PairJudgements or Relevance, optional
        Without any, the gauge is a default that follows from the training objective alone, and is called so.
    candidates : sequence of remedies, optional
        When not given, they are searched for, or `simgauge.remedies.default_candidates`. Leaving alone is added when it
        is not among them; its cosine is what all others are compared with, and its plain dot product is one of them.
    users : as `embedding`, optional
        The users' table, where the first argument is the items' table alone.
    rng : int or numpy.random.Generator
        Of folds, resamples and samples of queries.
    interactions : Interactions, optional
        What was trained on, for remedies that refit. Held-out pairs that are in it are dropped from the evidence, with
        a warning.
    aim : {"balanced", "discovery", "popular"}, optional
        The trade-off in words, `simgauge.selection.aims.AIMS`: what users take next and what is rarely taken both
        count ("balanced", as without it); every item counts the same, however rare ("discovery"); what users take next
        counts alone ("popular"). It sets the two numbers below where they are not given.
    popularity_exponent : float in (0, 2], optional
        In the weighted metric a found item counts 1 / popularity to this power: at 1 every item counts the same, ½ lies
        halfway to the plain metric, in which every user does. That of the evidence (½) when not given. The table shows
        ½ and 1 whichever decides.
    popularity_tradeoff : float in [0, 1], optional
        τ, ½ when not given: candidates are ranked by (1 − τ) log(ratio of the plain metric) + τ log(ratio of its
        popularity-weighted form), so e^gain is a weighted geometric mean of the two ratios to leaving alone. 0: plain
        only, 1: weighted only. Without effect where there is one measure.
    max_loss : float in [0, 1)
        The guard: a candidate can be chosen only if its plain and weighted metric surely fall by no more than this
        share (difference, for correlations and AUC); a measure that τ ignores is not guarded. The default is next to
        nothing: without it, candidates that lose nothing would be kept out by noise. Raise it to trade one measure for
        the other knowingly; the table shows what there is to trade.
    vectors_only : bool
        Neighbour-level remedies (CSLS, local scaling) move no vectors: they are in the table, and can be chosen only
        when this is False.
    search : bool
        Where no candidates are named and the evidence is of 300 users or more: search around the best candidates on a
        part of the users, who then have no part in the decision (`simgauge.selection.searching`). False: the fixed
        list, decided on by all users.
    folds : int, >= 2
        Parts of the units for cross-fitting.
    confidence : float in (0, 1)
    n_resamples : int
        Of the paired bootstrap over units.
    objective, biases, penalty : str, optional
        What the embedding was trained with, as for `audit`; taken from its provenance when not given. They count only
        without evidence.
    trust_ids : bool
        Go on where evidence or interactions share few ids with the embedding, or its vectors do not fit them.
    progress : callable, optional
        Called with text, steps done, steps in all.

    Returns
    -------
    Selection
        ``table``, ``best``, ``transform(embedding)``, ``to_dict()``, ``summary``.

    Notes
    -----
    *Table*: intervals and p-values of all candidates hold together, by the bootstrap distribution of max ``|t|``,
    which allows for candidates being near copies of each other. *Guard*: losses beyond `max_loss` are ruled out for all
    candidates together too, in steps. *Choice*: of the candidates whose interval of the gain lies above none and that
    the guard lets pass, the one where it begins highest; without any, the embedding is left alone. The chance to
    choose what does not gain is at most (1 − confidence) / 2, and so is that to choose what loses too much.
    *Expectation*: for each fold the candidate that the other folds pick is scored on it; the gain over all folds is not
    inflated by choosing among many. The interval that goes with it is that of the table. *Zero vectors*: items without
    a direction are left out of all of it, as if the table did not have them, are named, and stay zero in what
    ``transform`` and ``save`` give. Tables in parts are taken as they are.

    Raises
    ------
    InputError
        Too few units, no shared ids or ids in doubt (see `simgauge.matching.check_ids`), a candidate named by the
        caller that cannot be fitted.
    ParameterError
        A parameter outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from simgauge.evidence import PairJudgements
    >>> rng = np.random.default_rng(0)
    >>> items = rng.standard_normal((60, 3)) * [1.0, 1.0, 20.0]
    >>> left, right = np.arange(30), np.arange(30, 60)
    >>> truth = -np.abs(items[left, :2] - items[right, :2]).sum(axis=1)
    >>> from simgauge.remedies import CanonicalGauge
    >>> found = fix(Embedding(items), PairJudgements(left, right, truth), [CanonicalGauge(power=0)])
    >>> found.decision, found.best_name
    ('improved', 'canonical(power=0, center=none)')
    """
    aimed = aim_of(aim, popularity_exponent, popularity_tradeoff)
    _check(aimed.popularity_tradeoff, max_loss, confidence)
    folds, n_resamples = check_integer(folds, "folds", 2), check_integer(n_resamples, "n_resamples", 1)
    embedding, seed = as_embedding(embedding, users), as_seed(rng)
    refuse_overflow(embedding.items, "items")
    refuse_overflow(embedding.users, "users")
    directed, zero = without_zero_vectors(embedding)
    if evidence is None:
        return replace(default_selection(directed, objective, biases, penalty), zero_vectors=zero)
    check_evidence(evidence)
    told = getattr(evidence, "events", None)
    ids = check_ids(embedding, sources_of(evidence), interactions, held_out=told, trust_ids=trust_ids, seed=seed)
    known = unleaked(_weighed(evidence, aimed.popularity_exponent), interactions)
    scorer = known.bind(directed, seed)
    if scorer.n_units < max(MIN_UNITS, 2 * folds):
        raise InputError(
            f"the evidence holds {scorer.n_units} {evidence.unit}(s) that this embedding knows: at least "
            f"{max(MIN_UNITS, 2 * folds)} are needed, and some hundred to find moderate gains."
        )
    aligned = _aligned(directed, interactions)
    searched: list[str] = []
    if candidates is None and search and is_searched(known, scorer.n_units):
        goal = Goal(measure_weights(2, aimed.popularity_tradeoff), evidence.scale, max_loss)
        plan = search_candidates(
            known, directed, aligned, goal, vectors_only=vectors_only, seed=seed, progress=progress
        )
        chosen, scorer, searched = plan.candidates, plan.deciding.bind(directed, seed), [plan.note]
    else:
        chosen = with_baseline(_defaults(directed, aligned, evidence) if candidates is None else candidates)
    scored = score_candidates(chosen, directed, aligned, scorer, strict=candidates is not None, progress=progress)
    about = {
        "kind": type(evidence).__name__,
        "measure": evidence.measure,
        "unit": evidence.unit,
        "n_units": scorer.n_units,
        "notes": [
            *searched,
            *unchecked(evidence, interactions),
            *([_counted_as_missing(zero)] if zero.n_items else []),
            *scorer.notes,
        ],
        "ids": ids.to_dict(),
    }
    settings = Settings(
        popularity_tradeoff=aimed.popularity_tradeoff,
        popularity_exponent=scored.exponents[1] if len(scored.exponents) > 1 else None,
        aim=aim,
        max_loss=max_loss,
        vectors_only=vectors_only,
        folds=folds,
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )
    found = decide(scored, evidence.scale, settings, about)
    lists = lists_beside(scored, found.best_name, directed, evidence.scale, settings)
    summary = " ".join(part for part in (found.summary, "" if lists is None else lists.sentence) if part)
    return replace(found, summary=summary, item_lists=lists, zero_vectors=zero)


def _weighed(evidence: Any, exponent: float | None) -> Any:
    """The evidence with the exponent asked for; as it is where none is, or where it has no weighted form."""
    if exponent is None or getattr(evidence, "popularity_exponent", exponent) == exponent:
        return evidence
    return replace(evidence, popularity_exponent=exponent)


def _counted_as_missing(zero: ZeroVectors) -> str:
    return f"{counted(zero.n_items, 'item')} with a zero vector counted as if not in the embedding"


def _aligned(embedding: Embedding, interactions: Interactions | None) -> Interactions | None:
    """In the order of the embedding; the same object where it is already, so that decompositions can be shared."""
    if interactions is None or same_labels(interactions.item_ids, embedding.item_ids):
        return interactions
    return interactions.align(embedding.item_ids)


def _defaults(embedding: Embedding, interactions: Interactions | None, evidence: Any) -> list[Any]:
    """The fixed list, and what the interactions themselves say where the evidence asks for lists of items."""
    from simgauge.evidence import PairJudgements
    from simgauge.remedies import default_candidates, default_references

    listed = interactions is not None and not isinstance(evidence, PairJudgements)
    references = default_references(interactions) if interactions is not None and listed else []
    return [*default_candidates(embedding, interactions), *references]


def _check(popularity_tradeoff: float, max_loss: float, confidence: float) -> None:
    if not 0 <= popularity_tradeoff <= 1:
        raise ParameterError(
            f"popularity_tradeoff={popularity_tradeoff}: expected 0 (plain metric only) to 1 (weighted only)."
        )
    if not 0 <= max_loss < 1:
        raise ParameterError(f"max_loss={max_loss}: expected a share from 0 (none) to below 1.")
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence={confidence}: expected a number between 0 and 1, such as 0.95.")
