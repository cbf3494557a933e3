"""A saved map for where it is served: NumPy, SQL, ONNX, or a module of sentence-transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.errors import InputError, optional_import
from simgauge.parameters import check_choice
from simgauge.remedies.remedy import Remedy
from simgauge.shipping.apply import affine_of, load_map
from simgauge.storage.atomic import atomic_directory
from simgauge.storage.own_file import carries, write_own_file

TEXTS = ("numpy", "sql", "pgvector")
FORMS = (*TEXTS, "onnx", "sentence-transformers")
GRAPH = "simgauge_map"
"""Name of the graph in ONNX files."""
README, DENSE = "README.md", "A Dense module for sentence-transformers, made by simgauge."


def map_as_code(map_: str | Path | Remedy, form: str, *, unit: bool | None = None) -> str:
    """A saved map as text to paste: NumPy, or SQL for DuckDB or PostgreSQL with pgvector.

    Parameters
    ----------
    map_ : path or Remedy
    form : {"numpy", "sql", "pgvector"}
        "sql" is DuckDB's.
    unit : bool, optional
        Scale to norm one afterwards; where the map is for cosine when not given.

    Raises
    ------
    InputError
        The map is not affine.
    """
    check_choice(form, "form", TEXTS)
    fitted = map_ if isinstance(map_, Remedy) else load_map(map_)
    matrix, shift = _matrix_and_shift(affine_of(fitted))
    scaled = fitted.metric == "cosine" if unit is None else unit
    return {"numpy": _numpy, "sql": _duckdb, "pgvector": _pgvector}[form](matrix, shift, scaled)


def write_map(map_: str | Path | Remedy, form: str, path: str | Path, *, unit: bool | None = None) -> Path:
    """Write a saved map for where it is served.

    Parameters
    ----------
    map_ : path or Remedy
    form : {"numpy", "sql", "pgvector", "onnx", "sentence-transformers"}
        "onnx": a model with input and output called "vectors", checked with onnxruntime after it was written (extra
        `onnx`). "sentence-transformers": the folder of a Dense module (and a Normalize module where the map is for
        cosine), to append to a model's modules.
    path : path
        A file; for "sentence-transformers" a folder.
    unit : bool, optional
        As in `map_as_code`.

    Raises
    ------
    InputError
        The map is not affine; the path cannot be written to, or something is there that simgauge did not write.
    MissingDependencyError
        The extra is not installed.
    """
    check_choice(form, "form", FORMS)
    fitted = map_ if isinstance(map_, Remedy) else load_map(map_)
    target = Path(path)
    if form in TEXTS:
        write_own_file(target, map_as_code(fitted, form, unit=unit), (b"to_space",))
        return target
    matrix, shift = _matrix_and_shift(affine_of(fitted))
    scaled = fitted.metric == "cosine" if unit is None else unit
    if form == "onnx":
        return _write_onnx(target, matrix, shift, scaled)
    return _write_dense(target, matrix, shift, scaled)


def _matrix_and_shift(affine: GaugeMap) -> tuple[Matrix, Matrix]:
    """``x @ matrix + shift``"""
    return affine.item_matrix, -(affine.item_mean @ affine.item_matrix)


def _numpy(matrix: Matrix, shift: Matrix, unit: bool) -> str:
    rows = ",\n    ".join(repr([float(value) for value in row]) for row in matrix)
    lines = [
        "import numpy as np",
        "",
        f"MATRIX = np.array([\n    {rows},\n])",
        f"SHIFT = np.array({[float(value) for value in shift]!r})",
        "",
        "",
        "def to_space(vectors):",
        f'    """Rows of {matrix.shape[0]} components to rows of {matrix.shape[1]}."""',
        "    moved = np.asarray(vectors, dtype=float) @ MATRIX + SHIFT",
    ]
    if unit:
        lines.append("    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)")
    else:
        lines.append("    return moved")
    return "\n".join(lines) + "\n"


def _duckdb(matrix: Matrix, shift: Matrix, unit: bool) -> str:
    """An expression for DuckDB: one inner product a component."""
    width = matrix.shape[0]
    parts = [
        f"    array_inner_product(v, {[float(x) for x in column]}::DOUBLE[{width}]) + {float(move)!r}"
        for column, move in zip(matrix.T, shift, strict=True)
    ]
    inner = "[\n" + ",\n".join(parts) + "\n  ]"
    size = f"DOUBLE[{matrix.shape[1]}]"
    if not unit:
        return (
            f"-- DuckDB: rows of {width} components to rows of {matrix.shape[1]}\nCREATE OR REPLACE MACRO "
            f"to_space(v) AS (\n  {inner}::{size}\n);\n"
        )
    return (
        f"-- DuckDB: rows of {width} components to unit rows of {matrix.shape[1]}\n"
        f"CREATE OR REPLACE MACRO in_space(v) AS (\n  {inner}\n);\n"
        "CREATE OR REPLACE MACRO to_space(v) AS (\n"
        f"  list_transform(in_space(v), lambda x: x / sqrt(list_sum(list_transform(in_space(v), lambda y: y * "
        f"y))))::{size}\n);\n"
    )


def _pgvector(matrix: Matrix, shift: Matrix, unit: bool) -> str:
    """A function for PostgreSQL: ``<#>`` is minus the inner product."""
    parts = [
        f"    {float(move)!r} - (v <#> '{[float(x) for x in column]}'::vector)"
        for column, move in zip(matrix.T, shift, strict=True)
    ]
    inner = "ARRAY[\n" + ",\n".join(parts) + f"\n  ]::double precision[]::vector({matrix.shape[1]})"
    result = f"l2_normalize({inner})" if unit else inner
    return (
        f"-- PostgreSQL with pgvector: rows of {matrix.shape[0]} components to rows of {matrix.shape[1]}\n"
        f"CREATE OR REPLACE FUNCTION to_space(v vector) RETURNS vector LANGUAGE sql IMMUTABLE AS $$\n  SELECT "
        f"{result}\n$$;\n"
    )


def _write_onnx(path: Path, matrix: Matrix, shift: Matrix, unit: bool) -> Path:
    onnx = optional_import("onnx", extra="onnx", purpose="write ONNX models")
    runtime = optional_import("onnxruntime", extra="onnx", purpose="check ONNX models")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    nodes = [
        helper.make_node("MatMul", ["vectors", "matrix"], ["turned"]),
        helper.make_node("Add", ["turned", "shift"], ["moved" if unit else "result"]),
    ]
    if unit:
        nodes.append(helper.make_node("LpNormalization", ["moved"], ["result"], axis=-1, p=2))
    shapes = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", size])
        for name, size in (("vectors", matrix.shape[0]), ("result", matrix.shape[1]))
    ]
    weights = [
        numpy_helper.from_array(value.astype(np.float32), name)
        for name, value in (("matrix", matrix), ("shift", shift))
    ]
    graph = helper.make_graph(nodes, GRAPH, shapes[:1], shapes[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8  # what released runtimes read
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    probe = np.random.default_rng(0).standard_normal((4, matrix.shape[0])).astype(np.float32)
    (got,) = runtime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"vectors": probe})
    _compare(got, probe, matrix, shift, unit)
    write_own_file(path, content, (GRAPH.encode(),))
    return path


def _compare(got: FloatTable, probe: FloatTable, matrix: Matrix, shift: Matrix, unit: bool) -> None:
    expected = probe.astype(np.float64) @ matrix + shift
    if unit:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    limit = 8 * float(np.finfo(np.float32).eps) * matrix.shape[0] * float(np.abs(expected).max())
    worst = float(np.abs(got - expected).max())
    if not worst <= max(limit, 1e-3 * float(np.abs(expected).max())):
        raise InputError(f"the ONNX model differs from the map by {worst:.2g}: it was not written.")


def _write_dense(folder: Path, matrix: Matrix, shift: Matrix, unit: bool) -> Path:
    modules = optional_import("sentence_transformers.models", extra="adapters", purpose="write a Dense module")
    torch = optional_import("torch", extra="torch", purpose="write a Dense module")
    dense = modules.Dense(matrix.shape[0], matrix.shape[1], bias=True, activation_function=torch.nn.Identity())
    with torch.no_grad():
        dense.linear.weight.copy_(torch.as_tensor(matrix.T.copy(), dtype=torch.float32))
        dense.linear.bias.copy_(torch.as_tensor(shift, dtype=torch.float32))
    then = "Append it, then `models.Normalize()`," if unit else "Append it"
    with atomic_directory(folder, _own_dense_files) as new:
        dense.save(str(new))
        (new / README).write_text(f"{DENSE} {then} to the modules of the model.\n", encoding="utf-8")
    return folder


def _own_dense_files(folder: Path) -> set[str]:
    """All files of a folder that this module wrote, none of another."""
    ours = (folder / README).is_file() and carries(folder / README, (DENSE.encode(),))
    return {"config.json", "model.safetensors", "pytorch_model.bin", README} if ours else set()
