"""Scenarios: what is shipped reads, and every fault is named with its place and limit."""

import datetime
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import SettingsError
from tocsin.simulation.scenario import parse_scenario, read_scenario, shipped
from tocsin.simulation.table import Spread

ROOT = Path(__file__).parents[2]
SENSOR = """
[[sensor]]
id = "radar-1"
kind = "radar"
latitude_deg = 10.0
longitude_deg = 20.0
height_m = 5.0
sigma = { range_m = 30.0, azimuth_deg = 0.1, elevation_deg = 0.1, range_rate_m_s = 8.0 }
detection_probability = 0.9
false_plots_per_scan = 8.0
scan_period_s = 5.0
field_of_view = { range_m = [60e3, 1500e3], azimuth_deg = [300.0, 60.0], elevation_deg = [2.0, 85.0], RATE }
""".replace("RATE", "range_rate_m_s = [-8000.0, 8000.0]")
LAUNCH = """
[[launch]]
name = "a"
latitude_deg = 12.0
longitude_deg = 20.0
after_s = 10.0
heading_deg = [170.0, 190.0]
burn_s = 60.0
burnout_speed_m_s = 1500.0
burnout_elevation_deg = 45.0
ballistic_coefficient_kg_m2 = 4000.0
"""
HEAD = 'name = "x"\ntitle = "x"\nstart = 2026-01-01T00:00:00Z\n'
GOOD = HEAD + LAUNCH + SENSOR


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_scenarios_read(name):
    scenario = read_scenario(name)
    assert scenario.name == name
    assert scenario.sensors


def test_the_families_are_shipped():
    families = {"single", "short-salvo", "launch-failure", "reentry", "fireball", "quiet", "degraded"}
    assert families | {"dnipro-2024"} <= set(shipped())


def test_values_arrive_in_si():
    scenario = parse_scenario(GOOD, "x.toml")
    assert scenario.start_s == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
    assert scenario.launches[0].heading_deg == Spread(170.0, 190.0)
    radar = scenario.sensors[0]
    assert radar.sigma == pytest.approx([30.0, np.radians(0.1), np.radians(0.1), 8.0])
    assert radar.timing == "sector"
    assert radar.bias_sigma == pytest.approx(0.0)


def test_a_file_reads_like_its_text(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert str(read_scenario(path)) == str(parse_scenario(GOOD))  # arrays compare by element


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("latitude_deg = 12.0", "latitude_deg = 120.0", ["launch[0].latitude_deg", "120", "-90 to 90"]),
        ("burn_s = 60.0\n", "", ["launch[0].burn_s", "missing"]),
        ("burn_s = 60.0", "burn_s = [70.0, 60.0]", ["launch[0].burn_s", "[70.0, 60.0]", "larger"]),
        ("burn_s = 60.0", "burn_s = nan", ["launch[0].burn_s", "nan"]),
        ("burn_s = 60.0", "burn_s = true", ["launch[0].burn_s", "True"]),
        ("burn_s = 60.0", "burns = 60.0", ["burn_s", "missing"]),
        ("burn_s = 60.0", "burn_s = 60.0\ntarget = 3", ["launch[0].target", "not a known key"]),
        ('kind = "radar"', 'kind = "sonar"', ["sensor[0].kind", "'sonar'", "radar, optical, infrared"]),
        ("range_m = 30.0", "range_m = 0.0", ["sensor[0].sigma.range_m", "0.0"]),
        ("elevation_deg = [2.0, 85.0]", "elevation_deg = [85.0, 2.0]", ["field_of_view.elevation_deg", "85"]),
        ("range_m = [60e3, 1500e3], ", "", ["sensor[0].field_of_view.range_m", "missing"]),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00", ["start", "zone"]),
        ("[[sensor]]", "[[sensors]]", ["sensors", "not a known key"]),
        ('name = "x"', 'name = "x', ["not TOML", "line 1"]),
        ("height_m = 5.0", "height_m = 5.0\noutages_s = [[20.0, 10.0]]", ["outages_s[0]", "[20.0, 10.0]"]),
        ("height_m = 5.0", 'height_m = 5.0\nlights = ["sun"]', ["lights", "plume"]),
    ],
)
def test_a_fault_is_named(old, new, words):
    assert old in GOOD
    with pytest.raises(SettingsError) as caught:
        parse_scenario(GOOD.replace(old, new), "my.toml")
    message = str(caught.value)
    assert message.startswith("my.toml: ")
    for word in words:
        assert word in message


def test_two_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="radar-1"):
        parse_scenario(GOOD + SENSOR)


def test_something_must_end_it():
    with pytest.raises(SettingsError, match="duration_s"):
        parse_scenario(HEAD + SENSOR)


def test_an_unknown_name_tells_the_known_ones():
    with pytest.raises(SettingsError, match=r"nowhere.*dnipro-2024"):
        read_scenario("nowhere")


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(0, 2**32))
def test_a_draw_stays_within_its_limits(low, width, seed):
    value = Spread(low, low + width).draw(np.random.default_rng(seed))
    assert low <= value <= low + width


def test_every_key_is_documented():
    page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    source = (ROOT / "src" / "tocsin" / "simulation" / "scenario.py").read_text(encoding="utf-8")
    keys = set(re.findall(r"\b(?:number|spread|count|flag|text|time_s|table|tables|get)\(\"(\w+)\"", source))
    assert len(keys) > 50
    missing = sorted(
        key for key in keys if f"`{key}`" not in page and f"[{key}]" not in page and f".{key}]" not in page
    )
    assert missing == []
