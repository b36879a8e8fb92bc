"""Predictions as JSON, as GeoJSON and as a figure."""

import importlib.util
import itertools
import json
import math

import numpy as np
import pytest
from shapely.geometry import shape

from tocsin.errors import UsageError
from tocsin.formats.figure import plot
from tocsin.formats.given import Given
from tocsin.formats.predictions import lines, prediction_json, predictions_geojson
from tocsin.prediction.states import predict_state

from ..earth.flights import start
from ..prediction.decay_truth import over


def given(state, time_s=1777636800.0):
    return Given("one", time_s, state, None, None, None, None)


FALLING = start(47.0, 178.9, 80e3, 2500.0, 70.0, -25.0)
DOWN = predict_state(FALLING, origin="meteoroid")
UP = predict_state(start(0.0, 0.0, 400e3, 7180.0, 90.0, 0.0))
DECAYING = predict_state(over(10.0, 170.0, 150e3, 30.0), ballistic_coefficient=100.0)


def test_json_has_all_but_the_outlines():
    found = json.loads(json.dumps(prediction_json(given(FALLING), DOWN), allow_nan=False))
    assert found["status"] == 0
    assert found["time"] == "2026-05-01T12:00:00.000Z"
    assert [area["share"] for area in found["areas"]] == [0.5, 0.9, 0.99]
    assert found["areas"][2]["area_km2"] == pytest.approx(DOWN.areas_km2[2], rel=1e-5)
    assert found["lat_deg"] == pytest.approx(math.degrees(DOWN.latitude_rad), abs=1e-5)
    assert list(found["impact_after_quantiles_s"]) == [
        "0.005",
        "0.05",
        "0.25",
        "0.5",
        "0.75",
        "0.95",
        "0.995",
    ]
    assert [row["mass_kg"] for row in found["fall_line"]] == [0.01, 0.1, 1.0, 10.0, 100.0]
    assert sum(row["weight"] for row in found["flights"]) == pytest.approx(1.0, abs=1e-4)
    none = json.loads(json.dumps(prediction_json(given(FALLING, math.nan), UP), allow_nan=False))
    assert none["time"] is None
    assert "stays above" in none["sentence"]
    assert "areas" not in none


def test_geojson_has_areas_places_and_the_fall_line():
    document = json.loads(predictions_geojson([(given(FALLING), DOWN), (given(FALLING), UP)]))
    what = [feature["properties"]["what"] for feature in document["features"]]
    assert what == ["area"] * 3 + ["median"] + ["fall line"] * 5 + ["none"]
    for feature, area in zip(document["features"], DOWN.areas, strict=False):
        drawn = shape(feature["geometry"])
        assert drawn.is_valid
        assert drawn.symmetric_difference(area).area < 1e-2 * area.area
    assert document["features"][-1]["geometry"] is None
    assert document["features"][4]["properties"]["mass_kg"] == 0.01


def test_pieces_of_a_break_up():
    made = predict_state(FALLING, origin="breakup")
    found = json.loads(json.dumps(prediction_json(given(FALLING), made), allow_nan=False))
    assert [row["ballistic_coefficient_kg_m2"] for row in found["pieces"]] == [10, 30, 100, 300, 1000]
    document = json.loads(predictions_geojson([(given(FALLING), made)]))
    pieces = [one for one in document["features"] if one["properties"]["what"] == "piece"]
    assert [one["properties"]["after_s"] for one in pieces] == [row["after_s"] for row in found["pieces"]]
    axes = plot(made, Axes())
    assert next(args[0] for name, args, _ in axes.told if name == "annotate") == " 10 kg/m²"


class Axes:
    """Takes what a figure is told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *args, **more: self.told.append((name, args, more))


def test_a_figure_is_drawn_into_axes():
    axes = plot(DOWN, Axes())
    names = [name for name, _, _ in axes.told]
    assert names.count("fill") >= 3
    assert names.count("annotate") == 5
    # across the antimeridian longitudes go on
    east = np.concatenate([args[0] for name, args, _ in axes.told if name == "fill"])
    assert 179.0 < east.min() < east.max() < 182.0
    labels = [more["label"] for name, _, more in axes.told if name == "fill" and more["label"]]
    assert [label.split(":")[0] for label in labels] == ["99 %", "90 %", "50 %"]


def test_without_an_impact_or_a_library_there_is_no_figure():
    with pytest.raises(UsageError, match=r"there is no impact to draw\. It stays above"):
        plot(UP, Axes())
    if importlib.util.find_spec("matplotlib") is None:
        with pytest.raises(UsageError, match=r"pip install tocsin\[plot\]"):
            plot(DOWN)


def test_matplotlib_draws_it():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    assert plot(DOWN).get_xlabel() == "longitude, degrees"


def test_a_window_is_in_json_with_its_track():
    found = json.loads(json.dumps(prediction_json(given(FALLING), DECAYING), allow_nan=False))
    assert found["status"] == 9
    window = found["window"]
    assert window["entry_after_quantiles_s"]["0.5"] < window["impact_after_quantiles_s"]["0.5"]
    assert -80.0 < window["south_lat_deg"] < window["north_lat_deg"] < 80.0
    track = window["track"]
    assert sum(piece["chance"] for piece in track) == pytest.approx(0.99, abs=2e-3)
    assert all(piece["to"] == after["from"] for piece, after in itertools.pairwise(track))
    assert track[0]["from_after_s"] == pytest.approx(window["impact_after_quantiles_s"]["0.005"], abs=0.01)
    bare = prediction_json(given(FALLING, math.nan), DECAYING)["window"]["track"][0]
    assert bare["from"] is None


def test_a_track_is_lines_cut_at_the_antimeridian():
    document = json.loads(predictions_geojson([(given(FALLING), DECAYING)]))
    features = document["features"]
    assert {feature["properties"]["what"] for feature in features} == {"track"}
    assert len(features) == len(DECAYING.window.stretches)
    cut = 0
    for feature in features:
        drawn = shape(feature["geometry"])
        assert drawn.geom_type == "MultiLineString"
        cut += len(drawn.geoms) - 1
        for line in drawn.geoms:
            assert np.abs(np.diff(np.array(line.coords)[:, 0])).max() < 180.0
    assert cut == round(DECAYING.window.revolutions)  # each revolution meets the antimeridian once
    assert lines(np.radians([10.0, 20.0]), np.radians([170.0, -170.0])) == [
        [[170.0, 10.0], [180.0, 15.0]],
        [[-180.0, 15.0], [-170.0, 20.0]],
    ]
    assert lines(np.radians([10.0]), np.radians([-170.0])) == [[[-170.0, 10.0]]]


def test_a_window_is_drawn_as_its_track_the_likelier_the_darker():
    drawn = [(args, more) for name, args, more in plot(DECAYING, Axes()).told if name == "plot"]
    assert len(drawn) >= len(DECAYING.window.stretches)
    assert all(np.abs(np.diff(args[0])).max() < 180.0 for args, _ in drawn)
    depth = [more["alpha"] for _, more in drawn]
    assert max(depth) == pytest.approx(1.0)
    assert 0.05 <= min(depth) < 0.3
