"""What a message costs: built, held against schema and rules, signed, verified; beside the least that it could.

    python benchmarks/messages.py [--schema CAP-v1.2.xsd] [--repeats 200]

Takes a message of one footprint and one of dozens, with the messages before it, made by the policy from invented
forecasts, and then the second padded to the largest size that may be sent. Prints milliseconds of processor time: the
median, and what 99 of 100 stay below. The floor is what lxml and OpenSSL alone need for the same bytes: one parse, the
schema, one canonical form and its SHA-256, one ECDSA signature. Without --schema (the OASIS file, which is not in the
repository) that step is left out.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.warning.synthetic import NOON_S, forecast, replay

from tocsin.formats.cap import cap_xml, read_cap
from tocsin.formats.cap_rules import LARGEST_BYTES, SIGNATURE_BYTES, check_cap
from tocsin.formats.gazetteer import shipped_gazetteer
from tocsin.formats.signature import new_key, read_certificates, read_key, sign, verify


def scenes():
    """Name, message and the messages before it."""
    gazetteer = shipped_gazetteer()

    def batch(t, bodies):
        return [
            forecast(
                f"{n:03d}",
                NOON_S + t,
                NOON_S + 600.0,
                lat_deg=47.0 + 0.35 * (n % 8),
                lon_deg=30.0 + 0.5 * (n // 8),
                area_km2=max(2.0, 300.0 * 0.5 ** (t / 40.0)),
                parent="p",
            )
            for n in range(bodies)
        ]

    for bodies in (1, 48):
        messages = replay([(NOON_S + t, batch(t, bodies)) for t in range(0, 300, 2)], gazetteer)[1]
        number = max(
            (n for n, one in enumerate(messages) if one.stage == "take-cover"),
            key=lambda n: len(cap_xml(messages[n])),
        )
        message, earlier = messages[number], [read_cap(cap_xml(one)) for one in messages[:number]]
        yield f"{len(message.footprints)} footprints", message, earlier
    text = message.texts[0]
    room = LARGEST_BYTES - SIGNATURE_BYTES - len(cap_xml(message))
    padded = text._replace(instruction=text.instruction + " x" * (room // 2))
    yield "the largest", message._replace(texts=(padded, *message.texts[1:])), earlier


def timed(job: Callable[[], object], repeats: int) -> np.ndarray:
    """Milliseconds of processor time of each repeat."""
    took = []
    for _ in range(repeats):
        begin = time.process_time()
        job()
        took.append(time.process_time() - begin)
    return 1e3 * np.array(took)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schema", type=Path)
    parser.add_argument("--repeats", type=int, default=200)
    args = parser.parse_args()
    schema = etree.XMLSchema(etree.parse(args.schema)) if args.schema else None
    private, pem = new_key("Drill centre", NOON_S, 30.0)
    key, certificate = read_key(private), read_certificates(pem)[0]
    for name, message, earlier in scenes():
        data = cap_xml(message)
        signed = sign(data, key, certificate, message.sent_s)
        problems = check_cap(data, earlier)
        if problems:
            sys.exit(f"{name}: {problems}")

        def valid(data=data):
            if schema is not None:
                schema.assertValid(etree.fromstring(data))

        def floor(data=data):
            root = etree.fromstring(data)
            if schema is not None:
                schema.assertValid(root)
            canonical = etree.tostring(root, method="c14n", exclusive=True)
            key.sign(hashlib.sha256(canonical).digest(), ec.ECDSA(hashes.SHA256()))

        steps = {
            "build": lambda message=message: cap_xml(message),
            "schema": valid,
            "rules": lambda data=data, earlier=earlier: check_cap(data, earlier),
            "sign": lambda data=data, message=message: sign(data, key, certificate, message.sent_s),
        }
        took = {step: timed(job, args.repeats) for step, job in steps.items() if schema or step != "schema"}
        whole = np.sum(list(took.values()), axis=0)
        took |= {
            "in all": whole,
            "floor": timed(floor, args.repeats),
            "verify": timed(lambda s=signed, m=message: verify(s, [certificate], m.sent_s), args.repeats),
        }
        print(f"{name}: {len(data):,} bytes, {len(signed):,} signed, {len(earlier)} messages before it")
        for step, values in took.items():
            print(
                f"  {step:<8}{np.median(values):8.2f} ms   99 of 100 below {np.quantile(values, 0.99):6.2f} ms"
            )


if __name__ == "__main__":
    main()
