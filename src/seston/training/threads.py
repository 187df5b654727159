"""How many threads a step should use: all cores, or one where other programs are at work.

On a busy machine the threads of one step wait for each other at every layer: two threads then take several times as
long as one. So a training by the clock tries both now and then on steps that it takes anyway, and keeps to the faster.
A training of so many epochs leaves torch's setting alone: it promises the same weights each time, and the number of
threads changes how sums are rounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ThreadChoice"]

_TRIES = 2
_AGAIN_AFTER = 150


@dataclass
class ThreadChoice:
    """Which number of threads the next step should use, learned from how long steps took."""

    choices: tuple[int, ...]
    """Numbers of threads to try, the first one first."""
    _times: dict[int, list[float]] = field(default_factory=dict)
    _kept: int = 0
    """Steps since the choice was made."""

    def threads(self) -> int:
        """Give the number of threads for the next step."""
        for choice in self.choices:
            if len(self._times.get(choice, ())) <= _TRIES:  # the first step with a number warms up and does not count
                return choice
        return min(self.choices, key=lambda choice: min(self._times[choice][1:]))

    def took(self, seconds: float) -> None:
        """Tell how long the step took; after many steps, all choices are tried again."""
        choice = self.threads()
        tried = self._times.setdefault(choice, [])
        if len(tried) <= _TRIES:
            tried.append(seconds)
            return
        self._kept += 1
        if self._kept >= _AGAIN_AFTER:
            self._kept = 0
            self._times.clear()
