"""Answers of a register, kept on disk so that nothing is asked twice."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from seston.errors import InputError

__all__ = ["AnswerCache"]

_TABLE = "CREATE TABLE IF NOT EXISTS answers (kind TEXT, key TEXT, answer TEXT, asked REAL, PRIMARY KEY (kind, key))"


class AnswerCache:
    """JSON answers by kind and key; an answer of *nothing found* is an answer, too.

    Raises
    ------
    InputError
        The file is there and is no cache, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=30)
            self._base.execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"{path}: the kept answers cannot be read or written ({error}); delete the file") from None

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def get(self, kind: str, key: str) -> Any:
        """Give an answer; None where there is none yet, or where what is kept is damaged."""
        found = self._base.execute("SELECT answer FROM answers WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        try:
            return json.loads(found[0]) if found else None
        except (ValueError, TypeError):
            return None

    def put(self, kind: str, answers: dict[str, Any]) -> None:
        """Keep answers; when this returns, the disk has them."""
        now = time.time()
        rows = [(kind, key, json.dumps(answer, ensure_ascii=False), now) for key, answer in answers.items()]
        with self._base:
            self._base.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)
