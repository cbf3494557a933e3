"""Evidence from files: the one kind that is given, whatever it is written in."""

from __future__ import annotations

from typing import Any

from simgauge.errors import ParameterError
from simgauge.evidence.judgements import PairJudgements
from simgauge.evidence.labels import Labels
from simgauge.evidence.later import held_out_evidence
from simgauge.evidence.relevance import Relevance
from simgauge.interactions import Interactions
from simgauge.parameters import Rng
from simgauge.read.events.options import ReadingOptions
from simgauge.read.interactions import read_interactions
from simgauge.read.judgements import read_item_labels, read_pairs, read_relevance


def evidence_from_files(
    held_out: Any = None,
    training: Any = None,
    *,
    labels: Any = None,
    pairs: Any = None,
    qrels: Any = None,
    metric: str | None = None,
    k: int | None = None,
    max_queries: int | None = 4_000,
    rng: Rng = 0,
    options: ReadingOptions | None = None,
) -> Any:
    """The evidence of one file: held-out interactions, labels, judged pairs or relevance judgements.

    Parameters
    ----------
    held_out : path or Interactions, optional
        What the model was not trained on.
    training : path or Interactions, optional
        What it was trained on; goes with `held_out`.
    labels : path, optional
        Table of item ids and labels, or "path:id:label".
    pairs : path, optional
        Table of two item ids and a judgement.
    qrels : path, optional
        Table of query id, item id and grade, or TREC qrels.
    metric, k, max_queries : optional
        Of the kind of evidence; its own defaults when not given.
    rng : int or numpy.random.Generator
        Of the halves of held-out interactions.
    options : ReadingOptions, optional
        How the files are written.

    Returns
    -------
    CoConsumption, Labels, PairJudgements, Relevance or None
        None when nothing was given.

    Raises
    ------
    ParameterError
        More than one kind.
    InputError
        A file that cannot be read as what it is given for.

    Examples
    --------
    >>> evidence_from_files() is None
    True
    """
    kinds = {"--held-out": held_out, "--labels": labels, "--pairs": pairs, "--qrels": qrels}
    given = [name for name, value in kinds.items() if value is not None]
    if len(given) > 1:
        raise ParameterError(
            f"{' and '.join(given)}: pass one kind of evidence at a time; each answers another question."
        )
    chosen: dict[str, Any] = {} if metric is None else {"metric": metric}
    depth: dict[str, Any] = {} if k is None else {"k": k}
    options = options or ReadingOptions()
    if held_out is not None:
        later, known = _interactions(held_out, options), _interactions(training, options)
        return held_out_evidence(later, known, rng=rng, max_queries=max_queries, **chosen, **depth)
    if labels is not None:
        return Labels(read_item_labels(labels, options), max_queries=max_queries, **chosen, **depth)
    if pairs is not None:
        judged = read_pairs(pairs, options)
        return PairJudgements(judged.left, judged.right, judged.values, **chosen)
    if qrels is not None:
        graded = read_relevance(qrels, options)
        return Relevance(graded.left, graded.right, graded.values, **chosen, **depth)
    return None


def _interactions(source: Any, options: ReadingOptions) -> Any:
    return source if source is None or isinstance(source, Interactions) else read_interactions(source, options=options)
