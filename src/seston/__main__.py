"""``python -m seston`` is the command ``seston``."""

from __future__ import annotations

from seston.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
