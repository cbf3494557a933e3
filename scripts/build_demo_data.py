"""Build the shipped demo data: which names do Python source files use together?

Rows are source files of the standard library and of scientific packages in this environment. Items are the public names
that they import (``from urllib.parse import quote`` -> ``urllib.parse.quote``) or reach through an imported submodule
(``import urllib.parse`` and ``urllib.parse.quote(...)`` is the same use). Only these facts are kept, no code. Run it in
the project's environment after `make test` has set it up:

    .venv/bin/python scripts/build_demo_data.py
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import importlib.util
import json
import platform
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PACKAGES = ("jinja2", "matplotlib", "narwhals", "numpy", "pandas", "pyarrow", "rich", "scipy", "sklearn", "typer")
DISTRIBUTIONS = {"sklearn": "scikit-learn"}
PRIVATE_PACKAGES = {"test", "lib2to3"}
MIN_FILES_PER_NAME = 6
SKIPPED_FOLDER = re.compile(
    r"site-packages|_?externals?|_?vendor(ed)?|_bundled|(test)?data\d*|array_api_(compat|extra)|_click"
)
"""Folders of copies of other packages, whose twins would leak from the held-out part into training, and files made to
test parsers."""

MIN_NAMES_PER_FILE = 2
TARGET = Path(__file__).parents[1] / "src" / "simgauge" / "datasets" / "python_imports.parquet"


def used_names(source: bytes, modules: frozenset[str]) -> set[str]:
    """Public names that a file imports or reaches through an imported submodule; relative imports are left out."""
    tree = ast.parse(source)
    names: set[str] = set()
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names.add(alias.name)
                root = alias.name.split(".")[0]
                bound[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module != "__future__":
            for alias in node.names:
                full = node.module if alias.name == "*" else f"{node.module}.{alias.name}"
                names.add(full)
                bound[alias.asname or alias.name] = full
    names |= {name for node in ast.walk(tree) if (name := member_of_submodule(node, bound, modules))}
    return {name for name in names if is_public(name)}


def is_public(name: str) -> bool:
    """Whether users of a package may know the name: no underscore, nor CPython's own test support."""
    parts = name.split(".")
    return parts[0] not in PRIVATE_PACKAGES and not any(part.startswith("_") for part in parts)


def member_of_submodule(node: ast.AST, bound: Mapping[str, str], modules: frozenset[str]) -> str | None:
    """``package.module.member`` for an attribute chain that starts at an imported name, None for anything else."""
    chain: list[str] = []
    while isinstance(node, ast.Attribute):
        chain.append(node.attr)
        node = node.value
    if not (chain and isinstance(node, ast.Name) and node.id in bound):
        return None
    parts = [*bound[node.id].split("."), *reversed(chain)]
    depth = max((length for length in range(2, len(parts)) if ".".join(parts[:length]) in modules), default=0)
    return ".".join(parts[: depth + 1]) if depth else None


def module_names(labels: Iterable[str]) -> frozenset[str]:
    """Dotted names of the modules that files stand for; the label's first part is the package, or "python"."""
    found = {"os.path"}
    for label in labels:
        parts = Path(label).with_suffix("").parts
        parts = parts[1:] if parts[0] == "python" else parts
        found.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return frozenset(found)


def source_files(roots: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """(label, path) of every source file below the roots, sorted; labels hold no path of this machine."""
    for name, root in sorted(roots.items()):
        for path in sorted(root.rglob("*.py")):
            if not any(SKIPPED_FOLDER.fullmatch(part) for part in path.relative_to(root).parts[:-1]):
                yield f"{name}/{path.relative_to(root).as_posix()}", path


def scan(files: Iterable[tuple[str, Path]]) -> dict[str, set[str]]:
    """Names used by each file; files that are no Python (test data of parsers) are left out."""
    sources = dict(files)
    modules = module_names(sources)
    found = {}
    for label, path in sources.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[label] = used_names(path.read_bytes(), modules)
        except (SyntaxError, ValueError):
            continue
    return found


def frequent(names: Mapping[str, set[str]], min_files: int, min_names: int) -> dict[str, set[str]]:
    """Names used in enough files and files with enough such names, in turn until both hold."""
    kept = dict(names)
    while True:
        counts = Counter(name for used in kept.values() for name in used)
        common = {name for name, count in counts.items() if count >= min_files}
        smaller = {file: used & common for file, used in kept.items() if len(used & common) >= min_names}
        if smaller == kept:
            return kept
        kept = smaller


def write(names: Mapping[str, set[str]], target: Path, versions: Mapping[str, str]) -> None:
    """Two dictionary-encoded columns, file and name, sorted: the same input gives the same bytes."""
    pairs = sorted((file, name) for file, used in names.items() for name in used)
    table = pa.table(
        {
            "file": pa.array([file for file, _ in pairs]).dictionary_encode(),
            "name": pa.array([name for _, name in pairs]).dictionary_encode(),
        }
    )
    metadata = {"versions": json.dumps(dict(sorted(versions.items()))), "built_by": "scripts/build_demo_data.py"}
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), target, compression="zstd", compression_level=19)


def main() -> None:
    """Scan this environment and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    out = parser.parse_args().out
    roots = {"python": Path(sysconfig.get_paths()["stdlib"])}
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise SystemExit(f"{package} is not installed: run `make test` once, which sets up the environment.")
        roots[package] = Path(spec.origin).parent
        versions[package] = importlib.metadata.version(DISTRIBUTIONS.get(package, package))
    names = frequent(scan(source_files(roots)), MIN_FILES_PER_NAME, MIN_NAMES_PER_FILE)
    write(names, out, versions)
    items = {name for used in names.values() for name in used}
    print(
        f"{len(names):,} files x {len(items):,} names, {sum(map(len, names.values())):,} pairs, "
        f"{out.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main()
