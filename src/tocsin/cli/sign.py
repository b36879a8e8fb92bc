"""tocsin sign: put a signature on CAP messages. tocsin key: make a key to sign drills with."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tocsin.cli.output import example, warn
from tocsin.errors import DataError, UsageError

if TYPE_CHECKING:
    from tocsin.formats.cap import CapMessage

MAX_DAYS = 3650
Read = TypeVar("Read")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "sign",
        help="put a signature on CAP messages",
        description="Sign CAP messages (XML signature, ECDSA over P-256 with SHA-256) at delivery. Each is held\n"
        "against the rules first; where several are given, in the order sent. If one cannot be\n"
        "signed, nothing is written. Serve the signed files byte for byte: printing them anew\n"
        "breaks the signature.",
        epilog=example(
            "tocsin key keys",
            "tocsin sign results/alerts/*.xml --key keys/key.pem --certificate keys/certificate.pem --out signed",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("alert", metavar="ALERT", nargs="+", type=Path, help="CAP message, not signed yet")
    parser.add_argument("--key", metavar="FILE", type=Path, required=True, help="private key (PEM)")
    parser.add_argument(
        "--certificate", metavar="FILE", type=Path, required=True, help="certificate of that key (PEM)"
    )
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, required=True, help="folder to write, under the same names"
    )
    parser.add_argument("--json", action="store_true", help="print what was signed as JSON")
    parser.set_defaults(run=run)


def add_key_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that makes keys to the command line."""
    parser = commands.add_parser(
        "key",
        help="make a private key and a certificate to sign drills with",
        description="Make FOLDER/key.pem, which only you can read, and FOLDER/certificate.pem, which those who\n"
        "verify need. Files that are there are left alone. The certificate is for exercises: no live\n"
        "message can be signed under it.",
        epilog=example("tocsin key keys", 'tocsin key keys --name "Warning centre of Example"'),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder to write")
    parser.add_argument("--name", default="Tocsin drill", help="who signs, for people (Tocsin drill)")
    parser.add_argument(
        "--days", metavar="N", type=int, default=365, help="how long the certificate holds (365)"
    )
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    parser.set_defaults(run=run_key)


def run(args: argparse.Namespace) -> int:
    """Sign, and say where."""
    from tocsin.formats.cap import read_cap
    from tocsin.formats.cap_rules import check_cap
    from tocsin.formats.files import staged
    from tocsin.formats.signature import read_certificates, read_key, sign, signer

    key = read_pem(args.key, read_key)
    if os.name == "posix" and args.key.stat().st_mode & 0o077:
        warn(f"{args.key}: others can read this private key; chmod 600 it")
    certificate = read_pem(args.certificate, read_certificates)[0]
    _check_names(args.alert, args.out)
    signed: list[tuple[str, bytes]] = []
    earlier: list[CapMessage] = []
    for path in args.alert:
        data = file_bytes(path)
        # one message alone says nothing of those before it
        problems = check_cap(data, earlier if len(args.alert) > 1 else None)
        if problems:
            raise DataError(f"{path}: {problems[0]}")
        earlier.append(read_cap(data))
        try:
            signed.append((path.name, sign(data, key, certificate, time.time())))
        except DataError as why:
            raise DataError(f"{path}: {why}") from None
    with staged(args.out, ()) as out:
        for name, data in signed:
            out.write(name, data)
    if args.json:
        files = [str(args.out / name) for name, _ in signed]
        print(json.dumps({"signed": files, "signer": signer(certificate)}, indent=1))
        return 0
    many = f"{len(signed)} messages" if len(signed) > 1 else "1 message"
    print(f"Signed {many} as {signer(certificate)}. Written to {args.out}")
    return 0


def run_key(args: argparse.Namespace) -> int:
    """Make key and certificate, both or neither."""
    from tocsin.formats.signature import new_key

    if not 1 <= args.days <= MAX_DAYS:
        raise UsageError(f"key: --days is {args.days}, must be from 1 to {MAX_DAYS}")
    private, certificate = new_key(args.name, time.time(), args.days)
    key_path, certificate_path = args.folder / "key.pem", args.folder / "certificate.pem"
    for path in (key_path, certificate_path):
        if path.exists() or path.is_symlink():
            raise DataError(f"{path}: is there already; choose another folder, or move it away")
    made: list[Path] = []
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        for path, content, mode in ((key_path, private, 0o600), (certificate_path, certificate, 0o644)):
            # O_EXCL: never over a file, even one that came between
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                made.append(path)
                file.write(content)
    except OSError as error:
        for path in made:
            with suppress(OSError):
                path.unlink()
        raise DataError(f"{error.filename or args.folder}: cannot be written ({error.strerror})") from error
    if args.json:
        print(json.dumps({"key": str(key_path), "certificate": str(certificate_path), "days": args.days}))
        return 0
    print(f"Private key: {key_path} (keep it to yourself)")
    print(f"Certificate: {certificate_path} (give it to those who verify), valid for {args.days} days")
    return 0


def _check_names(paths: list[Path], folder: Path) -> None:
    """Signed files must not come over each other, nor over what they are made of."""
    seen: dict[str, Path] = {}
    for path in paths:
        if path.name in seen:
            raise UsageError(
                f"sign: {seen[path.name]} and {path} would both be written to {folder / path.name}"
            )
        seen[path.name] = path
        if (folder / path.name).resolve() == path.resolve():
            raise UsageError(f"sign: --out {folder} would overwrite {path}; choose another folder")


def file_bytes(path: Path) -> bytes:
    """What a file holds. Raises DataError that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def read_pem(path: Path, reader: Callable[[bytes], Read]) -> Read:
    """What a reader makes of a file. Raises DataError that names it."""
    content = file_bytes(path)
    try:
        return reader(content)
    except DataError as why:
        raise DataError(f"{path}: {why}") from None
