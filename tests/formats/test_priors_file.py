"""Priors as a file: the shipped one is the default, and mistakes are told."""

import math

import pytest

from tocsin.errors import SettingsError
from tocsin.formats.priors_file import read_priors, shipped_priors
from tocsin.prediction.priors import PRIORS, Kind, Kinds, Priors, Release, Speed


def test_the_shipped_file_holds_every_prior_at_its_default():
    far = (Kind("far", 1.0, 1.0, 1.0),)
    base = Priors(Kinds(far, far, far, far), Release(0.1, 3, 99e3, (Speed(1.0, 1.0),)))
    read = read_priors(shipped_priors(), "priors.toml", base)
    assert read.release == PRIORS.release
    for ours, theirs in zip(read.kinds, PRIORS.kinds, strict=True):
        assert [kind.name for kind in ours] == [kind.name for kind in theirs]
        for a, b in zip(ours, theirs, strict=True):
            assert a[1:] == pytest.approx(b[1:], rel=1e-12)


def test_what_is_left_out_stays():
    read = read_priors("[release]\nchance = 0.25\n", "p.toml")
    assert read == Priors(PRIORS.kinds, Release(chance=0.25))
    assert read_priors("", "p.toml") == PRIORS
    own = read_priors(
        '[[child]]\nname = "tank"\nshare = 3\nballistic_coefficient_kg_m2 = 60\nln_sigma = 0.3\n'
        '[[child]]\nname = "none"\nshare = 0\nballistic_coefficient_kg_m2 = 60\nln_sigma = 0.3\n',
        "p.toml",
    )
    assert own.kinds.child == (Kind("tank", 1.0, math.log(60.0), 0.3),)
    assert own.kinds.whole == PRIORS.kinds.whole


ONE = 'name = "a"\nshare = 1\nballistic_coefficient_kg_m2 = 60\nln_sigma = 0.3\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[releases]\n", "p.toml: releases is not known; did you mean release?"),
        ("release = 3", "p.toml: [release] must be a table"),
        ("[release]\nchances = 0.5", "p.toml: [release] chances is not known; did you mean chance?"),
        ("[release]\nchance = 1.5", "[release] chance is 1.5, must be a number from 0 to 1"),
        ("[release]\nchance = true", "[release] chance is True, must be a number"),
        ("[release]\nmost_bodies = 2.5", "[release] most_bodies is 2.5, must be a whole number from 1 to 1000"),
        ("[release]\nspeed = 3", "[release] speed must be a list of 1 to 12 tables"),
        ("[release]\nspeed = []", "[release] speed must be a list of 1 to 12 tables"),
        ("[release]\nspeed = [{share = 1.0}]", "[release] speed[0] sigma_m_s is missing"),
        ("[release]\nspeed = [1]", "[release] speed[0] must be a table"),
        ("[release]\nspeed = [{share = 0, sigma_m_s = 1}]", "[release] speed: the shares are all 0"),
        ("[child]\n" + ONE, "p.toml: [[child]] must be a list of 1 to 12 tables"),
        ("[[child]]\nshare = 1", "[[child]] 1: name is '', must be a text"),
        ("[[child]]\n" + ONE + "sigma = 1", "[[child]] 1 (a): sigma is not known"),
        ("[[child]]\n" + ONE.replace("60", "0"), "ballistic_coefficient_kg_m2 is 0, must be a number from 1 to 1e+06"),
        ("[[whole]]\n" + ONE.replace("0.3", "nan"), "[[whole]] 1 (a): ln_sigma is nan"),
        ("[[child]", "p.toml: is not TOML"),
    ],
)  # fmt: skip
def test_mistakes_are_told(text, said):
    with pytest.raises(SettingsError) as error:
        read_priors(text, "p.toml")
    assert said in str(error.value)
