"""Numbers as programs and locales write them."""

from __future__ import annotations

import math
import re

__all__ = ["parse_number"]

_NOT_A_NUMBER = frozenset(
    {
        "",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "-nan",
        "null",
        "none",
        "nd",
        "n.d.",
        "n. def.",
        "non numérique",
        "-1.#ind",
        "1.#qnan",
    }
)
"""How a value that is none is written; the French one is .NET's."""
_INFINITE = {"+infini": math.inf, "infini": math.inf, "-infini": -math.inf, "∞": math.inf, "-∞": -math.inf}
_GROUPS = {
    ".": re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?"),
    ",": re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?"),
}
"""Decimal mark → a number whose thousands are parted by the other mark."""


def parse_number(text: str, decimal: str = "") -> float | None:
    """Turn one field into a number.

    Parameters
    ----------
    decimal
        The decimal mark, ``.`` or ``,``; empty: find out from the field. The other mark may stand between thousands,
        and only there.

    Returns
    -------
    float or None
        NaN for the words that mean "no number"; None for anything that is not a number at all.
    """
    plain = text.strip().strip('"').replace("\u00a0", "").replace("\u202f", "").replace("−", "-")
    if plain.lower() in _NOT_A_NUMBER:
        return math.nan
    if plain.lower() in _INFINITE:
        return _INFINITE[plain.lower()]
    if not decimal:
        decimal = "," if plain.rfind(",") > plain.rfind(".") else "."
    other = "." if decimal == "," else ","
    if other in plain:
        if not _GROUPS[decimal].fullmatch(plain):
            return None
        plain = plain.replace(other, "")
    if "_" in plain or " " in plain:
        return None
    try:
        return float(plain.replace(decimal, "."))
    except ValueError:
        return None
