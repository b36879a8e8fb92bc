"""A message keeps within its bytes, however many languages, footprints and predecessors it has."""

from __future__ import annotations

import pytest

from tests.warning.synthetic import NOON_S, WORDS, forecast, replay
from tocsin.formats.cap import cap_xml
from tocsin.warning.settings import MESSAGE_BYTES, Settings, corners_left

SIX = ("en", "uk", "pl", "de", "fr", "ar")


def many(count, seconds):
    """Bodies in a loose heap, no two at the same distance, whose first arrival comes sooner and sooner."""

    def make(t):
        return [
            forecast(
                str(k), NOON_S + t, NOON_S + 1500.0 - 7.0 * t, 48.45 + 0.11 * (k % 7) + 0.004 * k,
                35.05 + 0.21 * (k // 7) + 0.009 * (k % 5) ** 2, area_km2=15.0,
            )
            for k in range(count)
        ]  # fmt: skip

    return [(NOON_S + t, make(t)) for t in range(seconds)]


@pytest.mark.parametrize("languages", [SIX[:2], SIX, ("uk", "ar")], ids="-".join)
@pytest.mark.parametrize("count", [1, 40])
def test_a_message_keeps_within_its_bytes(gazetteer, languages, count):
    settings = Settings(languages=languages)
    messages = replay(many(count, 30), gazetteer, settings)[1]
    assert max(len(message.references) for message in messages) >= 5
    assert max(len(cap_xml(message)) for message in messages) <= MESSAGE_BYTES


@pytest.mark.parametrize("lat_deg", [0.0, 60.0, 82.0, -89.5])
@pytest.mark.parametrize("count", [1, 12])
def test_large_areas_do_so_too(gazetteer, lat_deg, count):
    """Their long edges take corners of their own on a map."""

    def make(t):
        return [
            forecast(
                str(k), NOON_S + t, NOON_S + 1500.0, lat_deg, 35.0 + 8.0 * k, area_km2=20_000.0 + 900.0 * (t % 3),
                ratio=12.0, existence=1.0,
            )
            for k in range(count)
        ]  # fmt: skip

    settings = Settings(languages=SIX, cost_loss_per_km2=1e-7)
    messages = replay([(NOON_S + t, make(t)) for t in range(0, 100, 5)], gazetteer, settings)[1]
    assert max(footprint.polygon.area for one in messages for footprint in one.footprints) > 1.0
    assert max(len(cap_xml(message)) for message in messages) <= MESSAGE_BYTES


def test_languages_and_references_take_room():
    assert corners_left(Settings(), 0) == Settings().message_corners
    room = [corners_left(Settings(languages=SIX[:n]), 0) for n in range(1, 7)]
    assert room == sorted(room, reverse=True)
    assert corners_left(Settings(languages=SIX), 10) < corners_left(Settings(languages=SIX), 0)
    # there is always room for two footprints
    assert corners_left(Settings(languages=SIX), 1000) == 16


def test_all_languages_that_are_shipped_are_written_here():
    assert set(SIX) == set(WORDS.languages)
