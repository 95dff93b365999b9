"""Text from outside, made safe to show."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import hostile
from warden.text import HIDDEN, clean, clip_middle

ANY_TEXT = st.text(st.characters())  # lone surrogates and unassigned code points too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("payments/api:1.42.0", "payments/api:1.42.0"),
        ("naïve → café", "naïve → café"),
        ("one\r\ntwo", "one two"),
        ("a\t\x0b\x0c\x1c\x85\u2028\u2029\u3000b", "a b"),
        ("a     b", "a b"),
        ("nul\x00byte", f"nul{HIDDEN}byte"),
        ("\x1b[31mred", f"{HIDDEN}[31mred"),
        ("\u202egnp.exe", f"{HIDDEN}gnp.exe"),
        ("\u2066x\u2069", f"{HIDDEN}x{HIDDEN}"),
        ("lat\u200best", f"lat{HIDDEN}est"),
        ("x\U000e0041\U000e0042", f"x{HIDDEN}"),
        ("x\u3164\u2800\u115f\U000e0100", f"x{HIDDEN}"),
        ("a\ud800b", f"a{HIDDEN}b"),
        ("\ue000", HIDDEN),
        ("\u26a0\ufe0f careful", "\u26a0 careful"),
        ("<!channel> & *b*", "<!channel> & *b*"),
        ("\uff1c!channel\uff1e", "\uff1c!channel\uff1e"),  # full-width look-alikes stay what they are
        ("e\u0301", "e\u0301"),
        ("Z" + "\u0351" * 40 + "algo", "Z\u0351\u0351algo"),
        ("\u0e01" + "\u0e47" * 40, "\u0e01\u0e47\u0e47"),
        ("", ""),
    ],
)
def test_what_a_reader_sees_is_what_is_there(text: str, shown: str) -> None:
    assert clean(text, 100) == shown


def test_names_that_differ_by_a_character_that_cant_be_seen_look_different() -> None:
    assert clean("latest", 20) != clean("lat\u200best", 20)


def test_text_that_fits_is_not_cut_and_one_character_more_is() -> None:
    assert clean("x" * 50, 50) == "x" * 50
    assert clean("x" * 51, 50) == "x" * 49 + "…"
    assert clean("x" * 5_000, 50) == "x" * 49 + "…"
    assert clean("é" * 50, 50) == "é" * 50
    assert clean("é" * 51, 50) == "é" * 49 + "…"


def test_nothing_but_the_ellipsis_is_left_in_the_room_of_one_character() -> None:
    assert clean("xx", 1) == "…"
    assert clip_middle("xx", 1) == "…"


def test_a_long_name_loses_its_middle_and_keeps_its_tag() -> None:
    name = clip_middle("very-long/" * 40 + "api:v1.42.0", 60)

    assert len(name) == 60
    assert name.startswith("very-long/")
    assert name.endswith("/api:v1.42.0")
    assert name.count("…") == 1


def test_a_name_that_fits_is_whole() -> None:
    assert clip_middle("x" * 60, 60) == "x" * 60


@pytest.mark.parametrize("cut", [clean, clip_middle])
@pytest.mark.parametrize("text", hostile.strings())
def test_no_hostile_string_leaves_anything_that_cant_be_seen(cut: object, text: str) -> None:
    assert callable(cut)
    assert_safe(cut(text, 80), 80)


@given(ANY_TEXT, st.integers(1, 60))
def test_no_text_at_all_leaves_anything_that_cant_be_seen(text: str, limit: int) -> None:
    assert_safe(clean(text, limit), limit)
    assert_safe(clip_middle(text, limit), limit)


@given(ANY_TEXT)
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    once = clean(text, 40)
    assert clean(once, 40) == once


@pytest.mark.parametrize("text", ["\u202e\n", "\u0301", "x"])
def test_a_long_text_takes_no_longer_than_its_length(text: str) -> None:
    """Ten times the text in ten times the time, give or take; were it tried again and again, it would be a hundred."""

    def seconds(count: int) -> float:
        began = time.process_time()
        clean(text * count, 80)
        return time.process_time() - began

    short = max(seconds(50_000), 0.001)
    assert seconds(500_000) < 40 * short


def assert_safe(shown: str, limit: int) -> None:
    assert len(shown) <= limit
    assert "  " not in shown
    shown.encode("utf-8")
    for character in shown:
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}, repr(character)
        assert character not in "\u034f\u115f\u1160\u3164\uffa0\u2800\ufe0f"
