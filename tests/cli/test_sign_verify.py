"""tocsin key, sign and verify, as a user meets them."""

import json
import os
import stat

import pytest
from cryptography import x509

from tests.warning.synthetic import NOON_S
from tocsin.cli import sign as command
from tocsin.cli.main import main
from tocsin.formats.cap import cap_sent, cap_xml
from tocsin.formats.signature import new_key, read_certificates, verify

from ..formats.conftest import messages  # noqa: F401


@pytest.fixture
def alerts(tmp_path, messages):  # noqa: F811
    """The first messages of a replay, one a file."""
    folder = tmp_path / "alerts"
    folder.mkdir()
    for number, message in enumerate(messages[:8], start=1):
        (folder / f"{number:04d}.xml").write_bytes(cap_xml(message))
    return sorted(folder.glob("*.xml"))


@pytest.fixture
def keys(tmp_path):
    """Options with a key that has been made."""
    folder = tmp_path / "keys"
    assert main(["key", str(folder)]) == 0
    return ["--key", str(folder / "key.pem"), "--certificate", str(folder / "certificate.pem")]


@pytest.fixture
def signed(tmp_path, alerts, keys, capsys):
    assert main(["sign", *map(str, alerts), *keys, "--out", str(tmp_path / "signed")]) == 0
    capsys.readouterr()
    return sorted((tmp_path / "signed").glob("*.xml"))


def test_a_key_is_made_once_and_is_private(tmp_path, capsys):
    folder = tmp_path / "keys"
    assert main(["key", str(folder), "--name", "Drill centre", "--days", "30"]) == 0
    said = capsys.readouterr().out
    assert f"Private key: {folder / 'key.pem'} (keep it to yourself)" in said
    assert "valid for 30 days" in said
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    certificate = read_certificates((folder / "certificate.pem").read_bytes())[0]
    assert certificate.subject.rfc4514_string() == "OU=exercises only,CN=Drill centre"
    before = (folder / "key.pem").read_bytes()
    assert main(["key", str(folder)]) == 1
    assert capsys.readouterr().err == (
        f"tocsin: {folder / 'key.pem'}: is there already; choose another folder, or move it away\n"
    )
    assert (folder / "key.pem").read_bytes() == before


def test_key_and_certificate_are_made_together_or_not_at_all(tmp_path, capsys, monkeypatch):
    (tmp_path / "certificate.pem").write_text("mine")
    assert main(["key", str(tmp_path)]) == 1
    assert "certificate.pem: is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["certificate.pem"]
    real = os.open

    def full(path, *args):
        if str(path).endswith("certificate.pem"):
            raise OSError(28, "No space left on device", str(path))
        return real(path, *args)

    monkeypatch.setattr(command.os, "open", full)
    folder = tmp_path / "new"
    assert main(["key", str(folder)]) == 1
    assert "certificate.pem: cannot be written (No space left on device)" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (["--days", "0"], 2, "--days is 0, must be from 1 to 3650"),
        (["--name", ""], 1, "name '' cannot stand in a certificate"),
        (["--name", "x" * 65], 1, "cannot stand in a certificate"),
    ],
)
def test_keys_that_cannot_be_made(tmp_path, capsys, options, code, why):
    assert main(["key", str(tmp_path / "keys"), *options]) == code
    assert why in capsys.readouterr().err
    assert not (tmp_path / "keys").exists()


def test_signed_and_verified(tmp_path, messages, alerts, signed, keys, capsys):  # noqa: F811
    assert [path.name for path in signed] == [path.name for path in alerts]
    assert main(["verify", *map(str, signed), *keys[2:]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(signed) + 1
    assert lines[0] == (
        f"good: {signed[0]}: Alert {messages[0].identifier}, Exercise, sent {cap_sent(messages[0].sent_s)},"
        " signed by OU=exercises only,CN=Tocsin drill"
    )
    assert lines[-1] == f"{len(signed)} good, 0 against the rules, 0 refused"
    assert not [path for path in (tmp_path / "signed").iterdir() if path not in signed]


def test_as_json(tmp_path, alerts, keys, capsys):
    capsys.readouterr()
    out = tmp_path / "out"
    assert main(["sign", *map(str, alerts), *keys, "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "signed": [str(out / path.name) for path in alerts],
        "signer": "OU=exercises only,CN=Tocsin drill",
    }
    assert main(["verify", str(out / "0001.xml"), str(alerts[0]), *keys[2:], "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"good": 1, "refused": 1}
    assert told["files"][0]["msgType"] == "Alert"
    assert told["files"][1] == {"file": str(alerts[0]), "verdict": "refused", "why": ["is not signed"]}
    assert main(["key", str(tmp_path / "more"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["days"] == 365


def test_what_is_wrong_is_told_a_line_a_file(tmp_path, alerts, signed, keys, capsys):
    changed = signed[1].read_bytes()
    signed[1].write_bytes(changed.replace(b"Extreme", b"Minor", 1))
    (tmp_path / "text.txt").write_text("hello")
    files = [signed[0], signed[1], alerts[2], tmp_path / "text.txt", tmp_path / "none.xml", signed[0]]
    assert main(["verify", *map(str, files), *keys[2:]]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("good: ")
    assert lines[1].startswith(f"REFUSED: {signed[1]}: the signature is not that of")
    assert lines[2] == f"REFUSED: {alerts[2]}: is not signed"
    assert lines[3].startswith(f"REFUSED: {tmp_path / 'text.txt'}: CAP: not well-formed XML")
    assert lines[4] == f"REFUSED: {tmp_path / 'none.xml'}: cannot be read (No such file or directory)"
    assert lines[5].startswith(f"BREAKS RULES: {signed[0]}: identifier")
    assert lines[6] == "1 good, 1 against the rules, 4 refused"


def test_one_file_alone_is_taken_by_itself(signed, keys, capsys):
    last = next(path for path in signed if b"<references>" in path.read_bytes())
    assert main(["verify", str(last), *keys[2:]]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["verify", str(last), str(last), *keys[2:]]) == 1
    assert "which was not sent before" in capsys.readouterr().out


def test_another_certificate_and_another_time(tmp_path, signed, keys, capsys):
    (tmp_path / "other.pem").write_bytes(new_key("Other", NOON_S, 30.0)[1])
    one = str(signed[0])
    assert main(["verify", one, "--certificate", str(tmp_path / "other.pem")]) == 1
    assert "not among the trusted ones (OU=exercises only,CN=Other)" in capsys.readouterr().out
    assert main(["verify", one, "--certificate", str(tmp_path / "other.pem"), *keys[2:]]) == 0
    assert main(["verify", one, *keys[2:], "--at", "2020-01-01T00:00:00Z"]) == 1
    assert "not valid before" in capsys.readouterr().out
    for wrong, why in (("soon", "must be a time"), ("2026-05-01T12:00:00", "without an offset")):
        assert main(["verify", one, *keys[2:], "--at", wrong]) == 2
        assert why in capsys.readouterr().err


def test_nothing_is_written_if_one_cannot_be_signed(tmp_path, alerts, keys, capsys):
    good = alerts[3].read_bytes()
    out = tmp_path / "out"
    for content, why in (
        (good.replace(b"<urgency>Immediate", b"<urgency>Past", 1), "urgency is Past"),
        (good.replace(b"Exercise<", b"Actual<", 1), "can be no real sender"),
        (b"", "not well-formed XML"),
    ):
        alerts[3].write_bytes(content)
        assert main(["sign", *map(str, alerts), *keys, "--out", str(out)]) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"tocsin: {alerts[3]}: ")
        assert why in error
        assert not out.exists()


def test_originals_are_not_overwritten(tmp_path, alerts, keys, capsys):
    assert main(["sign", str(alerts[0]), *keys, "--out", str(alerts[0].parent)]) == 2
    assert f"would overwrite {alerts[0]}" in capsys.readouterr().err
    (tmp_path / "more").mkdir()
    other = tmp_path / "more" / alerts[0].name
    other.write_bytes(alerts[0].read_bytes())
    assert main(["sign", str(alerts[0]), str(other), *keys, "--out", str(tmp_path / "out")]) == 2
    assert "would both be written to" in capsys.readouterr().err


def test_keys_that_cannot_be_used_are_named(tmp_path, alerts, keys, capsys):
    (tmp_path / "no.pem").write_text("no key")
    new = new_key("Other", NOON_S, 30.0)
    (tmp_path / "other.pem").write_bytes(new[1])
    for options, why in (
        (["--key", str(tmp_path / "no.pem"), *keys[2:]], f"{tmp_path / 'no.pem'}: is no private key in PEM"),
        ([*keys[:2], "--certificate", keys[1]], f"{keys[1]}: holds no certificate in PEM"),
        ([*keys[:2], "--certificate", str(tmp_path / "other.pem")], "is not of this private key"),
        (["--key", str(tmp_path / "none"), *keys[2:]], f"{tmp_path / 'none'}: cannot be read"),
    ):
        assert main(["sign", str(alerts[0]), *options, "--out", str(tmp_path / "out")]) == 1
        assert why in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="no modes of files")
def test_a_key_that_others_can_read_is_warned_of(tmp_path, alerts, keys, capsys):
    os.chmod(keys[1], 0o644)
    assert main(["sign", str(alerts[0]), *keys, "--out", str(tmp_path / "out")]) == 0
    assert "others can read this private key" in capsys.readouterr().err


def test_a_second_run_signs_anew(tmp_path, alerts, signed, keys):
    before = signed[0].read_bytes()
    assert main(["sign", *map(str, alerts), *keys, "--out", str(tmp_path / "signed")]) == 0
    after = signed[0].read_bytes()
    trusted = x509.load_pem_x509_certificates((tmp_path / "keys" / "certificate.pem").read_bytes())
    at_s = trusted[0].not_valid_before_utc.timestamp() + 60.0
    assert after != before
    assert verify(after, trusted, at_s).content == verify(before, trusted, at_s).content
