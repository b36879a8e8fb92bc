"""The command line: ``tocsin COMMAND``.

Exit codes: 0 done (with a warning on stderr where rows were skipped), 1 the data cannot
be used, 2 the call itself is wrong; 130 interrupted by Ctrl-C, as shells count it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tocsin import __version__
from tocsin.cli import (
    brief,
    calibrate,
    convert,
    demo,
    inspect,
    policy,
    predict,
    replay,
    score,
    sign,
    simulate,
    verify,
    zones,
)
from tocsin.cli.output import example
from tocsin.errors import RefusedError, TocsinError, UsageError


def parser() -> argparse.ArgumentParser:
    """The parser of all commands. Nothing heavy is imported for it."""
    top = argparse.ArgumentParser(
        prog="tocsin",
        description="Early warning for things that fall from the sky: from the plots of radars, cameras\n"
        "and satellites to tracks, impact areas, public warnings and a map.\n"
        "It warns people and does nothing else. Every message it writes is an exercise.",
        epilog=example("tocsin demo") + "\n\nMore about a command: tocsin COMMAND --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"tocsin {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (
        demo,
        simulate,
        replay,
        brief,
        predict,
        inspect,
        score,
        policy,
        zones,
        calibrate,
        convert,
        sign,
        verify,
    ):
        module.add_parser(commands)
    sign.add_key_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        args = parser().parse_args(argv)
        code: int = args.run(args)
        sys.stdout.flush()
    except RefusedError as error:
        return [_fail(problem, 1) for problem in str(error).splitlines()][-1]
    except TocsinError as error:
        return _fail(str(error), 2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:  # the reader has had enough, as in "tocsin score ... | head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", 1)
    return code


def _fail(text: str, code: int) -> int:
    print(f"tocsin: {' '.join(text.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
