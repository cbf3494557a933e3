"""Tests that cannot fail are found by their syntax: a comparison in the place of a message, a tuple, no check at
all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))

ALWAYS_TRUE = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Constant, ast.JoinedStr, ast.Lambda, ast.GeneratorExp)
"""What is as true as it is not empty: asserting it asserts nothing."""

MESSAGES = (ast.JoinedStr, ast.Call)
"""What a message may be, besides a string."""

OWN_ERRORS = {"SimgaugeError", "InputError", "ParameterError", "MissingDependencyError"}
"""Errors with a sentence for users, which a test should read: any other mistake of the caller raises them too."""

CHECKS = {"raises", "warns", "deprecated_call", "fail", "check_estimator"}
"""Functions that fail a test: those of pytest, and the checks of scikit-learn."""


def findings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and reason of every assertion that cannot do its work."""
    read_later = {
        id(item.context_expr)
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if item.optional_vars is not None
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            said = node.msg
            if said is not None and not isinstance(said, MESSAGES) and not _is_text(said):
                yield node.lineno, "the message is no text: is it meant as a part of what is asserted?"
            if isinstance(node.test, ALWAYS_TRUE):
                yield node.lineno, "this is always true"
            if isinstance(node.test, ast.Attribute) and node.test.attr in ("all", "any"):
                yield node.lineno, f"a method is always true: call .{node.test.attr}()"
        elif isinstance(node, ast.Call) and _name(node) == "raises" and id(node) not in read_later:
            named = {part.id for part in ast.walk(node.args[0]) if isinstance(part, ast.Name)} if node.args else set()
            if named & OWN_ERRORS and not any(word.arg == "match" for word in node.keywords):
                yield (
                    node.lineno,
                    f"{', '.join(sorted(named & OWN_ERRORS))} without match=: which sentence is expected?",
                )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def functions_of(tree: ast.AST) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {node.name: node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def checks_something(function: ast.AST, helpers: dict[str, ast.AST], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a function asserts, or calls a helper that does."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = _name(node)
            if name in CHECKS or name.startswith("assert_"):
                return True
            helper = helpers.get(name)
            if helper is not None and name not in seen and checks_something(helper, helpers, seen | {name}):
                return True
    return False


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


HELPERS = {
    name: node
    for path, tree in trees().items()
    if not path.name.startswith("test_")
    for name, node in functions_of(tree).items()
}
"""Functions of the modules that tests share."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_every_assertion_can_fail(path):
    found = [f"{path.name}:{line}: {reason}" for line, reason in findings(ast.parse(path.read_text(encoding="utf-8")))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_every_test_checks_something(path):
    own = functions_of(ast.parse(path.read_text(encoding="utf-8")))
    helpers = {**HELPERS, **own}
    idle = [name for name, node in own.items() if name.startswith("test_") and not checks_something(node, helpers)]
    assert not idle, f"{path.name}: {', '.join(idle)} assert nothing"


@pytest.mark.parametrize(
    "line",
    [
        "assert a, b == c",
        "assert a, (b, c)",
        "assert a, b",
        "assert (a, 'message')",
        "assert [a]",
        "assert 'text'",
        "assert (x > 0 for x in y)",
        "assert (a == b).all",
        "with pytest.raises(InputError): pass",
        "with pytest.raises((InputError, ValueError)): pass",
        "with pytest.raises(errors.InputError, ): pass\nassert ()",
    ],
)
def test_what_cannot_fail_is_found(line):
    assert list(findings(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "assert a, 'message'",
        "assert a, f'message {b}'",
        "assert a == (b, c), describe(b)",
        "assert all(x > 0 for x in y)",
        "assert (a == b).all()",
        "with pytest.raises(InputError, match='which'): pass",
        "with pytest.raises(InputError) as caught: pass",
        "with pytest.raises(KeyError): pass",
    ],
)
def test_control_what_can_fail_is_left_alone(line):
    assert list(findings(ast.parse(line))) == []


def test_tests_without_a_check_are_found():
    own = functions_of(
        ast.parse("def test_a(): run()\ndef run(): start()\ndef test_b(): look()\ndef look(): assert 1 == x")
    )
    assert [checks_something(own[name], own) for name in ("test_a", "test_b")] == [False, True]
