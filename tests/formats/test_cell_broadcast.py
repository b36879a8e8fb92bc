"""Pages of cell broadcast, counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.formats.cell_broadcast import GSM, GSM_TWICE, in_gsm, pages


def test_the_alphabet_has_its_128_places():
    assert len(GSM) == 127  # and the escape, which leads to the others
    assert len(GSM_TWICE) == 10


@pytest.mark.parametrize(
    ("text", "gsm", "count"),
    [
        ("", True, 1),
        ("a" * 93, True, 1),
        ("a" * 94, True, 2),
        ("Übung in Köln: à é è ß Ø", True, 1),
        ("€" * 46, True, 1),  # two places each
        ("€" * 47, True, 2),
        ("a" * 92 + "[", True, 2),
        ("ê", False, 1),  # French has letters that the alphabet has not
        ("’", False, 1),
        ("ł" * 40, False, 1),
        ("ł" * 41, False, 2),
        ("Україна" * 6, False, 2),  # 42 letters
        ("تدريب" * 24, False, 3),  # 120 letters
        ("\U0001d11e" * 20, False, 1),  # beyond the first plane: two units each
        ("\U0001d11e" * 21, False, 2),
        ("a" * 40 + "ш", False, 2),
    ],
)
def test_pages(text, gsm, count):
    assert in_gsm(text) is gsm
    assert pages(text) == count


@given(st.text(max_size=90))
def test_what_has_90_units_has_three_pages_in_any_script(text):
    if len(text.encode("utf-16-le")) <= 180:
        assert pages(text) <= 3


@given(st.text(max_size=200), st.text(max_size=20))
def test_more_text_is_never_fewer_pages(text, more):
    assert pages(text + more) >= pages(text)
