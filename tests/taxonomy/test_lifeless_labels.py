"""Which labels show no organism."""

from __future__ import annotations

from seston.taxonomy import non_plankton


def test_detritus_faults_and_lifeless_things_are_found_and_doubtful_ones_are_not() -> None:
    labels = ["Copepoda", "detritus", "bubble", "fiber<detritus", "other", "Ceratium", "detritus"]
    assert non_plankton(labels) == ["bubble", "detritus", "fiber<detritus"]
