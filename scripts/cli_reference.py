"""Write docs/cli.md from the command line itself, in a form that no version of argparse changes."""

import argparse
from pathlib import Path

from tocsin.cli.main import parser

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
INTRO = """\
# Commands

<!-- written by scripts/cli_reference.py; do not edit -->

Exit codes: 0 done (with a warning on stderr where rows were skipped), 1 the data cannot be used, 2 the
call is wrong, 130 interrupted. Progress bars go to stderr and are silent where it is no terminal.

`tocsin --help` lists the commands, `tocsin COMMAND --help` says what is below, `tocsin --version` the
version.
"""


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    (found,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return found.choices


def reference() -> str:
    """The text of the page."""
    parts = [INTRO]
    for name, command in commands().items():
        parts.append(f"## tocsin {name}\n\n{command.description}\n")
        parts.append("| argument | meaning |\n| --- | --- |\n" + "".join(map(_row, _arguments(command))))
        parts.append(f"```text\n{(command.epilog or '').strip()}\n```\n")
    return "\n".join(parts)


def _arguments(command: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in command._actions if not isinstance(action, argparse._HelpAction)]


def _row(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar)
    names = ", ".join(f"`{option} {value}`".replace(" `", "`") for option in action.option_strings)
    needed = " Needed." if action.option_strings and action.required else ""
    return f"| {names or f'`{value}`'} | {action.help}.{needed} |\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
