"""A program that a test starts, and kills: ``python export_killing.py DATA TO``."""

from __future__ import annotations

import sys
from pathlib import Path

from seston.interchange import export_huggingface
from seston.interchange.export_folder import ExportFolder


def main(data: Path, to: Path) -> None:
    finish = ExportFolder.finish_shard

    def say(self: ExportFolder, name: str, *, part: str, position: int, particles: int) -> None:
        finish(self, name, part=part, position=position, particles=particles)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()

    ExportFolder.finish_shard = say  # type: ignore[method-assign]
    export_huggingface(data, to, shard_mb=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
