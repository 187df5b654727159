"""Which particles make which batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seston.training.batches import Plan


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 700), st.integers(2, 300), st.integers(0, 5))
def test_an_epoch_holds_each_particle_once_in_parts_of_nearly_equal_size(
    particles: int, batch: int, epoch: int
) -> None:
    plan = Plan(particles, batch, seed=3)
    first = epoch * plan.batches_per_epoch
    parts = [plan.rows(first + place) for place in range(plan.batches_per_epoch)]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(particles))
    sizes = [len(part) for part in parts]
    assert max(sizes) <= batch
    assert max(sizes) - min(sizes) <= 1


@settings(deadline=None, max_examples=50)
@given(st.integers(4, 200), st.integers(2, 64), st.integers(1, 4), st.integers(0, 20))
def test_the_shares_of_all_processes_are_the_batch_of_one(
    particles: int, batch: int, processes: int, number: int
) -> None:
    alone = Plan(particles, batch, seed=1).rows(number)
    shares = [Plan(particles, batch, 1, rank, processes).share(number) for rank in range(processes)]
    assert np.array_equal(np.concatenate(shares), alone)


def test_epochs_and_seeds_differ_in_their_order() -> None:
    plan = Plan(100, 100, seed=0)
    assert not np.array_equal(plan.rows(0), plan.rows(1))
    assert not np.array_equal(plan.rows(0), Plan(100, 100, seed=1).rows(0))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=200), st.integers(0, 3))
def test_particles_come_as_often_as_their_weights_say_to_the_nearest_whole_number(
    weights: list[float], epoch: int
) -> None:
    particles = len(weights)
    plan = Plan(particles, 16, seed=2, weights=np.array(weights))
    drawn = np.concatenate([plan.rows(epoch * plan.batches_per_epoch + m) for m in range(plan.batches_per_epoch)])
    times = np.bincount(drawn, minlength=particles)
    wanted = particles * np.array(weights) / np.sum(weights)
    assert len(drawn) == particles
    assert (np.abs(times - wanted) < 1 + 1e-6).all()
