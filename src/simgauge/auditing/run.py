"""audit: how arbitrary is the cosine of these embeddings?"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.auditing import checks
from simgauge.auditing.groups import groups_of, measured_groups, popularity_bands
from simgauge.auditing.reference import standing
from simgauge.auditing.result import Audit
from simgauge.auditing.thresholds import load_thresholds
from simgauge.auditing.training import Training, known_training
from simgauge.auditing.workspace import Workspace
from simgauge.core.tables.arrays import numpy_dtype
from simgauge.core.tables.scale import in_range
from simgauge.core.tables.tables import sample_nonzero_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.findings import Finding
from simgauge.interactions import Interactions
from simgauge.matching import check_ids
from simgauge.parameters import Rng, as_integer, as_seed
from simgauge.progress import Progress, logged
from simgauge.read.as_embedding import as_embedding

DEFAULT_SAMPLE = 2_000


def audit(
    embedding: Any,
    objective: str | None = None,
    *,
    users: Any = None,
    biases: str | None = None,
    penalty: str | None = None,
    interactions: Interactions | None = None,
    popularity: Any = None,
    by: Any = None,
    k: int = 10,
    sample: int = DEFAULT_SAMPLE,
    rng: Rng = 0,
    thresholds: str | Path | None = None,
    trust_ids: bool = False,
    progress: Progress | None = None,
) -> Audit:
    """How arbitrary is the cosine of these embeddings?

    Parameters
    ----------
    embedding : Embedding, array-like, data frame, torch tensor, RowParts or path
        Item vectors, or an Embedding of one or two tables; see `simgauge.read.as_embedding.as_embedding`. With both
        tables, the canonical gauges between whitened and projected back are compared too.
    objective : str, optional
        What the vectors were trained with: one of `simgauge.auditing.objectives.OBJECTIVES`, such as "product",
        "factors", "als", "bpr", "softmax", "contrastive", "clip", "unit-sphere", "normalised-afterwards". What the
        provenance records when not given or "unknown".
    users : as `embedding`, optional
        The users' table, where the first argument is the items' table alone.
    biases : {"none", "items", "users", "both", "unknown"}, optional
        Biases that were trained freely beside the vectors: they leave shifts of the other side open. Penalised biases
        count as none. What the objective's name implies or the provenance records when not given.
    penalty : {"factors", "none"}, optional
        "factors": the training penalised the lengths of both tables, which fixes their gauge up to rotation. As for
        `biases` when not given.
    interactions : Interactions, optional
        What the model was trained on; matched by item id; gives the popularity when that is not passed.
    popularity : array-like, shape (n_items,), optional
        Interactions of each item, in the order of the items.
    by : mapping or sequence, optional
        Labels of items, for findings per group: item id -> label (or several), or one label for each item. Where
        popularity is known, its head, middle and tail are groups too.
    k : int
        Neighbours per list.
    sample : int
        Above this many items, lists of a random sample of rows against the whole table are used, and
        intervals are given.
    rng : int or numpy.random.Generator
        Of every random choice; the same seed gives the same audit.
    thresholds : path, optional
        TOML file that overrides ``simgauge/auditing/thresholds.toml``.
    trust_ids : bool
        Go on where the interactions share few ids with the embedding, or its vectors do not fit them.
    progress : callable, optional
        Called as ``progress(text, steps_done, steps)``.

    Returns
    -------
    Audit
        Frozen; findings with verdicts.

    Raises
    ------
    ParameterError
        `k` not below the number of items, unknown objective, biases or penalty, bad thresholds.
    InputError
        Popularity or labels of another length, labels of no item of the embedding, interactions that share no item with
        the embedding or whose ids do not belong to its rows (see `simgauge.matching.check_ids`).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> model = Embedding(rng.normal(size=(60, 4)), users=rng.normal(size=(80, 4)))
    >>> audit(model, objective="als", k=5)["identifiability"].summary
    'items: controlled by the regulariser; users: controlled by the regulariser (objective “als”, gauge group O(k))'
    """
    from simgauge import __version__

    embedding, seed = as_embedding(embedding, users), as_seed(rng)
    k, sample = as_integer(k, "k"), as_integer(sample, "sample")
    training = known_training(embedding.provenance, objective, biases, penalty)
    ids = None if interactions is None else check_ids(embedding, (), interactions, trust_ids=trust_ids, seed=seed)
    workspace = _workspace(embedding, training, interactions, popularity, k, sample, seed, thresholds)
    wanted = {} if by is None else {"by": groups_of(embedding, by)}
    if workspace.popularity is not None:
        wanted["popularity"] = popularity_bands(workspace.popularity)
    findings: list[Finding] = []
    show, steps = progress or logged, checks.ALL
    for number, check in enumerate(steps):
        show(check.__name__.replace("_", " "), number, len(steps))
        found = check(workspace)
        if found is not None:
            known = standing(found.id, found.value, workspace.objective_name)
            findings.append(dataclasses.replace(found, standing=known))
    groups = [group for grouping, parts in wanted.items() for group in measured_groups(workspace, grouping, parts)]
    show("done", len(steps), len(steps))
    return Audit(
        findings=tuple(findings),
        embedding={
            "n_items": embedding.n_items,
            "n_users": embedding.n_users,
            "n_components": embedding.n_components,
            "dtype": str(numpy_dtype(embedding.items)),
            "provenance": dict(embedding.provenance),
        },
        parameters={
            "objective": workspace.objective_name,
            "biases": workspace.objective.biases,
            "penalty": workspace.objective.penalty,
            "k": k,
            "sample": sample,
            "n_rows": len(workspace.rows),
            "seed": seed,
            "version": __version__,
            "thresholds": {
                name: {"warn": limit.warn, "fail": limit.fail, "direction": limit.direction}
                for name, limit in workspace.thresholds.items()
            },
            "ids": None if ids is None else ids.to_dict(),
            "interactions": None if interactions is None else interactions.understood(),
        },
        groups=tuple(groups),
    )


def _workspace(
    embedding: Embedding,
    training: Training,
    interactions: Interactions | None,
    popularity: Any,
    k: int,
    sample: int,
    seed: int,
    thresholds: str | Path | None,
) -> Workspace:
    if embedding.n_items < 2:
        raise InputError("an audit needs at least two items, and this embedding has one: there are no neighbours.")
    if not 1 <= k < embedding.n_items:
        raise ParameterError(f"k={k}: with {embedding.n_items} items expected 1 to {embedding.n_items - 1}.")
    if sample < 2:
        raise ParameterError(f"sample={sample}: expected at least 2 rows.")
    if not len(sample_nonzero_rows(embedding.items, 1, np.random.default_rng(0))):
        raise InputError("all item vectors are zero: there is nothing to audit.")
    aligned = None if interactions is None else interactions.align(embedding.item_ids)
    counts = _per_item(popularity, embedding, "popularity")
    if counts is None and aligned is not None:
        counts = np.asarray(aligned.item_counts, dtype=np.float64)
    elif counts is not None:
        counts = np.asarray(counts, dtype=np.float64)
        if not np.isfinite(counts).all() or (counts < 0).any():
            raise InputError("popularity: expected finite counts >= 0, one per item.")
    items, exponent = in_range(embedding.items, np.float32)  # lists are searched in float32
    users, user_exponent = in_range(embedding.users, np.float32)
    return Workspace(
        # cosines, rankings and shares do not know the scale
        embedding=embedding
        if items is embedding.items and users is embedding.users
        else embedding.with_tables(items, users),
        item_scale=float(np.ldexp(1.0, -exponent)),
        user_scale=float(np.ldexp(1.0, -user_exponent)),
        objective_name=training.name,
        objective=training.objective,
        objective_stated=training.stated,
        k=k,
        sample=sample,
        seed=seed,
        thresholds=load_thresholds(thresholds),
        popularity=counts,
        interactions=aligned,
    )


def _per_item(values: Any, embedding: Embedding, name: str) -> NDArray[Any] | None:
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape != (embedding.n_items,):
        raise InputError(f"{name}: shape {array.shape}; expected one value for each of {embedding.n_items} items.")
    return array
