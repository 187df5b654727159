"""Make timm importable where torchvision was compiled against another torch.

timm imports torchvision. On x86_64 Linux the package index's torchvision is built for a CUDA torch; beside a CPU torch
its compiled part does not load, and the module that registers shapes for the operators of that part raises
``RuntimeError: operator torchvision::nms does not exist`` (pytorch/vision issues 9077 and 9085). Everything that timm
takes from torchvision is plain Python, so an empty module in that one's place is enough. What stays broken:
``torchvision.io`` and ``torchvision.ops``, which Seston never uses.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from seston.errors import MissingExtraError

__all__ = ["import_timm", "mend_torchvision"]

_META = "torchvision._meta_registrations"


def import_timm() -> ModuleType:
    """Import timm, after mending torchvision where that is needed.

    Raises
    ------
    MissingExtraError
        timm is not installed.
    """
    mend_torchvision()
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        raise MissingExtraError("a timm tower", "towers") from error


def mend_torchvision() -> bool:
    """Import torchvision; where only its compiled part fails, import it without that part.

    Returns
    -------
    bool
        Whether the shim was needed. A matching pair of torch and torchvision is left as it is.
    """
    try:
        importlib.import_module("torchvision")
    except ModuleNotFoundError:
        return False
    except RuntimeError:
        for name in [name for name in sys.modules if name == "torchvision" or name.startswith("torchvision.")]:
            del sys.modules[name]
        sys.modules[_META] = ModuleType(_META)
        importlib.import_module("torchvision")
        return True
    return isinstance(sys.modules.get(_META), ModuleType) and not hasattr(sys.modules[_META], "__file__")
