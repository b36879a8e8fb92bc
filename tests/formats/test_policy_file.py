"""The policy as a file: the shipped one is the default, and mistakes are told."""

import pytest

from tocsin.errors import SettingsError
from tocsin.formats.policy_file import LIMITS, read_policy, shipped_policy
from tocsin.warning.settings import Settings


def test_the_shipped_file_holds_every_setting_at_its_default():
    far = Settings(**{key: low for table in LIMITS.values() for key, (low, _) in table.items()})
    assert read_policy(shipped_policy(), "policy.toml", far) == Settings()


def test_every_setting_stands_in_the_file_but_what_a_replay_says_itself():
    keys = {key for table in LIMITS.values() for key in table}
    assert set(Settings._fields) - keys == {"status", "languages"}


def test_what_is_left_out_stays():
    settings = read_policy("[decide]\ncost_loss_per_km2 = 3e-4\n", "p.toml")
    assert settings == Settings(cost_loss_per_km2=3e-4)
    assert read_policy("", "p.toml") == Settings()
    assert isinstance(read_policy("[end]\nsigmas = 2", "p.toml").sigmas, float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("decide = 3", "p.toml: decide is not known"),
        ("[decid]\n", "p.toml: decid is not known; did you mean decide?"),
        ("[decide]\ncost_loss = 1e-4", "[decide] cost_loss is not known; did you mean cost_loss_per_km2?"),
        ("[decide]\nhold = 1.5", "[decide] hold is 1.5, must be a number from 0 to 0.9999"),
        ("[decide]\nhold = true", "[decide] hold is True, must be a number"),
        ("[decide]\nforecasts = 2.0", "[decide] forecasts is 2.0, must be a whole number from 1 to 20"),
        ("[decide]\nprepare_public = 1", "[decide] prepare_public is 1, must be true or false"),
        ("[decide]\nhold = nan", "[decide] hold is nan"),
        ("[change]\nurgent_interval_s = 30", "urgent_interval_s is 30, must be at most interval_s, 20"),
        ("[decide", "p.toml: is not TOML"),
    ],
)
def test_mistakes_are_told(text, said):
    with pytest.raises(SettingsError) as error:
        read_policy(text, "p.toml")
    assert said in str(error.value)
