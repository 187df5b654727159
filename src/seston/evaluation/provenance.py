"""Where figures come from: command, version, machine and time."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import seston
from seston.cores import core_count

__all__ = ["Provenance", "provenance"]

_PACKAGES = ("numpy", "scikit-learn", "torch", "pylance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What one has to know to make the same figures again."""

    command: str
    version: str
    commit: str
    """Commit of the source tree, with ``+`` where it has changes; empty for an installed package."""
    machine: str
    packages: str
    time: str
    data: str
    data_version: int | None = None
    model: str = ""
    seed: int = 0


def provenance(
    *, data: str, data_version: int | None = None, model: str = "", seed: int = 0, command: str | None = None
) -> Provenance:
    """Note down what is running where.

    Parameters
    ----------
    command
        What the user called; by default the command line of this process.
    """
    return Provenance(
        command=command or _command(),
        version=seston.__version__,
        commit=_commit(),
        machine=_machine(),
        packages=", ".join([f"Python {platform.python_version()}", *_versions()]),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        data=data,
        data_version=data_version,
        model=model,
        seed=seed,
    )


def _command() -> str:
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return " ".join(["seston" if program in ("seston", "__main__.py") else program, *sys.argv[1:]])


def _commit() -> str:
    """Ask git, where the package lies in a source tree."""
    root = Path(seston.__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    ask = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"]
    try:
        return subprocess.run(ask, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _machine() -> str:
    return f"{_processor()}, {core_count()} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")


def _versions() -> list[str]:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found
