"""How a long job says how far it is."""

from __future__ import annotations

import pytest

from seston.particle import TerminalProgress


def test_a_line_goes_to_stderr_every_thirty_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with TerminalProgress() as progress:
        progress.start("reading", 100)
        progress.advance(10)
        now = 31.0
        progress.advance(10)
        progress.advance(10)
        progress.finish()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["reading: 20 of 100 after 31 s"]


def test_a_note_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalProgress().note("[12] of a.csv")
    assert capsys.readouterr().err == "[12] of a.csv\n"
