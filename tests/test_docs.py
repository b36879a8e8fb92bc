"""The documentation says what is, and its examples run."""

import importlib.util
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not beside the tests")


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(*parts):
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def test_every_command_and_option_is_in_the_reference():
    reference = load(ROOT / "scripts" / "cli_reference.py").reference()
    assert text_of("docs", "cli.md") == reference, "out of date: run scripts/cli_reference.py"


def test_every_option_in_the_how_to_exists():
    commands = load(ROOT / "scripts" / "cli_reference.py").commands()
    for page in ("how-to.md", "index.md", "prediction.md"):
        for name, rest in re.findall(r"^ *tocsin (\w+)(.*)$", text_of("docs", page), re.MULTILINE):
            options = {option for action in commands[name]._actions for option in action.option_strings}
            assert set(re.findall(r"--[a-z-]+", rest)) <= options, f"{page}: tocsin {name}{rest}"


def test_columns_and_properties_of_the_contract_are_documented():
    from tocsin.formats.results import STATE
    from tocsin.formats.sensors import QUANTITIES

    page = text_of("docs", "recording.md")
    for word in (
        *QUANTITIES,
        *STATE,
        "received",
        "height_m",
        "snr_db",
        "bias_sigma",
        "detection_probability",
        "scan_period_s",
    ):
        assert word in page


def test_limits_in_the_contract_are_those_of_the_code():
    from tocsin.formats import recording, sensors

    page = text_of("docs", "recording.md")
    assert f"up to {recording.PLATFORM_MARGIN_S:g} s\noutside" in page
    assert f"more than {recording.MAX_FROM_MEDIAN_S / 86400:g} days" in page
    assert f"more than {recording.MAX_EARLY_S:g} s before" in page
    assert recording.MAX_LATE_S == 3600.0 and "more than an hour after" in page  # noqa: PT018
    assert f"{recording.MIN_REPORTED_M:,.0f} to {recording.MAX_REPORTED_M:,.0f}" in page
    assert f"±{sensors.MAX_RANGE_RATE_M_S:,.0f}" in page
    assert "at most 5e8" in page and sensors.MAX_RANGE_M == 5e8  # noqa: PT018


def test_every_page_is_in_the_contents():
    nav = text_of("mkdocs.yml")
    decisions = text_of("docs", "decisions", "README.md")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).as_posix()
        listed = decisions if name.startswith("decisions/") and page.name != "README.md" else nav
        assert page.name in listed, f"{name} is in no list of contents"


def test_links_between_pages_lead_somewhere():
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


@pytest.mark.acceptance
def test_the_examples_of_the_how_to_run(tmp_path):
    blocks = re.findall(r"^```sh run\n(.*?)^```", text_of("docs", "how-to.md"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    script = "set -eux\n" + "\n".join(blocks)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "results" / "map.html").stat().st_size > 100_000
    assert (tmp_path / "summary.json").read_text().startswith("{")


def test_the_examples_of_motion_run(capsys):
    blocks = re.findall(r"^```python run\n(.*?)^```", text_of("docs", "motion.md"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    names = {}
    for block in blocks:
        exec(compile(block, "motion.md", "exec"), names)  # noqa: S102
    said = capsys.readouterr().out
    assert "had not reached its end within the longest time" in said
    assert "(1, 7, 9)" in said
    assert "True" in said


def test_the_examples_of_prediction_run(capsys, monkeypatch):
    class Axes:
        def __getattr__(self, name):
            return lambda *args, **more: None

    # what is drawn is another test's; matplotlib need not be installed
    pyplot = types.SimpleNamespace(subplots=lambda: (None, Axes()))
    monkeypatch.setitem(sys.modules, "matplotlib", types.SimpleNamespace(pyplot=pyplot))
    blocks = re.findall(
        r"^```python run\n(.*?)^```", text_of("docs", "prediction.md"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 6
    assert len(blocks[1].split("\n\n")[-1].splitlines()) <= 3
    names = {}
    for block in blocks:
        exec(compile(block, "prediction.md", "exec"), names)  # noqa: S102
    said = capsys.readouterr().out
    assert "It comes down." in said
    assert "0.99 Polygon" in said


def test_nothing_names_the_place_where_it_was_made():
    # the rules of the project: no paths of a build machine, no addresses of package registries
    words = re.compile(r"/(?:work|root|tmp)/|/opt/wheels|pypi\.org|pythonhosted|registry\.npmjs")
    pages = [
        *DOCS.rglob("*.md"),
        *ROOT.glob("*.md"),
        *ROOT.glob("requirements*.txt"),
        ROOT / "pyproject.toml",
    ]
    found = [str(page) for page in pages if words.search(page.read_text(encoding="utf-8"))]
    assert found == []
