"""The training loop: minibatches of interactions, Adam, and a state that can be written and taken up again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from simgauge.core.tables.kinds import FloatTable
from simgauge.cosine_training.draws import ItemDraws
from simgauge.cosine_training.objectives import bilateral_loss, full_softmax_loss, sampled_softmax_loss
from simgauge.errors import InputError, SimgaugeError
from simgauge.storage.atomic import atomic_file

Users = Literal["own", "sum"]


class TrainingStoppedError(SimgaugeError):
    """The loss is no number any more; the state before it is kept."""


@dataclass(frozen=True)
class Settings:
    """What a training run is determined by, beside the interactions."""

    n_components: int = 64
    temperature: float = 0.2
    learn_temperature: bool = False
    user_temperature: float | None = None
    users: Users = "own"
    n_negatives: int | None = None
    negative_exponent: float = 0.75
    layer_norm: bool = False
    user_decay: float = 0.0
    item_decay: float = 0.0
    learning_rate: float = 0.02
    batch_size: int = 4096
    seed: int = 0
    device: str = "cpu"


@dataclass
class Run:
    """A model in training: its parameters, its optimiser, its random state and the epochs done."""

    settings: Settings
    matrix: sp.csr_array
    parameters: dict[str, Any] = field(default_factory=dict)
    optimizer: Any = None
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    epoch: int = 0
    losses: list[float] = field(default_factory=list)


def start(matrix: sp.csr_array, settings: Settings, warm: tuple[FloatTable | None, FloatTable] | None = None) -> Run:
    """A run before its first epoch; `warm` are tables (users, items) to start from.

    Parameters
    ----------
    matrix : CSR (n_users, n_items)
        Where an entry is stored there is an interaction; values are ignored.
    settings : Settings
    warm : pair of tables, optional
        (n_users, d) or None, and (n_items, d).

    Returns
    -------
    Run

    Raises
    ------
    InputError
        No interactions, or tables of another shape.
    """
    import torch

    if not matrix.nnz:
        raise InputError("there are no interactions to train on.")
    run = Run(settings, matrix, rng=np.random.default_rng(settings.seed))
    d = settings.n_components
    shapes = {"items": (matrix.shape[1], d)}
    if settings.users == "own":
        shapes["users"] = (matrix.shape[0], d)
    tables = {
        name: run.rng.standard_normal(shape, dtype=np.float32) * np.float32(0.1) for name, shape in shapes.items()
    }
    if warm is not None:
        for name, given in zip(("users", "items"), warm, strict=True):
            if name in tables and given is not None:
                if given.shape != tables[name].shape:
                    raise InputError(f"{name} to start from have shape {given.shape}: expected {tables[name].shape}.")
                tables[name] = np.array(given, dtype=np.float32)
    if settings.layer_norm:
        tables |= {f"{name}_gain": np.ones(d, np.float32) for name in shapes}
    if settings.learn_temperature:
        tables["log_temperature"] = np.log(np.float32(settings.temperature)).reshape(1)
    run.parameters = {
        name: torch.nn.Parameter(torch.from_numpy(table).to(settings.device)) for name, table in tables.items()
    }
    decays = {"users": settings.user_decay, "items": settings.item_decay}
    groups = [{"params": [part], "weight_decay": decays.get(name, 0.0)} for name, part in run.parameters.items()]
    run.optimizer = torch.optim.Adam(groups, lr=settings.learning_rate)
    return run


def unit_tables(run: Run) -> tuple[Any, Any]:
    """Unit rows of users and items as tensors; users are sums of their items' vectors when they have no own."""
    import torch

    with torch.no_grad():
        items = _unit(run, "items", run.parameters["items"])
        if run.settings.users == "own":
            return _unit(run, "users", run.parameters["users"]), items
        return torch.nn.functional.normalize(_history(run, np.arange(run.matrix.shape[0])) @ items, dim=1), items


def train_epoch(run: Run) -> float:
    """One pass over all interactions in a random order; the mean loss.

    Raises
    ------
    TrainingStoppedError
        The loss became infinite or no number; the parameters are those before the batch where it did.
    """
    import torch

    users, items = run.matrix.nonzero()
    order = run.rng.permutation(len(users))
    draws = ItemDraws(
        np.bincount(run.matrix.indices, minlength=run.matrix.shape[1]), run.settings.negative_exponent, run.rng
    )
    total = 0.0
    for begin in range(0, len(order), run.settings.batch_size):
        batch = order[begin : begin + run.settings.batch_size]
        loss = _loss(run, users[batch], items[batch], draws)
        if not torch.isfinite(loss):
            raise TrainingStoppedError(
                f"the loss became {loss.item()} in epoch {run.epoch + 1}: lower the learning rate "
                f"({run.settings.learning_rate}) or raise the temperature ({run.settings.temperature})."
            )
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
        total += loss.item() * len(batch)
    run.epoch += 1
    run.losses.append(total / len(order))
    return run.losses[-1]


def _loss(run: Run, users: Any, items: Any, draws: ItemDraws) -> Any:
    import torch

    s = run.settings
    positives = torch.from_numpy(items.astype(np.int64)).to(s.device)
    temperature = run.parameters["log_temperature"].exp() if s.learn_temperature else s.temperature
    if s.n_negatives is None or s.users == "sum":
        table = _unit(run, "items", run.parameters["items"])
        asked = _asking(run, users, table, positives)
        if s.user_temperature is not None:
            return bilateral_loss(asked, table, positives, temperature, s.user_temperature)
        return full_softmax_loss(asked, table, positives, temperature)
    drawn = draws.draw(s.n_negatives)
    log_q = np.log(draws.probabilities * s.n_negatives).astype(np.float32)
    parts = [torch.from_numpy(log_q[index]).to(s.device) for index in (items, drawn)]
    negatives = torch.from_numpy(drawn).to(s.device)
    rows = [_unit(run, "items", run.parameters["items"][index]) for index in (positives, negatives)]
    asked = _asking(run, users, None, positives)
    same = positives[:, None] == negatives[None, :]
    return sampled_softmax_loss(asked, rows[0], rows[1], (parts[0], parts[1]), same, temperature)


def _asking(run: Run, users: Any, items: Any, positives: Any) -> Any:
    """Unit vectors of the users of a batch; a sum of items leaves out the one that is to be predicted."""
    import torch

    if run.settings.users == "own":
        return _unit(
            run, "users", run.parameters["users"][torch.from_numpy(users.astype(np.int64)).to(items_device(run))]
        )
    return torch.nn.functional.normalize(_history(run, users) @ items - items[positives], dim=1)


def items_device(run: Run) -> Any:
    """Where the parameters are."""
    return run.parameters["items"].device


def _history(run: Run, users: Any) -> Any:
    """Rows of the matrix of interactions, as ones, as a sparse tensor."""
    import torch

    part = run.matrix[users].tocoo()
    where = torch.from_numpy(np.vstack([part.row, part.col]).astype(np.int64))
    ones = torch.ones(part.nnz, dtype=torch.float32)
    return torch.sparse_coo_tensor(where, ones, part.shape, check_invariants=False).to(items_device(run))


def _unit(run: Run, name: str, rows: Any) -> Any:
    from torch.nn import functional

    if run.settings.layer_norm:
        rows = functional.layer_norm(rows, rows.shape[-1:], run.parameters[f"{name}_gain"])
    return functional.normalize(rows, dim=1)


def write_state(run: Run, path: str | Path) -> None:
    """Write a run so that `read_state` goes on as if it had not been interrupted; arrays and JSON, no pickle."""
    arrays = {f"parameter.{name}": part.detach().cpu().numpy() for name, part in run.parameters.items()}
    for name, part in run.parameters.items():
        for key, value in run.optimizer.state.get(part, {}).items():
            arrays[f"adam.{key}.{name}"] = np.asarray(value.cpu().numpy())
    notes = {
        "settings": asdict(run.settings),
        "epoch": run.epoch,
        "losses": run.losses,
        "rng": run.rng.bit_generator.state,
        "shape": list(run.matrix.shape),
        "interactions": int(run.matrix.nnz),
    }
    arrays["notes"] = np.frombuffer(json.dumps(notes).encode(), dtype=np.uint8)
    with atomic_file(path) as place, place.open("wb") as file:
        np.savez(file, **arrays)


def read_state(path: str | Path, matrix: sp.csr_array, settings: Settings) -> Run:
    """The run that `write_state` wrote, to be gone on with.

    Raises
    ------
    InputError
        It was written with other settings or other interactions, or is no such file.
    """
    import torch

    try:
        with np.load(path, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        notes = json.loads(bytes(arrays.pop("notes")).decode())
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"{path}: no state of a training run that can be read ({error}).") from error
    if notes["settings"] != asdict(settings):
        changed = [name for name, value in asdict(settings).items() if notes["settings"].get(name) != value]
        raise InputError(f"{path}: written by a run with other {', '.join(changed)}: pass the same, or another file.")
    if notes["shape"] != list(matrix.shape) or notes["interactions"] != matrix.nnz:
        raise InputError(f"{path}: written by a run on other interactions ({notes['shape'][0]} x {notes['shape'][1]}).")
    run = start(matrix, settings)
    with torch.no_grad():
        for name, part in run.parameters.items():
            part.copy_(torch.from_numpy(arrays[f"parameter.{name}"]))
            keys = [key.split(".")[1] for key in arrays if key.startswith("adam.") and key.endswith(f".{name}")]
            state = {key: torch.from_numpy(arrays[f"adam.{key}.{name}"].copy()).to(settings.device) for key in keys}
            run.optimizer.state[part] = {**state, "step": state["step"].cpu()} if state else {}
    run.rng.bit_generator.state = notes["rng"]
    run.epoch, run.losses = notes["epoch"], notes["losses"]
    return run
