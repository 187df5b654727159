"""Names of a package that load their module when they are first asked for, so that ``import seston`` stays light."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from seston.errors import MissingExtraError

__all__ = ["late_names"]


def late_names(package: str, homes: Mapping[str, str], *, needs_torch_for: str | None = None) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package whose public names live in modules that load late.

    Parameters
    ----------
    package
        Full name of the package.
    homes
        Public name → module of the package that defines it.
    needs_torch_for
        What the package is for, where it needs the extra ``train``: a missing torch is then said in a user's words.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            module = importlib.import_module(f"{package}.{homes[name]}")
        except ModuleNotFoundError as error:
            if needs_torch_for is not None and error.name == "torch":
                raise MissingExtraError(needs_torch_for, "train") from error
            raise
        return getattr(module, name)

    return load
