from __future__ import annotations

import pytest

from seston.collections.licences import is_allowed, strictest, terms_of
from seston.errors import UsageError


@pytest.mark.parametrize(
    ("licence", "commercial", "attribution"),
    [
        ("CC0-1.0", True, True),
        ("CC-BY-4.0", True, True),
        ("MIT", True, True),
        ("CC-BY-SA-4.0", True, False),
        ("CC-BY-NC-4.0", False, False),
        ("CC-BY-NC-SA-4.0", False, False),
        ("CC-BY-ND-4.0", True, False),
        ("unknown", False, False),
        ("some licence", False, False),
    ],
)
def test_a_licence_allows_what_its_text_allows(licence: str, *, commercial: bool, attribution: bool) -> None:
    assert is_allowed(licence, "commercial") == commercial
    assert is_allowed(licence, "attribution") == attribution
    assert is_allowed(licence, "any")


def test_non_commercial_and_share_alike_together_leave_no_single_licence() -> None:
    assert "No single licence can exist" in strictest(["CC-BY-NC-4.0", "CC-BY-SA-4.0"])
    assert "No single licence" not in strictest(["CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"])
    assert "No single licence" not in strictest(["CC-BY-4.0", "CC0-1.0"])


def test_what_is_not_known_is_said() -> None:
    assert "unknown" in strictest(["CC0-1.0", "unknown"])
    assert terms_of("unknown") is None


def test_a_wrong_filter_gets_the_nearest_word() -> None:
    with pytest.raises(UsageError, match="did you mean 'commercial'"):
        is_allowed("MIT", "comercial")  # type: ignore[arg-type]
