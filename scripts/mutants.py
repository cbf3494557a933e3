"""Mutation testing: small faults are put into the source one at a time, and the tests of that folder must turn red.

    python scripts/mutants.py selection core/inference --sample 80 --seed 0 --out mutants.json

A sample of all mutants of a folder is drawn; each runs in a copy of the project, first with the tests and examples of
its own file, then with those of its folder. Mutants that no test can tell from the original are listed with the reason
in `mutants_equivalent.toml` and counted apart. Not a part of CI: a folder takes some minutes.
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("core/inference", "selection", "core/spectral", "core/bounds")
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.toml")

FLIPPED = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
"""Comparisons: the boundary moved, and the condition turned around."""

SWAPPED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip

LIMITS = {"max", "min", "maximum", "minimum", "abs", "clip", "sqrt", "sorted", "sort"}
"""Functions whose first argument stands in for the whole call: a guard that is gone."""


@dataclass(frozen=True)
class Mutant:
    """One fault: a piece of one file, and what stands there instead."""

    path: str
    """Relative to src/simgauge."""
    line: int
    scope: str
    """Function or class around it."""
    before: str
    after: str
    start: int
    stop: int
    """Bytes of the file that are replaced."""

    def key(self) -> tuple[str, str, str, str]:
        """What the list of equivalent mutants names: lines may move."""
        return self.path, self.scope, self.before, self.after


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Faulty versions of one node."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in FLIPPED.get(type(node.ops[0]), ()):
            yield _with(node, ops=[kind()])
    elif isinstance(node, ast.BinOp):
        if type(node.op) in SWAPPED:
            yield _with(node, op=SWAPPED[type(node.op)]())
            yield node.left  # the other term is dropped
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        yield from (_with(node, values=[*node.values[:i], *node.values[i + 1 :]]) for i in range(len(node.values)))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub, ast.Invert)):
        yield node.operand
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield ast.Constant(node.value + 1)
        elif isinstance(node.value, float):
            yield ast.Constant(2 * node.value if node.value else 1.0)
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in LIMITS and node.args:
            yield node.args[0]
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants of a file. Texts, annotations, what is raised and what only types need are left alone."""
    text = path.read_text(encoding="utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    source, found = text.encode(), []

    def visit(node: ast.AST, scope: str) -> None:
        if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Assert)):
            return
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            scope = f"{scope}.{node.name}".lstrip(".")
        if isinstance(node, (ast.If, ast.While)):
            whole = node.test
            versions = [ast.UnaryOp(ast.Not(), node.test)]
        else:
            whole, versions = node, list(changes(node))
        for changed in versions:
            start = starts[whole.lineno - 1] + whole.col_offset
            stop = starts[whole.end_lineno - 1] + whole.end_col_offset
            after = ast.unparse(ast.fix_missing_locations(changed))
            after = after if isinstance(changed, ast.Return) else f"({after})"
            before = " ".join(source[start:stop].decode().split())
            relative = path.relative_to(ROOT / "src" / "simgauge").as_posix()
            found.append(Mutant(relative, whole.lineno, scope, before, after, start, stop))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    visit(child, scope)

    visit(ast.parse(text), "")
    return found


def sample_of(room: str, size: int, seed: int) -> tuple[list[Mutant], int]:
    """A random sample of the mutants of a folder, and how many there are."""
    files = sorted((ROOT / "src" / "simgauge" / room).rglob("*.py"))
    every = [mutant for path in files for mutant in mutants_of(path)]
    drawn = random.Random(f"{room} {seed}").sample(every, min(size, len(every)))
    return sorted(drawn, key=lambda mutant: (mutant.path, mutant.start)), len(every)


class Copy:
    """A copy of the project in which one file at a time is changed."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for name in ("src", "tests"):
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", place)
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.environment = {**os.environ, **single, "PYTHONPATH": str(place / "src"), "PYTHONDONTWRITEBYTECODE": "1"}

    def passes(self, tests: list[str], limit: float) -> bool:
        """Whether the tests pass within a time."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]
        try:
            done = subprocess.run(command, cwd=self.place, env=self.environment, capture_output=True, timeout=limit,
                                  check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def own_tests(self, path: str) -> list[str]:
        """The tests of one file, then its examples: the other way round, importing `fix.py` would hide `fix`."""
        tests = Path("tests", path).with_name(f"test_{Path(path).name}")
        return [*([str(tests)] if (self.place / tests).is_file() else []), f"src/simgauge/{path}"]

    def survives(self, mutant: Mutant, limit: float) -> bool:
        """Whether no test of its folder sees the fault."""
        target = self.place / "src" / "simgauge" / mutant.path
        original = target.read_bytes()
        target.write_bytes(original[: mutant.start] + mutant.after.encode() + original[mutant.stop :])
        try:
            own, folder = self.own_tests(mutant.path), Path(mutant.path).parent
            return self.passes(own, limit) and self.passes([f"tests/{folder}"], limit)
        finally:
            target.write_bytes(original)


def run(room: str, size: int, seed: int, jobs: int) -> dict[str, object]:
    """Draw, run and count the mutants of one folder."""
    listed = {
        (entry["path"], entry["scope"], entry["before"], entry["after"]): entry["reason"]
        for entry in (tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"] if EQUIVALENT.is_file() else [])
    }
    drawn, n_all = sample_of(room, size, seed)
    tried = [mutant for mutant in drawn if mutant.key() not in listed]
    equivalent = [{**asdict(mutant), "reason": listed[mutant.key()]} for mutant in drawn if mutant.key() in listed]
    with tempfile.TemporaryDirectory() as folder:
        copies = [Copy(Path(folder) / str(number)) for number in range(jobs)]
        begun = time.perf_counter()
        if not copies[0].passes([f"tests/{room}", f"src/simgauge/{room}"], 1800):
            raise SystemExit(f"the tests of {room} fail without any fault: mend them first")
        for path in sorted({mutant.path for mutant in tried}):
            if not copies[0].passes(copies[0].own_tests(path), 1800):
                raise SystemExit(f"the tests of {path} alone fail without any fault: mend them first")
        limit = 20 + 4 * (time.perf_counter() - begun)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            parts = [pool.submit(_part, copies[number], tried[number::jobs], limit) for number in range(jobs)]
            alive = [mutant for part in parts for mutant in part.result()]
    return {
        "room": room,
        "mutants": n_all,
        "drawn": len(drawn),
        "equivalent": equivalent,
        "tried": len(tried),
        "killed": len(tried) - len(alive),
        "survivors": [asdict(mutant) for mutant in sorted(alive, key=lambda mutant: (mutant.path, mutant.line))],
        "seed": seed,
        "seconds": round(time.perf_counter() - begun),
    }


def _part(project: Copy, mutants: list[Mutant], limit: float) -> list[Mutant]:
    alive = []
    for mutant in mutants:
        if project.survives(mutant, limit):
            print(f"alive: {mutant.path}:{mutant.line} {mutant.before!r} -> {mutant.after!r}", flush=True)
            alive.append(mutant)
    return alive


def main() -> None:
    """Run the folders named and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rooms", nargs="*", default=list(ROOMS))
    parser.add_argument("--sample", type=int, default=80, help="mutants of each folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="copies of the project that run side by side")
    parser.add_argument("--out", type=Path, help="JSON of everything, survivors and equivalent mutants included")
    chosen = parser.parse_args()
    results = []
    for room in chosen.rooms:
        results.append(run(room, chosen.sample, chosen.seed, chosen.jobs))
        if chosen.out is not None:
            chosen.out.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{'folder':<16}{'mutants':>8}{'drawn':>7}{'equivalent':>12}{'killed':>8}{'share':>7}{'seconds':>9}")
    for row in results:
        share = row["killed"] / max(row["tried"], 1)
        print(
            f"{row['room']:<16}{row['mutants']:>8}{row['drawn']:>7}{len(row['equivalent']):>12}"
            f"{row['killed']:>8}{share:>7.0%}{row['seconds']:>9}"
        )


if __name__ == "__main__":
    main()
