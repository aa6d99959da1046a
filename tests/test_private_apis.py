"""What we use of other libraries that is private: all of it is listed, and all of it is there."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wandb_repro
from tests.support.private_apis import PRIVATE_APIS, USES, VERSIONS, PrivateApi

PACKAGE = Path(wandb_repro.__file__).parent

PRIVATE_MODULE = re.compile(
    r"(keras\.src|h5py\._hl|tensorflow\.python|wandb\.(sdk|apis)|jax\._src|torch\._\w+|IPython\.core)"
    r"(\.\w+)*"
)

OURS = {"_asdict", "_fields", "_replace"}  # documented methods of a NamedTuple


def resolve(path: str) -> Any:
    """Return the module, class or function of a dotted path."""
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ImportError(path)


def has_field(owner: type, name: str) -> bool:
    """Tell whether a class or one above it sets an attribute on its instances."""
    pattern = re.compile(rf"\bself\.{re.escape(name)}\b|^    {re.escape(name)}\s*[:=]", re.M)
    return any(
        pattern.search(inspect.getsource(kind))
        for kind in owner.__mro__
        if kind.__module__ not in ("builtins", "abc", "typing")
    )


def parameters_of(function: Any) -> list[str]:
    if inspect.isclass(function):
        return list(inspect.signature(function).parameters)
    try:
        return list(inspect.signature(inspect.unwrap(function)).parameters)
    except ValueError:  # a builtin that does not tell
        return []


def fault_of(api: PrivateApi) -> str:
    """Return what is not as our modules need it; empty if all is well."""
    if api.kind == "operation":
        registry = importlib.import_module("tensorflow.python.framework.op_def_registry")
        return "" if registry.get(api.name) is not None else "there is no such operation"
    try:
        owner = resolve(api.owner)
    except (ImportError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    if api.kind == "variable":
        names = inspect.unwrap(owner).__code__.co_varnames
        return "" if api.name in names else f"not among {names}"
    if api.kind == "field":
        return "" if has_field(owner, api.name) else "no instance has it"
    if not hasattr(owner, api.name):
        return "it is gone"
    needed = list(api.parameters)
    there = parameters_of(getattr(owner, api.name)) if needed else []
    return "" if not there or there[: len(needed)] == needed else f"it takes {there}"


@pytest.mark.parametrize("api", PRIVATE_APIS, ids=lambda api: f"{api.owner}.{api.name}")
def test_it_is_there_as_our_modules_need_it(api: PrivateApi) -> None:
    fault = fault_of(api)
    message = (
        f"{api.owner}.{api.name}: {fault} (checked with {api.library} {VERSIONS[api.library]}); "
        f"lost: {api.lost}; used by: {', '.join(api.used_by)}"
    )
    assert fault == "", message


@pytest.mark.parametrize(
    ("api", "fault"),
    [
        (PrivateApi("wandb", "initialise"), "it is gone"),
        (PrivateApi("wandb.sdk.nowhere", "x"), "AttributeError"),
        (PrivateApi("wandb.sdk.wandb_run.Run", "_never", kind="field"), "no instance"),
        (PrivateApi("wandb.sdk.wandb_run.Run.finish", "code", kind="variable"), "not among"),
        (
            PrivateApi("wandb.sdk.wandb_run.Run", "finish", parameters=("self", "code")),
            "it takes ['self', 'exit_code'",
        ),
    ],
)
def test_what_an_upgrade_breaks_is_seen(api: PrivateApi, fault: str) -> None:
    assert fault_of(api).startswith(fault)


def test_nothing_is_listed_twice() -> None:
    names = [(api.owner, api.name) for api in PRIVATE_APIS]
    assert len(names) == len(set(names))


def test_only_listed_names_are_said_to_be_replaced() -> None:
    said = {name for uses in USES.values() for use in uses for name in use.get("replaced", ())}
    listed = {f"{api.owner}.{api.name}" for api in PRIVATE_APIS}
    assert said <= listed


@functools.cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of each module, by its name below ``wandb_repro``."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text())
        for path in PACKAGE.rglob("*.py")
    }


def defined_in(tree: ast.Module) -> set[str]:
    """Return the names that a module gives to things of its own."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and is_own(node.value):
            names.add(node.attr)
    return names


def is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__")


def private_uses(tree: ast.Module) -> Iterator[str]:
    """Yield each private attribute of somebody else, and each private module, that is named."""
    own = defined_in(tree) | OURS
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="_exit"):
                pass  # public: the library's documentation names it
            case ast.Attribute(value=value, attr=name) if is_private(name):
                if name not in own and not is_own(value):
                    yield name
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" | "setattr"),
                args=[_, ast.Constant(value=name), *_],
            ) if is_private(name):
                yield str(name)
            case ast.ImportFrom(module=str(module)) if PRIVATE_MODULE.fullmatch(module):
                for alias in node.names:
                    yield f"{module}.{alias.name}"
            case ast.Constant(value=str(text)) if PRIVATE_MODULE.fullmatch(text):
                yield text
            case _:
                pass


def is_listed(use: str) -> bool:
    if "." not in use:
        return any(api.name == use for api in PRIVATE_APIS)
    return any(f"{api.owner}.{api.name}.".startswith(f"{use}.") for api in PRIVATE_APIS)


def test_every_private_name_that_we_use_is_listed() -> None:
    missing = [
        f"{module}: {use}"
        for module, tree in trees().items()
        for use in private_uses(tree)
        if not is_listed(use)
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("code", "use"),
    [
        ("run._secret.x", "_secret"),
        ("getattr(run, '_secret', None)", "_secret"),
        ("sys.modules.get('keras.src.secret')", "keras.src.secret"),
        ("from wandb.sdk.secret import x", "wandb.sdk.secret.x"),
        ("from torch._C import x", "torch._C.x"),
    ],
)
def test_a_new_use_is_found(code: str, use: str) -> None:
    assert list(private_uses(ast.parse(code))) == [use]
    assert not is_listed(use)


def test_our_own_private_names_are_not_meant() -> None:
    code = "class A:\n def f(self, other): return self._x + other._x\ndef _g(): ...\nb._g()"
    assert list(private_uses(ast.parse(code))) == []


def words_of(tree: ast.Module) -> set[str]:
    """Return every attribute, name and string that a module has."""
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, (ast.Name, ast.alias, ast.FunctionDef)):
            words.add(node.id if isinstance(node, ast.Name) else node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = (
                node.value if isinstance(node.value, str) else node.value.decode(errors="replace")
            )
            words.add(text)
    return words


def test_each_entry_is_used_where_it_says() -> None:
    wrong = [
        f"{api.owner}.{api.name} is not used by {module}"
        for api in PRIVATE_APIS
        for module in api.used_by
        if module not in trees() or api.name not in words_of(trees()[module])
    ]
    assert wrong == []
