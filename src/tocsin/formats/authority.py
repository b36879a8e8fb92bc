"""Who sends messages, from a TOML file: the only way to a live warning.

```toml
sender = "duty@warning.example.org"     # CAP: sender
name = "Warning centre of Example"      # CAP: senderName
web = "https://warning.example.org/"    # CAP: web
contact = "duty@warning.example.org"    # CAP: contact
send_real_warnings = "yes, to the public"   # for a live system only; leave it out for drills
```
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tocsin.errors import SettingsError
from tocsin.formats.cap_status import never_real
from tocsin.warning.alert import Authority

KEYS = ("sender", "name", "web", "contact", "send_real_warnings")
SENTENCE = "yes, to the public"


def read_authority(path: str | Path) -> Authority:
    """Who sends, and whether to the public. Raises SettingsError that names file, key and value."""
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML ({error})") from error
    for key, value in given.items():
        if key not in KEYS:
            raise SettingsError(f"{path}: unknown key {key!r}; there are {', '.join(KEYS)}")
        if not isinstance(value, str) or not value.strip():
            raise SettingsError(f"{path}: {key} is {value!r}, must be a text")
    sender = given.get("sender", "")
    if not re.fullmatch(r"[^\s,<&]+", sender):
        raise SettingsError(f"{path}: sender is {sender!r}, must be a name without spaces, commas, < and &")
    live = "send_real_warnings" in given
    if live and given["send_real_warnings"] != SENTENCE:
        raise SettingsError(
            f"{path}: send_real_warnings is {given['send_real_warnings']!r}; it says {SENTENCE!r}, or is left out"
        )
    if live and never_real(sender):
        raise SettingsError(
            f"{path}: sender is {sender!r}, which can be no real sender: no live warning goes out"
        )
    missing = [key for key in KEYS[1:4] if key not in given] if live else []
    if missing:
        raise SettingsError(f"{path}: has no {missing[0]}, which a live warning needs")
    return Authority(sender, given.get("name", ""), given.get("web", ""), given.get("contact", ""), live=live)
