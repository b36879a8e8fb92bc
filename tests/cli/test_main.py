"""The command line: help, exit codes, and one clear line where something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tocsin import __version__
from tocsin.cli.main import main

COMMANDS = ("demo", "simulate", "replay", "score", "inspect", "zones", "convert")
RUN = (sys.executable, "-m", "tocsin.cli.main")


def stopped(*argv):
    """The exit code of a call that argparse ends."""
    with pytest.raises(SystemExit) as caught:
        main(argv)
    return caught.value.code


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(capsys, command):
    assert stopped(command, "--help") == 0
    text = capsys.readouterr().out
    assert "example" in text
    assert f"tocsin {command} " in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_names_all_commands_and_the_purpose(capsys):
    assert stopped("--help") == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n    {command} " in text
    assert "It warns people and does nothing else" in text


def test_version(capsys):
    assert stopped("--version") == 0
    assert capsys.readouterr().out == f"tocsin {__version__}\n"


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("fly",),
        ("replay",),
        ("replay", "here"),
        ("replay", "here", "--out", "there", "--speed", "fast"),
        ("convert", "--out", "there"),
    ],
)
def test_a_wrong_call_is_2(capsys, argv):
    assert stopped(*argv) == 2
    assert "usage: tocsin" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--speed", "0"), ("--speed", "-1"), ("--speed", "nan"), ("--latency", "-1"), ("--latency", "1e9")],
)
def test_a_value_that_makes_no_sense_is_2_and_says_the_limit(capsys, option, value):
    assert main(["replay", "here", "--out", "there", f"{option}={value}"]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"tocsin: replay: {option} is ")
    assert "must be" in line


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys\nfrom tocsin.cli.main import parser\nparser().format_help()\n"
        "print(sorted({'numpy', 'numba', 'scipy', 'pyarrow', 'shapely', 'lxml', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    took = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([*RUN, "--help"], stdout=subprocess.DEVNULL, check=True)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.3  # the limit that we promise


def test_a_reader_that_has_had_enough_is_no_error(tmp_path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*RUN, "simulate", "--list"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def heed_interrupts():
    """Where the tests run in the background, a shell has told them and their children to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted_after(wait_s, command):
    """Exit code and words of a command that gets a Ctrl-C after a while."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)
    time.sleep(wait_s)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        said = "went on"
    finally:
        process.kill()
        process.wait()
    return process.returncode, said


def test_ctrl_c_ends_quietly_and_leaves_no_results(tmp_path, flown):
    results = tmp_path / "results"
    command = [*RUN, "replay", str(flown), "--out", str(results), "--speed", "0.0001"]  # busy for days
    # modules that are being loaded may swallow it, and a busy machine takes its time to load them
    for wait_s in (2.0, 6.0, 15.0):
        code, said = interrupted_after(wait_s, command)
        assert not results.exists()
        if code == 130:
            break
    assert (code, said) == (130, "tocsin: interrupted\n")


def test_json_on_stdout_is_json_alone(capsys, tmp_path, small_recording):
    assert (
        main(["replay", str(small_recording), "--out", str(tmp_path / "r"), "--latency", "0", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["counts"]["rejected"] == 1
