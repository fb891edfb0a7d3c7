"""What users read is ours: no module of the exporter puts the text of a foreign exception into what it says.

Such texts change from release to release, and some hold content. Its type, numbers and positions may be used.
"""

import ast
import builtins
import importlib
from pathlib import Path

import pytest

import exporter

ROOT = Path(exporter.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
PLAIN = {
    "errno", "value", "is_late", "filename", "lineno", "colno", "pos", "position", "line", "column", "start", "end",
    "character", "status",
    "name", "problem_mark", "context_mark", "sqlite_errorcode", "sqlite_errorname", "headers", "response", "__class__",
    "__traceback__", "instance_path", "schema_path",
}  # fmt: skip
"""Attributes that hold no text, or one that is an identifier."""
TAKERS = {
    "type", "isinstance", "getattr", "why", "whose", "os_reason", "_refuse", "_syntax_problem",
    "_log_unforeseen", "_not_understood", "described", "fail",
}  # fmt: skip
"""Functions that are given a foreign exception and take its type, its numbers and its positions alone."""
EXCUSED = {
    (
        "exporter.evaluators.registry",
        "with_plugins",
    ): "a plugin is the user's own code, and needs its own error",
    ("exporter.store.postgresql.connection", "as_store_errors"): "SQLSTATE is a code of five characters, and no text",
    ("exporter.runtime.mismatch", "_unparsed"): "what parses an option, ours or a plugin's, says so",
}


def name_of(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def resolved(node, module, ours):
    """The exceptions that an ``except`` names, but those that a function imports from the exporter."""
    if isinstance(node, ast.Tuple):
        return [found for one in node.elts for found in resolved(one, module, ours)]
    first, *rest = ast.unparse(node).split(".")
    if first in ours:
        return []
    found = getattr(module, first, None) or getattr(builtins, first)
    for step in rest:
        found = getattr(found, step)
    return [*found] if isinstance(found, tuple) else [found]


def imported_from_us(tree):
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def is_foreign(kind):
    return not kind.__module__.startswith("exporter")


def handlers(tree):
    """(function, handler) of every handler that names its exception, with the functions inside which they stand."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ExceptHandler) and node.name:
                    yield function.name, node


def texts(handler):
    """The places in a handler where its exception is used for more than its type, numbers and positions."""
    parents = {child: node for node in ast.walk(handler) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(handler):
        if not (isinstance(node, ast.Name) and node.id == handler.name and isinstance(node.ctx, ast.Load)):
            continue
        parent = parents[node]
        fine = (
            isinstance(parent, ast.Raise)
            or (isinstance(parent, ast.Attribute) and (parent.attr in PLAIN or isinstance(parent.ctx, ast.Store)))
            or (isinstance(parent, ast.Call) and ast.unparse(parent.func).split(".")[-1] in TAKERS)
        )
        if not fine:
            yield f"line {node.lineno}: {ast.unparse(parent)}"


def wrong_in(source, module, name):
    tree = ast.parse(source)
    ours = imported_from_us(tree)
    return [
        f"{name}.{function}, {place}"
        for function, handler in handlers(tree)
        if (name, function) not in EXCUSED and any(map(is_foreign, resolved(handler.type, module, ours)))
        for place in texts(handler)
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_shows_the_text_of_a_foreign_exception(path):
    source = path.read_text()
    if "except " not in source:
        return
    assert wrong_in(source, importlib.import_module(name_of(path)), name_of(path)) == []
    read = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    assert read & {"strerror", "sqlite_errormsg"} == set()


@pytest.mark.parametrize(
    "body",
    [
        "raise TypeError(f'no: {error}') from error",
        "return str(error)",
        "log('%s', error)",
        "return error.strerror",
        "return [error]",
    ],
)
def test_a_text_is_found(body):
    source = f"def read():\n    try:\n        pass\n    except (OSError, ValueError) as error:\n        {body}\n"
    assert len(wrong_in(source, exporter, "exporter")) == 1


@pytest.mark.parametrize(
    "body", ["raise TypeError(why(error)) from error", "return type(error).__name__", "return error.errno"]
)
def test_a_number_or_a_type_is_no_text(body):
    source = f"def read():\n    try:\n        pass\n    except OSError as error:\n        {body}\n"
    assert wrong_in(source, exporter, "exporter") == []


def test_each_excuse_is_needed():
    for name, function in EXCUSED:
        source = Path(importlib.import_module(name).__file__).read_text()
        assert function in {found for found, handler in handlers(ast.parse(source)) if list(texts(handler))}
