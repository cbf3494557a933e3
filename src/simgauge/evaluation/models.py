"""Models that are compared: by name, with several trainings each, on the items that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.tables import take_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.labels import positions_of, same_labels
from simgauge.matching.ids import ids_given, side_ids
from simgauge.read.as_embedding import as_embedding
from simgauge.wording import counted

Models = dict[str, list[Embedding]]


def named_models(models: Any) -> Models:
    """Trainings by the name of their model.

    Parameters
    ----------
    models : Embedding, array, frame, path; or mapping name -> one of these, or -> a list of them (several seeds)

    Raises
    ------
    ParameterError
        A mapping without models, or a name without any.

    Examples
    --------
    >>> found = named_models({"als": [np.eye(3), np.eye(3) + 1.0], "bpr": np.eye(3)})
    >>> {name: len(own) for name, own in found.items()}
    {'als': 2, 'bpr': 1}
    """
    if not isinstance(models, Mapping):
        return {"model": [as_embedding(models)]}
    found = {
        str(name): [as_embedding(one) for one in (given if isinstance(given, list | tuple) else [given])]
        for name, given in models.items()
    }
    if not found or not all(found.values()):
        raise ParameterError("models: pass at least one, and no name without a model.")
    return found


def on_common_rows(models: Models) -> tuple[Models, list[str]]:
    """All models on the items, and users, that every one of them has, in the order of the first.

    Fewer items make every measure easier, so that models of different catalogues could not be compared otherwise.

    Returns
    -------
    models, notes

    Raises
    ------
    InputError
        No item is common, or tables without ids of different lengths.
    """
    everyone = [one for own in models.values() for one in own]
    first, notes = everyone[0], []
    item_ids = _common([side_ids(one, "items") for one in everyone])
    for side in ("items", "users"):
        sizes = {len(side_ids(one, side)) for one in everyone if side == "items" or one.users is not None}
        unnamed = [one for one in everyone if not ids_given(one, side) and (side == "items" or one.users is not None)]
        if unnamed and len(sizes) > 1:
            raise InputError(
                f"the models have {' and '.join(map(str, sorted(sizes)))} {side}, and not all have ids: pass the ids, "
                f"so that the same {side} are compared ({side[:-1]}_ids=)."
            )
    if len(item_ids) == 0:
        raise InputError("the models have no item in common: do their ids count the same things?")
    if any(len(item_ids) < one.n_items for one in everyone):
        notes.append(f"compared on the {counted(len(item_ids), 'item')} that all models have")
    with_users = all(one.users is not None for one in everyone)
    user_ids = _common([side_ids(one, "users") for one in everyone]) if with_users else None
    if user_ids is not None and any(len(user_ids) < one.n_users for one in everyone):
        notes.append(f"compared on the {counted(len(user_ids), 'user')} that all models have")
    if user_ids is not None and len(user_ids) == 0:
        user_ids = None
    if same_labels(item_ids, first.item_ids) and len(everyone) == 1:
        return models, notes
    return {name: [_taken(one, item_ids, user_ids) for one in own] for name, own in models.items()}, notes


def _common(ids: Sequence[Any]) -> Any:
    """Labels of the first that all others have."""
    kept = np.asarray(ids[0])
    for other in ids[1:]:
        kept = kept[positions_of(kept, np.asarray(other)) >= 0]
    return kept


def _taken(model: Embedding, item_ids: Any, user_ids: Any) -> Embedding:
    """Some rows of a model in a given order."""
    if same_labels(model.item_ids, item_ids) and (
        model.users is None or (user_ids is not None and same_labels(side_ids(model, "users"), user_ids))
    ):
        return model
    rows = positions_of(item_ids, model.item_ids)
    users = None
    if model.users is not None and user_ids is not None:
        users = np.asarray(to_host(take_rows(model.users, positions_of(user_ids, side_ids(model, "users")))))
    return Embedding(
        np.asarray(to_host(take_rows(model.items, rows))),
        users,
        item_ids=item_ids,
        user_ids=None if users is None else user_ids,
        item_names=np.asarray(model.item_names)[rows],
        provenance=dict(model.provenance),
        item_ids_given=model.item_ids_given,
        user_ids_given=model.user_ids_given and users is not None,
    )
