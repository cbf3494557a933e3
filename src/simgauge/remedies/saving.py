"""Fitted remedies read back from their files; only the classes listed here can be named by one."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np

from simgauge.errors import InputError, ParameterError
from simgauge.remedies.affine_map import AffineMap
from simgauge.remedies.all_but_the_top import AllButTheTop
from simgauge.remedies.canonical import CanonicalGauge
from simgauge.remedies.centering import Centering
from simgauge.remedies.chain import Chain
from simgauge.remedies.csls import CSLS
from simgauge.remedies.leave_alone import LeaveAlone
from simgauge.remedies.local_scaling import LocalScaling
from simgauge.remedies.norm_discounting import NormDiscounting
from simgauge.remedies.refit import Refit
from simgauge.remedies.remedy import CHANGED, KEPT, RANKINGS_KEPT, Remedy
from simgauge.remedies.saved_form import FORMAT_VERSION, HEADER, TEXT, Arrays, header_end
from simgauge.remedies.standardizing import Standardizing
from simgauge.remedies.whitening import PopularityWhitening, Whitening
from simgauge.storage.manifest import SEAL, unsealed_hash
from simgauge.storage.places import place_of

CLASSES: dict[str, type[Remedy]] = {
    kind.__name__: kind
    for kind in (
        AffineMap, AllButTheTop, CSLS, CanonicalGauge, Centering, Chain, LeaveAlone, LocalScaling, NormDiscounting,
        PopularityWhitening, Refit, Standardizing, Whitening,
    )
}  # fmt: skip
"""The only classes a file can name."""


def load_remedy(path: str | Path) -> Remedy:
    """Read what `Remedy.save` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Remedy
        Fitted; `transform`, `transform_items` and `neighbors` give what they gave before.

    Raises
    ------
    InputError
        Missing, cut off, altered, of a newer format, or no saved remedy at all. Nothing in a file is ever executed.

    Examples
    --------
    >>> import tempfile
    >>> from simgauge.embedding import Embedding
    >>> remedy = Centering().fit(Embedding([[1.0, 2.0], [3.0, 4.0]]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_remedy(remedy.save(folder + "/map.safetensors")).transform_items([[2.0, 3.0]])
    array([[0., 0.]])
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    source = place_of(Path(path))
    if not source.is_file():
        raise InputError(f"{source} does not exist or is no file: pass what Remedy.save wrote.")
    try:
        raw = source.read_bytes()
        spec = json.loads(json.loads(raw[8 : header_end(raw)])["__metadata__"][HEADER])
        version = spec["format_version"]
        if version != FORMAT_VERSION:
            raise InputError(
                f"{source}: format version {version} is not the one that this simgauge reads ({FORMAT_VERSION}): "
                f"update "
                "simgauge, or fit the remedy again."
            )
        stated = str(spec.pop(SEAL))
        if unsealed_hash(raw, stated, header_end(raw)) != stated:
            raise InputError(f"{source} is not the file that was saved (SHA-256 differs).")
        arrays = load(raw)
        arrays.pop("empty", None)
        return _unpacked(spec, arrays)
    except (InputError, MemoryError):
        raise
    except (
        SafetensorError, ParameterError, KeyError, TypeError, ValueError, AttributeError, OSError, RecursionError,
        OverflowError,
    ) as error:  # fmt: skip
        raise InputError(f"{source} is not a saved remedy or is damaged: {error}.") from error


def _unpacked(spec: dict[str, Any], arrays: Arrays) -> Remedy:
    kind = CLASSES.get(spec["class"])
    if kind is None:
        raise InputError(f"the file names {spec['class']!r}, which is no remedy of this simgauge.")
    params = dict(spec["params"])
    if issubclass(kind, Chain):
        steps = [_unpacked(part, _part_of(arrays, position)) for position, part in enumerate(spec["steps"])]
        params["steps"] = steps
    unknown = set(params) - set(inspect.signature(kind).parameters)
    if unknown:
        raise ValueError(f"{kind.__name__} has no parameter {', '.join(sorted(map(repr, unknown)))}")
    remedy = kind(**params)
    if isinstance(remedy, Chain):
        remedy.steps_ = list(remedy.steps)
    remedy._check_parameters()
    _restore(remedy, spec["facts"], arrays)
    return remedy


def _restore(remedy: Remedy, facts: dict[str, Any], arrays: Arrays) -> None:
    for name in remedy._facts:
        setattr(remedy, name, facts[name])
    width = remedy.n_features_in_
    if isinstance(width, bool) or not isinstance(width, int) or width < 1:
        raise ValueError(f"n_features_in_ is {width!r}")
    if remedy.predictions_ not in (KEPT, RANKINGS_KEPT, CHANGED):
        raise ValueError(f"predictions_ is {remedy.predictions_!r}")
    for name in remedy._arrays:
        if name + TEXT in arrays:
            labels = json.loads(arrays[name + TEXT].tobytes().decode())
            array = np.empty(len(labels), dtype=object)
            array[:] = [str(label) for label in labels]
        else:
            array = arrays[name]
        if array.dtype.kind not in ("iO" if name.endswith("ids_") else "f"):
            raise ValueError(f"{name} holds {array.dtype}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinite values")
        setattr(remedy, name, array)
    remedy._check_restored()


def _part_of(arrays: Arrays, position: int) -> Arrays:
    prefix = f"{position}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
