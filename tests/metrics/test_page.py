"""The examples of the page on yardsticks run and say what the page says."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")
def test_the_examples_run(capsys):
    names = {}
    for block in re.findall(r"^```python run\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S):
        exec(compile(block, "metrics.md", "exec"), names)  # noqa: S102
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("12251.1")
    assert lines[0].endswith("90000.0 1 2")
    assert lines[1:3] == ["True", "3.0"]
    assert len(lines) == 4
