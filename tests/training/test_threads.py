"""How many threads a step uses."""

from __future__ import annotations

from seston.training.threads import ThreadChoice


def _play(choice: ThreadChoice, seconds: dict[int, float], steps: int) -> list[int]:
    used = []
    for _ in range(steps):
        used.append(choice.threads())
        choice.took(seconds[used[-1]])
    return used


def test_the_faster_number_is_kept_after_a_few_tries_of_each() -> None:
    assert _play(ThreadChoice((2, 1)), {2: 1.5, 1: 0.4}, 20)[6:] == [1] * 14
    assert _play(ThreadChoice((2, 1)), {2: 0.3, 1: 0.4}, 20)[6:] == [2] * 14


def test_a_machine_that_becomes_quiet_is_noticed() -> None:
    choice = ThreadChoice((2, 1))
    _play(choice, {2: 1.5, 1: 0.4}, 20)
    assert _play(choice, {2: 0.2, 1: 0.4}, 300)[-1] == 2


def test_a_single_choice_is_no_choice() -> None:
    assert set(_play(ThreadChoice((1,)), {1: 1.0}, 400)) == {1}
