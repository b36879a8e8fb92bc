"""Small recordings to run commands on."""

import pytest

from tocsin.cli.main import main
from tocsin.formats.recording import write_recording

from ..formats.conftest import platforms, plots, sensors
from .test_simulate_score import SCENARIO

# with half the scans, one aircraft and few false plots: bodies that part, debris, warnings up to the all-clear as
# before, in a third of the time
FEW_PLOTS = (
    SCENARIO.replace("scan_period_s = 2.0", "scan_period_s = 4.0")
    .replace("false_plots_per_scan = 3.0", "false_plots_per_scan = 1.0")
    .replace("count = 3", "count = 1")
)


@pytest.fixture
def small_recording(tmp_path):
    """Ten plots that make no track, one of them with an azimuth that cannot be."""
    folder = tmp_path / "small"
    write_recording(folder, sensors(), platforms(), plots(), csv=True)
    path = folder / "plots.csv"
    lines = path.read_text().splitlines()
    assert ",71.6197" in lines[3]
    lines[3] = lines[3].replace(",71.6197", ",400", 1).replace("243913529", "")
    path.write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def empty_recording(tmp_path):
    """Sensors, and nothing seen."""
    folder = tmp_path / "empty"
    write_recording(folder, sensors(), platforms(), plots(0))
    return folder


@pytest.fixture(scope="session")
def flown(tmp_path_factory):
    """A small simulated recording as CSV, of which tracks and warnings come."""
    folder = tmp_path_factory.mktemp("flown")
    (folder / "small.toml").write_text(FEW_PLOTS)
    assert (
        main(["simulate", str(folder / "small.toml"), "--seed", "5", "--csv", "--out", str(folder / "a")])
        == 0
    )
    return folder / "a"
