"""Settings of a site."""

from __future__ import annotations

import pytest

from machemu.site.settings import SiteSettings


def test_suite_number_is_the_one_frames_carry() -> None:
    assert [SiteSettings(suite).suite_number for suite in ("none", "paper", "modern")] == [0, 1, 2]


@pytest.mark.parametrize("settings", [
    {"suite": "modern", "paper_ids": True},
    {"suite": "modern", "broadcast_answers": True},
    {"suite": "modern", "announce_origin": True},
    {"suite": "none", "associations": 0},
    {"suite": "none", "associations": 257},
    {"suite": "best"},
])
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, object]) -> None:
    blamed = next((key for key in settings if key != "suite"), "suite")
    with pytest.raises(ValueError, match=f"^{blamed}: "):
        SiteSettings(**settings)  # type: ignore[arg-type]
