"""What was issued before a moment does not change when the plots received after it are taken away."""

import shutil

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from .conftest import SHARED, replay


def received(table):
    """When each plot was received; the moment of measurement where that is not said."""
    if "received" not in table.column_names:
        return table["time"]
    return pc.coalesce(table["received"], table["time"])


def issued_by(done, moment):
    """Forecasts and warnings (name and bytes) issued by a moment."""
    table = pq.read_table(done.results / "predictions.parquet")
    rows = table.filter(pc.less_equal(table["issued"], moment)).to_pylist()
    # sent is rounded up to a whole second, so what passes here was decided by the moment
    sent = [(name, data) for name, data, cap in done.cap() if cap.sent_s <= moment.timestamp()]
    return rows, sent


@pytest.mark.parametrize("name", ["dnipro-2024", "degraded-16"])
def test_the_past_does_not_hang_on_the_future(replayed, tmp_path, name):
    whole = replayed(name)
    source = SHARED / "recordings" / name
    plots = pq.read_table(source / "plots.parquet")
    at = received(plots)
    spread = np.sort(at.to_numpy())
    warned = 0
    for share in (0.35, 0.6, 0.85):
        moment = at[int(np.argsort(at.to_numpy(), kind="stable")[int(share * (len(spread) - 1))])].as_py()
        cut = tmp_path / f"{share}" / name
        shutil.copytree(
            source, cut, ignore=shutil.ignore_patterns("plots.*", "truth.*", "impacts.*", "oracle.*")
        )
        pq.write_table(plots.filter(pc.less_equal(at, moment)), cut / "plots.parquet")
        part = replay(cut, tmp_path / f"{share}" / "results")
        assert part.summary["counts"]["plots"] < whole.summary["counts"]["plots"]
        rows, sent = issued_by(whole, moment)
        again, sent_again = issued_by(part, moment)
        assert rows
        assert again == rows
        assert sent_again == sent
        warned += len(sent)
    assert warned
