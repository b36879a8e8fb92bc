"""A drill cannot go out as live, nor a live warning as a drill."""

from __future__ import annotations

import pytest

from tests.warning.synthetic import NOON_S
from tocsin.errors import DataError, SettingsError
from tocsin.formats.authority import SENTENCE, read_authority
from tocsin.formats.cap import cap_xml, read_cap
from tocsin.formats.cap_rules import check_cap
from tocsin.formats.cap_status import DRILL_WORD, TEST_WORDS, contradictions, never_real
from tocsin.formats.signature import new_key, read_certificates, read_key, sign, verify
from tocsin.record import replay
from tocsin.warning.alert import DRILL_AUTHORITY, Authority, Text
from tocsin.warning.settings import Settings

LIVE = Authority("duty@centre.gov", "Warning centre", "https://centre.gov/", "112", live=True)
REAL = (
    Text(
        "en",
        "Falling objects",
        "Take cover now: Dnipro.",
        "Objects may fall here.",
        "Go indoors now.",
        "Dnipro",
    ),
    Text(
        "uk", "Падіння об’єктів", "Негайно в укриття: Дніпро.", "Можуть упасти об’єкти.", "Зайдіть.", "Дніпро"
    ),
)


def told(prefix: dict[str, str]) -> tuple[Text, ...]:
    """The real texts with a word before event, headline and description."""
    return tuple(
        text._replace(
            **{
                name: f"{prefix[text.language]}: {getattr(text, name)}"
                for name in ("event", "headline", "description", "text_90", "text_600")
            }
        )
        for text in REAL
    )


DRILL = told({language: word.upper() for language, word in DRILL_WORD.items()})
TEST = told({language: words[0].upper() for language, words in TEST_WORDS.items()})


@pytest.fixture
def real(messages):
    return messages[0]._replace(status="Actual", texts=REAL)


def test_a_live_message_names_who_sends_it(real):
    data = cap_xml(real, LIVE)
    assert check_cap(data) == []
    message = read_cap(data)
    assert (message.status, message.sender, message.note) == ("Actual", "duty@centre.gov", "")
    for tag, value in (("senderName", "Warning centre"), ("web", "https://centre.gov/"), ("contact", "112")):
        assert data.count(f"<{tag}>{value}</{tag}>".encode()) == len(REAL)


@pytest.mark.parametrize(("status", "texts"), [("Exercise", DRILL), ("Test", TEST)])
def test_drills_and_tests_say_so(real, status, texts):
    message = real._replace(status=status, texts=texts)
    assert check_cap(cap_xml(message)) == []
    assert check_cap(cap_xml(message, LIVE._replace(live=False))) == []  # a real sender may hold a drill
    assert read_cap(cap_xml(message)).note


@pytest.mark.parametrize(
    ("status", "texts", "authority", "why"),
    [
        ("Actual", REAL, DRILL_AUTHORITY, "no authority to send real warnings"),
        ("Actual", REAL, LIVE._replace(live=False), "no authority to send real warnings"),
        ("Actual", REAL, DRILL_AUTHORITY._replace(live=True), "can be no real sender"),
        ("Actual", DRILL, LIVE, "says exercise, but the status is Actual"),
        ("Actual", TEST, LIVE, "says test, but the status is Actual"),
        ("Actual", (REAL[0], DRILL[1]), LIVE, "info uk: event says навчання, but the status is Actual"),
        ("Exercise", DRILL, LIVE, "a drill needs a sender of its own"),
        ("Exercise", REAL, DRILL_AUTHORITY, "event does not say exercise"),
        ("Exercise", TEST, DRILL_AUTHORITY, "event does not say exercise"),
        ("Exercise", (DRILL[0], REAL[1]), DRILL_AUTHORITY, "info uk: event does not say навчання"),
        ("Test", DRILL, DRILL_AUTHORITY, "event does not say test"),
        ("Test", REAL, LIVE, "event does not say test"),
        ("Draft", DRILL, DRILL_AUTHORITY, "there are Exercise, Test and Actual"),
        ("System", REAL, LIVE, "there are Exercise, Test and Actual"),
        ("", DRILL, DRILL_AUTHORITY, "there are Exercise, Test and Actual"),
    ],
)
def test_a_drill_sent_as_live_is_refused_and_the_reverse(real, status, texts, authority, why):
    """Hawaii, 13 January 2018: a drill went out as live."""
    with pytest.raises(DataError, match=why):
        cap_xml(real._replace(status=status, texts=texts), authority)


@pytest.mark.parametrize("name", ["event", "headline", "description", "instruction"])
@pytest.mark.parametrize("word", [*DRILL_WORD.values(), "test", "TEST", "перевірка"])
def test_no_text_of_a_live_message_speaks_of_a_drill(name, word):
    wrong = REAL[1]._replace(**{name: f"{getattr(REAL[1], name)} ({word})"})
    found = contradictions("Actual", LIVE.sender, "", (REAL[0], wrong))
    assert found == [f"info uk: {name} says {word.lower()}, but the status is Actual"]


@pytest.mark.parametrize("name", ["event", "headline", "description"])
@pytest.mark.parametrize("language", DRILL_WORD)
def test_each_text_of_a_drill_says_so_in_each_language(name, language):
    said = DRILL_WORD[language].upper()
    text = Text(language, f"{said}: a", f"{said}: b", f"{said}: c", "d", "e")
    assert contradictions("Exercise", "a@b.invalid", "", (text,)) == []
    assert contradictions("Exercise", "a@b.invalid", "", (text._replace(**{name: "b"}),)) == [
        f"info {language}: {name} does not say {DRILL_WORD[language]}"
    ]


def test_the_name_of_a_place_stops_no_warning():
    place = "Test, Exercise Ground"
    text = REAL[0]._replace(
        headline="Take cover now: Exercise Ground.", description=f"Area: {place}.", area_description=place
    )
    assert contradictions("Actual", LIVE.sender, "", (text,)) == []
    assert contradictions("Actual", LIVE.sender, "", (text._replace(event="Exercise Ground"),)) != []


def test_words_that_only_hold_test_stop_no_warning():
    text = REAL[0]._replace(description="The latest area; the greatest danger is from noon.")
    assert contradictions("Actual", LIVE.sender, "", (text,)) == []


@pytest.mark.parametrize(
    "sender", ["a@b.invalid", "a@example.org", "a@x.example.COM", "localhost", "a@b.test."]
)
def test_senders_that_can_never_be_real(sender):
    assert never_real(sender)


def test_senders_that_can_be_real():
    assert not any(
        never_real(one) for one in ("duty@centre.gov", "a@contest.org", "2.49.0.0.276.0", "a@notexample.org")
    )


def test_a_replay_has_no_way_to_a_live_warning():
    with pytest.raises(SettingsError, match="no authority to send real warnings"):
        replay.start((), Settings(status="Actual"))


def test_a_certificate_for_drills_signs_no_live_message(real):
    private, certificate = new_key("Drill centre", NOON_S, 30.0)
    key, mine = read_key(private), read_certificates(certificate)[0]
    drill = cap_xml(real._replace(status="Exercise", texts=DRILL))
    assert verify(sign(drill, key, mine, NOON_S), [mine], NOON_S)
    with pytest.raises(DataError, match="for exercises only"):
        sign(cap_xml(real, LIVE), key, mine, NOON_S)


FILE = {"sender": LIVE.sender, "name": LIVE.name, "web": LIVE.web, "contact": LIVE.contact}


def written(folder, **keys: str):
    path = folder / "authority.toml"
    path.write_text("".join(f'{key} = "{value}"\n' for key, value in keys.items() if value is not None))
    return path


def test_an_authority_is_read(tmp_path):
    assert read_authority(written(tmp_path, **FILE, send_real_warnings=SENTENCE)) == LIVE
    assert read_authority(written(tmp_path, **FILE)) == LIVE._replace(live=False)
    assert read_authority(written(tmp_path, sender="drill@tocsin.invalid")) == Authority(
        "drill@tocsin.invalid"
    )


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"send_real_warnings": "yes"}, f"send_real_warnings is 'yes'; it says {SENTENCE!r}, or is left out"),
        ({"send_real_warnings": "no"}, "send_real_warnings is 'no'"),
        ({"send_real_warnings": SENTENCE, "sender": "a@b.invalid"}, "which can be no real sender"),
        ({"send_real_warnings": SENTENCE, "web": None}, "has no web, which a live warning needs"),
        ({"sender": None}, "sender is '', must be a name"),
        ({"sender": "a b"}, "sender is 'a b', must be a name"),
        ({"name": " "}, "name is ' ', must be a text"),
        ({"status": "Actual"}, "unknown key 'status'"),
    ],
)
def test_an_authority_that_says_otherwise_is_refused(tmp_path, keys, why):
    path = written(tmp_path, **{**FILE, **keys})
    with pytest.raises(SettingsError) as error:
        read_authority(path)
    assert str(error.value).startswith(f"{path}: ")
    assert why in str(error.value)


def test_an_authority_file_that_cannot_be_read(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_authority(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("sender = ")
    with pytest.raises(SettingsError, match="is not TOML"):
        read_authority(tmp_path / "bad.toml")
    (tmp_path / "bad.toml").write_text("send_real_warnings = true\nsender = 'a@centre.gov'\n")
    with pytest.raises(SettingsError, match="send_real_warnings is True, must be a text"):
        read_authority(tmp_path / "bad.toml")
