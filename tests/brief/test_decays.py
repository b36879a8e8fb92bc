"""The section of the account on orbits that decay."""

from tocsin.brief.compose import document
from tocsin.brief.document import Heading, Paragraph, Table
from tocsin.brief.html import html
from tocsin.brief.page_decays import decays
from tocsin.cli.brief import gather
from tocsin.formats.windows import FILE, windows_parquet

from ..decaying import told
from .made import results


def test_windows_stand_in_the_account_with_how_they_narrowed(tmp_path):
    folder = results(tmp_path)
    without = gather(folder, None)
    assert decays(without) == []
    (folder / FILE).write_bytes(windows_parquet(told()))
    evidence = gather(folder, None)
    heading, text, first, second = decays(evidence)
    assert heading == Heading(1, "Orbits that decay")
    assert isinstance(text, Paragraph)
    said = " ".join(fact.text for fact in text.facts)
    assert (
        "T00003 was on an orbit that decays. By the last window, of 01:30:00, it would come down some time"
        in said
    )
    assert "its time has passed" in said
    assert "Nobody was told of a window" in said
    assert isinstance(first, Table)
    assert isinstance(second, Table)
    assert [row[1].text for row in first.rows] == ["1", "2"]
    assert [row[1].text for row in second.rows] == ["1"]
    assert any(source.name == FILE for source in evidence.sources)
    page = html(document(evidence))
    assert "Orbits that decay" in page
    assert "Orbits that decay" not in html(document(without))


def test_of_many_windows_the_first_and_the_newest_are_shown(tmp_path):
    folder = results(tmp_path)
    one = told()[0]
    many = [one._replace(passes=k + 1) for k in range(30)]
    (folder / FILE).write_bytes(windows_parquet(many))
    table = decays(gather(folder, None))[-1]
    assert [row[1].text for row in table.rows] == ["1", *map(str, range(22, 31))]
    assert "20" in table.note
