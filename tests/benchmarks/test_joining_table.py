"""Figures of the comparison of arms: paired with the right rival, and claimed only where they should be."""

from __future__ import annotations

import numpy as np
import pytest
from joining.table import lines_of, to_markdown


def test_gains_are_paired_over_seeds_and_fall_back_to_the_first_arm_that_answers() -> None:
    chance = np.random.default_rng(0)
    base = {seed: chance.random((2, 400)) < 0.5 for seed in range(3)}
    better = {seed: right | (chance.random((2, 400)) < 0.2) for seed, right in base.items()}
    answers = {"names": {"pairs": base, "more": better}, "texts": {"more": better, "some": {0: base[0]}}}
    lines = {(line.asked, line.arm): line for line in lines_of(answers, "pairs")}
    more = lines["names", "more"]
    truth = np.mean([better[seed] for seed in range(3)]) - np.mean([base[seed] for seed in range(3)])
    assert more.gain == pytest.approx(truth)
    assert more.gain_low > 0
    assert more.gain_high < lines["names", "more"].high - lines["names", "pairs"].low  # far closer than unpaired
    assert lines["names", "pairs"].against == ""
    some = lines["texts", "some"]
    assert (some.against, some.seeds) == ("more", 1)
    assert some.gain == pytest.approx(base[0].mean() - better[0].mean())
    level = list(lines_of({"names": {"pairs": base, "same": base}}, "pairs"))
    assert "≈" in to_markdown(level)
    assert "≈" not in to_markdown([more])
