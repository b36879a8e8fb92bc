"""What the main line must show on the seven sample recordings.

Speed is measured by benchmarks/replay_speed.py, where nothing else runs; here it has only a bound
that no machine should miss by chance.
"""

import json
import warnings

import numpy as np
import pytest
from lxml import etree

from tocsin.cli.main import main
from tocsin.formats.cap_rules import check_cap

from .conftest import SHARED

RECORDINGS = (
    "degraded-16",
    "dnipro-2024",
    "fireball-14",
    "launch-failure-13",
    "quiet-15",
    "short-salvo-12",
    "single-irbm-11",
)
EVERY = pytest.mark.parametrize("name", RECORDINGS)
LEAD_S = 180.0  # warned at least 3 minutes before impact
PEAK_BYTES = 1e9
LAST_S = 60.0  # before impact: when each body must have its own track


@EVERY
def test_it_replays_without_complaint(replayed, name):
    done = replayed(name)
    assert done.errors == ""
    assert done.summary["counts"]["rejected"] == 0
    assert done.summary["counts"]["plots"] > 0
    # sanity alone: slower than it happened would be no use to anyone; the promise is 10 times as fast
    assert done.summary["timing"]["times_real_time"] > 1.0


@EVERY
def test_memory_is_bounded(replayed, name):
    assert replayed(name).peak_bytes < PEAK_BYTES


@EVERY
def test_the_referee_reads_it_and_finds_no_fault(scored, name):
    found = scored(name)
    assert found["warning"]["cap_problem_list"] == []
    assert found["warning"]["cap_problems"] == 0
    assert found["warning"]["without_end"] == 0
    assert found["warning"]["warned_before_first_true_plot"] == 0
    assert found["tracking"]["bad_covariances"] == 0
    assert found["summary_json"] is True


@EVERY
def test_messages_are_valid_and_come_to_an_end(replayed, name):
    schema = etree.XMLSchema(etree.parse(SHARED / "standards" / "CAP-v1.2.xsd"))
    earlier, last = [], {}
    for file, data, message in replayed(name).cap():
        schema.assertValid(etree.fromstring(data))
        assert check_cap(data, earlier) == [], file  # order, references, closed rings in lat,lon order, texts
        assert message.status == "Exercise"
        earlier.append(message)
        last |= dict.fromkeys(message.incidents, message)
    for incident, message in last.items():
        ended = message.kind == "Cancel" or (
            message.kind == "Update" and all(info.response == ("AllClear",) for info in message.infos)
        )
        assert ended, f"{incident} ends with {message.kind} {message.identifier}"
    assert bool(earlier) == (name != "quiet-15")


def test_a_fireball_gives_the_same_bytes_twice(replayed, tmp_path):
    """By a process of its own, and by this one."""
    done = replayed("fireball-14")
    assert main(["replay", str(done.recording), "--out", str(tmp_path), "--latency", "0"]) == 0
    found = files(done.results)
    assert found == files(tmp_path)
    alerts = [name for name in found if name.startswith("alerts/")]
    assert alerts
    for name in alerts:
        assert f'href="{name}"'.encode() in found["feed.xml"]


def files(folder):
    """Name and bytes of each file of results, the times of the computer left out."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    summary = json.loads(found["summary.json"])
    del summary["timing"]
    return found | {"summary.json": summary}


def test_dnipro_every_body_is_warned_of_in_time(scored):
    leads_s = {
        one["object"]: one["lead_1000_s"]
        for one in scored("dnipro-2024")["warning"]["impacts"]
        if one["kind"] == "body"
    }
    assert len(leads_s) == 6
    assert {name: lead_s for name, lead_s in leads_s.items() if lead_s < LEAD_S} == {}


def test_dnipro_every_body_has_a_track_of_its_own(replayed, referee):
    done = replayed("dnipro-2024")
    recording = referee.Recording(str(done.recording))
    rows = referee.read(
        str(done.results),
        "tracks",
        ["time", "track", "phase", *referee.STATE, "covariance"],
        ["time"],
        exts=("parquet",),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, object_of = referee.tracking(recording, rows, 1.0)
    own = {}  # body -> the tracks that the referee took for it in its last minute, the latest last
    for impact in recording.impacts:
        if impact["kind"] == "body":
            near = (rows["time"] >= impact["time"] - LAST_S) & (rows["time"] <= impact["time"])
            order = np.flatnonzero(near)[np.argsort(rows["time"][near], kind="stable")]
            own[impact["object"]] = [
                rows["track"][i]
                for i in order
                if object_of(rows["track"][i], rows["time"][i]) == impact["object"]
            ]
    assert len(own) == 6
    assert [name for name, tracks in own.items() if not tracks] == []
    assert len({tracks[-1] for tracks in own.values()}) == 6


def test_quiet_sky_gives_no_alert(replayed):
    done = replayed("quiet-15")
    assert done.cap() == []
    assert done.summary["counts"]["tracks"] > 0
    assert done.summary["counts"]["incidents"] == 0


def test_single_body_area_a_minute_before_holds_the_impact(scored):
    row = scored("single-irbm-11")["prediction"]["before_impact"]["60"]
    assert row["objects"] == row["of"] == 1
    assert row["inside_area"] == 1.0
