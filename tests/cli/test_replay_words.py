"""tocsin replay in other words: languages, own files, a time zone."""

from importlib import resources

import pytest

from tocsin.cli.main import main
from tocsin.formats.cap import read_cap

ENGLISH = resources.files("tocsin.warning").joinpath("data", "words", "en.toml")


def test_six_languages_in_own_words_and_local_time(tmp_path, flown):
    own = ENGLISH.read_text(encoding="utf-8").replace("Take cover now", "Down to the cellar")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "en.toml").write_text(own, encoding="utf-8")
    argv = [
        "replay",
        str(flown),
        "--out",
        str(tmp_path / "r"),
        "--latency",
        "0",
        "--languages",
        "en,uk,pl,de,fr,ar",
    ]
    assert main([*argv, "--words", str(tmp_path / "words"), "--time-zone", "Asia/Tehran"]) == 0
    messages = [read_cap(path.read_bytes()) for path in sorted((tmp_path / "r" / "alerts").glob("*.xml"))]
    assert messages
    for message in messages:
        assert [info.text.language for info in message.infos] == ["en", "uk", "pl", "de", "fr", "ar"]
        for info in message.infos:
            assert 0 < len(info.text.text_90) <= 90
            assert 0 < len(info.text.text_600) <= 600
    first = messages[0].infos[0].text
    assert first.headline.startswith("EXERCISE. Down to the cellar: ")
    assert "UTC+3:30" in first.headline
    page = (tmp_path / "r" / "map.html").read_text(encoding="utf-8")
    for language in ("pl", "de", "fr", "ar"):
        assert f'id="see-{language}"' in page


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--languages", "en,tlh", "languages 'en,tlh': 'tlh' has no words; there are ar, de, en, fr, pl, uk"),
        ("--time-zone", "Kyiv", "time zone 'Kyiv': not in the IANA database; write it as Europe/Kyiv"),
        ("--words", "absent", "absent: cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_read(capsys, tmp_path, option, value, why):
    out = tmp_path / "r"
    assert main(["replay", str(tmp_path / "nowhere"), "--out", str(out), option, value]) == 1
    assert capsys.readouterr().err == f"tocsin: {why}\n"
    assert not out.exists()
