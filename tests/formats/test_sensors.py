"""sensors.geojson: every way to get it wrong has its own sentence."""

import json

import numpy as np
import pytest

from tocsin.errors import DataError
from tocsin.formats.sensors import read_sensors, sensors_text

from .conftest import sensors


def refuses(path, *words):
    with pytest.raises(DataError) as caught:
        read_sensors(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("geometry", None, "geometry must be an object, not null"),
        ("geometry.type", "Polygon", 'geometry.type is "Polygon", must be Point'),
        ("geometry.coordinates", [29.6, 49.3], "must be [lon, lat, height_m]"),
        (
            "geometry.coordinates",
            [190, 49.3, 0],
            "[0] (lon) is 190, must be a number at least -180 and at most 180",
        ),
        ("geometry.coordinates", [29.6, -91, 0], "[1] (lat) is -91"),
        ("geometry.coordinates", [29.6, 49, "high"], '[2] (height_m) is "high"'),
        ("geometry.coordinates", [29.6, 49, -5000], "(height_m) is -5000, must be a number at least -1000"),
        ("properties", [], "properties must be an object"),
        ("properties.id", "", 'properties.id is ""'),
        ("properties.id", 7, "properties.id is 7"),
        ("properties.id", "ir-1", "id 'ir-1' is there twice"),
        ("properties.kind", "sonar", '(radar-1).kind is "sonar", must be one of radar, optical, infrared'),
        ("properties.kind", ["radar"], "kind is"),
        ("properties.kind", "optical", "kind optical measures azimuth_deg and elevation_deg"),
        ("properties.sigma", None, "sigma must be an object"),
        ("properties.sigma", {}, "measures nothing"),
        ("properties.sigma.range_m", 0, "sigma.range_m is 0, must be a number above 0"),
        ("properties.sigma.range_m", True, "sigma.range_m is true"),
        ("properties.sigma.azimuth_deg", 90, "at most 36"),
        ("properties.sigma.elevation_deg", float("nan"), "sigma.elevation_deg is NaN"),
        ("properties.sigma.azimuth_rad", 0.1, "azimuth_rad is not a quantity; known are range_m"),
        ("properties.detection_probability", 1.5, "detection_probability is 1.5, must be a number above 0"),
        ("properties.detection_probability", 0, "detection_probability is 0"),
        ("properties.false_plots_per_scan", -1, "false_plots_per_scan is -1"),
        ("properties.false_plots_per_scan", float("inf"), "false_plots_per_scan is Infinity"),
        ("properties.scan_period_s", 0, "scan_period_s is 0"),
        ("properties.scan_period_s", None, "scan_period_s is null"),
        ("properties.field_of_view", 5, "field_of_view must be an object"),
        ("properties.field_of_view.range_m", 5, "field_of_view.range_m is 5, must be [min, max]"),
        ("properties.field_of_view.range_m", [9, 2], "its first value must be the smaller one"),
        ("properties.field_of_view.range_m", [-1, 2], "range_m[0] is -1"),
        ("properties.field_of_view.elevation_deg", [2, 95], "elevation_deg[1] is 95"),
        ("properties.field_of_view.azimuth_deg", [2, 361], "azimuth_deg[1] is 361"),
        ("properties.bias_sigma", {"range_m": -1}, "bias_sigma.range_m is -1"),
    ],
)
def test_names_feature_property_value_and_limit(folder, spoil_sensor, path, value, words):
    def change(feature):
        *way, last = path.split(".")
        for step in way:
            feature = feature[step]
        feature[last] = value

    spoil_sensor(change)
    refuses(folder / "sensors.geojson", "features[", words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON (line 1, column 1"),
        ('{"type": "FeatureCollection",\n "features": [}', "is not JSON (line 2, column 15"),
        ("[]", "is not a GeoJSON FeatureCollection"),
        ('{"type": "Feature"}', "is not a GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection"}', "features must be a list, not null"),
        ('{"type": "FeatureCollection", "features": []}', "has no sensors"),
        ('{"type": "FeatureCollection", "features": [3]}', "features[0] must be an object, not 3"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_refuses_what_is_no_collection_of_features(tmp_path, text, words):
    path = tmp_path / "sensors.geojson"
    path.write_text(text)
    refuses(path, words)


def test_refuses_what_is_no_text(tmp_path):
    path = tmp_path / "sensors.geojson"
    path.write_bytes(b'{"type": "\xff"}')
    refuses(path, "is not UTF-8 text")


def test_an_azimuth_interval_may_wrap_and_a_byte_order_mark_may_lead(tmp_path):
    radar = sensors()[0]
    view = radar.field_of_view.copy()
    view[1] = np.radians([276.73, 36.73])
    path = tmp_path / "sensors.geojson"
    path.write_text("\ufeff" + sensors_text([radar._replace(field_of_view=view)]))
    np.testing.assert_allclose(read_sensors(path)[0].field_of_view[1], view[1])
    assert json.loads(sensors_text([radar._replace(field_of_view=view)]))["features"][0]["properties"][
        "field_of_view"
    ]["azimuth_deg"] == [276.73, 36.73]
