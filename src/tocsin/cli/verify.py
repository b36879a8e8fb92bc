"""tocsin verify: who signed CAP messages, whether they are as they were signed, and by the rules."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.cli.output import example
from tocsin.errors import DataError, UsageError

if TYPE_CHECKING:
    from cryptography import x509

    from tocsin.formats.cap import CapMessage

SAID = {"good": "good", "breaks rules": "against the rules", "refused": "refused"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "verify",
        help="check signatures and rules of signed CAP messages",
        description="Say of each signed CAP message, a line a file, whether one of the given certificates vouches\n"
        "for it, it is byte for byte as it was signed, and it keeps the rules. Give the files in\n"
        "the order sent: where there are several, references and order are checked too. Only what a\n"
        "certificate vouches for counts as sent before.\n"
        "Exit code 0 if all are good, else 1.",
        epilog=example(
            "tocsin verify signed/*.xml --certificate keys/certificate.pem",
            "tocsin verify old.xml --certificate keys/certificate.pem --at 2026-05-01T12:00:00Z",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", nargs="+", type=Path, help="signed CAP message")
    parser.add_argument(
        "--certificate",
        metavar="FILE",
        type=Path,
        action="append",
        required=True,
        help="trusted certificates (PEM); again for more files",
    )
    parser.add_argument("--at", metavar="TIME", help="when the certificate must hold (now)")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify, a line a file."""
    from tocsin.cli.sign import read_pem
    from tocsin.formats.signature import read_certificates

    at_s = time.time() if args.at is None else _seconds(args.at)
    trusted = [one for path in args.certificate for one in read_pem(path, read_certificates)]
    earlier: list[CapMessage] | None = [] if len(args.file) > 1 else None
    found = []
    for path in args.file:
        found.append(_verdict(path, trusted, at_s, earlier))
        if not args.json:
            print(_line(found[-1]))
    counts = Counter(one["verdict"] for one in found)
    if args.json:
        print(json.dumps({"files": found, "counts": counts}, indent=1))
    elif len(found) > 1:
        print(", ".join(f"{counts[verdict]} {said}" for verdict, said in SAID.items()))
    return 0 if counts["good"] == len(found) else 1


def _verdict(
    path: Path, trusted: list[x509.Certificate], at_s: float, earlier: list[CapMessage] | None
) -> dict[str, Any]:
    """What a file is. A message with a good signature joins the earlier ones."""
    from tocsin.cli.sign import file_bytes
    from tocsin.formats.cap import cap_time, read_cap
    from tocsin.formats.cap_rules import check_cap
    from tocsin.formats.signature import signer, verify

    try:
        data = file_bytes(path)
        signed = verify(data, trusted, at_s)
    except DataError as why:
        return {"file": str(path), "verdict": "refused", "why": [str(why).removeprefix(f"{path}: ")]}
    told = {"file": str(path), "verdict": "breaks rules", "signer": signer(signed.certificate)}
    # the whole, for its size: verify has seen that it is nothing but content and signature
    problems = check_cap(data, earlier)
    try:
        message = read_cap(signed.content)
    except DataError:
        return {**told, "why": problems}
    if earlier is not None:
        earlier.append(message)
    told |= {
        "identifier": message.identifier,
        "msgType": message.kind,
        "status": message.status,
        "sent": cap_time(message.sent_s),
    }
    return {**told, "why": problems} if problems else {**told, "verdict": "good"}


def _line(told: dict[str, Any]) -> str:
    begin = f"{told['verdict'] if told['verdict'] == 'good' else told['verdict'].upper()}: {told['file']}: "
    if told["verdict"] == "good":
        said = f"{told['msgType']} {told['identifier']}, {told['status']}, sent {told['sent']}"
        return f"{begin}{said}, signed by {told['signer']}"
    return begin + " ".join("; ".join(told["why"]).split())


def _seconds(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"verify: --at is {text!r}, must be a time as 2026-05-01T12:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageError(f"verify: --at is {text!r}, without an offset from UTC; add Z for UTC")
    return moment.timestamp()
