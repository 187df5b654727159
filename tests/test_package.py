"""The package as a whole: light to import, and everything public is named and documented."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import seston

_ROOT = Path(seston.__file__).parent
_MODULES = sorted(_ROOT.rglob("*.py"))
_HEAVY = {"torch", "numpy", "lance", "pyarrow", "sklearn", "scipy", "PIL", "rich", "cyclopts", "msgspec", "jinja2"}


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout


def _seconds(code: str, tries: int = 5) -> float:
    """Give the least processor time of some tries: waiting for a busy machine is none of the code's doing."""

    def one() -> float:
        started = _busy_seconds()
        _run(code)
        return _busy_seconds() - started

    return min(one() for _ in range(tries))


def _busy_seconds() -> float:
    now = os.times()
    return now.children_user + now.children_system if os.name == "posix" else time.perf_counter()


def _bound_names(tree: ast.Module, *, types: bool = False) -> set[str]:
    """Give what a module defines itself at its top level, without what it imports and without names for types."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and (types or not _is_name_for_a_type(node.value)):
            names.update(name for target in node.targets for name in _names_in(target))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _names_in(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Tuple | ast.List):
        return [name for element in target.elts for name in _names_in(element)]
    return [target.id] if isinstance(target, ast.Name) else []


def _is_name_for_a_type(value: ast.expr) -> bool:
    """Tell whether a value is a type variable, or a type with arguments such as ``NDArray[np.float32]``."""
    called = value.func if isinstance(value, ast.Call) else None
    if isinstance(called, ast.Name):
        return called.id in ("TypeVar", "NewType", "ParamSpec")
    return isinstance(value, ast.Subscript) or (isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr))


def _listed(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == "__all__" and value is not None:
            names: list[str] = ast.literal_eval(value)
            return names
    return None


def _public_definitions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    found: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            found.append(node)
            if isinstance(node, ast.ClassDef):
                methods = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
                found += [one for one in methods if one.name[0] != "_" and not _is_overload_or_setter(one)]
    return found


def _is_overload_or_setter(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("overload" in (text := ast.unparse(one)) or ".setter" in text for one in function.decorator_list)


def _name(path: Path) -> str:
    return path.relative_to(_ROOT.parent).as_posix()


def test_importing_seston_takes_less_than_a_tenth_of_a_second() -> None:
    assert _seconds("import seston") - _seconds("pass") < 0.1


def test_importing_seston_loads_nothing_heavy() -> None:
    loaded = _run("import sys, seston; print(*{name.split('.')[0] for name in sys.modules})").split()
    assert not _HEAVY & set(loaded)


def test_the_version_is_the_one_that_is_installed() -> None:
    assert seston.__version__ == importlib.metadata.version("seston")


def test_every_name_that_seston_offers_is_there() -> None:
    missing = [name for name in seston.__all__ if not hasattr(seston, name)]
    assert not missing
    assert dir(seston) == sorted(seston.__all__)


def test_a_name_that_seston_does_not_offer_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        seston.nonsense  # noqa: B018


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_a_module_lists_exactly_its_public_names(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed = _listed(tree)
    assert listed is not None, f"{_name(path)} has no __all__"
    assert len(listed) == len(set(listed)), f"{_name(path)} lists a name twice"
    public = {name for name in _bound_names(tree) if name[0] != "_"}
    if path.name == "__init__.py":
        assert public <= set(listed)
    else:
        bound = {name for name in _bound_names(tree, types=True) if name[0] != "_"}
        assert public <= {name for name in listed if not name.startswith("__")} <= bound


@pytest.mark.parametrize("path", [path for path in _MODULES if path.name == "__init__.py"], ids=_name)
def test_a_room_offers_every_name_that_it_lists(path: Path) -> None:
    room = importlib.import_module(".".join(path.parent.relative_to(_ROOT.parent).parts))
    assert not [name for name in room.__all__ if not hasattr(room, name)]


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_everything_public_is_documented(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{_name(path)} has no docstring"
    silent = [node.name for node in _public_definitions(tree) if not ast.get_docstring(node)]
    assert not silent


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_nothing_is_loaded_by_pickle(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {"pickle", "marshal", "shelve", "joblib", "dill"} & {name.split(".")[0] for name in imported}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not {"torch.load", "torch.save"} & {ast.unparse(call.func) for call in calls}
    keywords = [keyword for call in calls for keyword in call.keywords if keyword.arg == "allow_pickle"]
    assert not [one for one in keywords if ast.unparse(one.value) != "False"]


@pytest.mark.parametrize("path", [path for path in _MODULES if path.name == "__init__.py"], ids=_name)
def test_no_public_name_of_a_room_is_hidden_by_a_module_of_the_same_name(path: Path) -> None:
    """Python binds a module to its package when it is first imported, over whatever loads lazily under that name."""
    listed = _listed(ast.parse(path.read_text(encoding="utf-8"))) or []
    assert not [name for name in listed if (path.parent / f"{name}.py").exists() or (path.parent / name).is_dir()]
