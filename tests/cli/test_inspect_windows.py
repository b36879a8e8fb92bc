"""What inspect says of orbits that decay."""

from tocsin.cli.inspect_windows import MOST, decay_lines, decays

from ..decaying import told


def test_windows_in_words_and_as_values():
    found = decays(told())
    assert [one["body"] for one in found["windows"]] == ["T00003", "T00003", "T00008", "T00003"]
    first, second, _, end = found["windows"]
    assert first["down_05"] < first["down_50"]
    assert second["tracks"] == ["T00003", "T00005"]
    assert second["passes"] == 2
    assert end["down_50"] is None
    assert end["ended"]
    lines = decay_lines(found)
    assert lines[0] == "Orbit of T00003 that decays (its 2 tracks: T00003, T00005), windows for operators"
    assert any(line.startswith("Orbit of T00008 that decays (seen once)") for line in lines)
    assert "That is not a warning." in " ".join(" ".join(lines).split())
    assert all(len(line) <= 100 for line in lines)


def test_nothing_is_said_where_nothing_decays():
    assert decays(()) == {}
    assert decay_lines({"tracks": []}) == []


def test_the_newest_of_many_are_shown():
    many = [told()[0]] * (MOST + 5)
    assert "  5 earlier ones left out" in decay_lines(decays(many))
