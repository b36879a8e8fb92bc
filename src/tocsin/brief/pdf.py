"""The document as PDF, by typst with the fonts that it carries: the same document makes the same bytes everywhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

import typst

from tocsin.brief.document import (
    Block,
    Break,
    Bullets,
    Document,
    Entries,
    Figure,
    Heading,
    Paragraph,
    Quote,
    Table,
    Tiles,
)
from tocsin.brief.evidence import Fact, Ref


def pdf(document: Document) -> bytes:
    """The file."""
    out = _compile(document, "pdf")
    assert isinstance(out, bytes)  # noqa: S101  # one file, whatever the number of pages
    return out


def pages_png(document: Document, ppi: float = 110.0) -> list[bytes]:
    """Each page as an image, for those who look."""
    out = _compile(document, "png", ppi)
    return out if isinstance(out, list) else [out]


def _compile(document: Document, form: Any, ppi: float | None = None) -> bytes | list[bytes]:
    made = typst.Compiler(_template(), ignore_system_fonts=True, sys_inputs={"document": _text(document)})
    out = made.compile(format=form, ppi=ppi, timestamp=int(document.date_s))
    if out is None:
        raise RuntimeError("typst gave nothing")
    return out


@cache
def _template() -> bytes:
    return (resources.files("tocsin.brief") / "page.typ").read_bytes()


def _text(document: Document) -> str:
    """The document as the JSON that page.typ reads."""
    known = {e.ref for block in document.blocks if isinstance(block, Entries) for e in block.entries}
    moment = datetime.fromtimestamp(document.date_s, UTC)
    values = {
        "kicker": document.kicker,
        "title": document.title,
        "subtitle": document.subtitle,
        "banner": document.banner,
        "footer": document.footer,
        "date": [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second],
        "blocks": [_block(document, block, known) for block in document.blocks],
    }
    return json.dumps(values, ensure_ascii=False)


def _refs(document: Document, refs: tuple[Ref, ...], known: set[Ref]) -> list[dict[str, str | None]]:
    return [
        {"label": document.labels[ref], "target": _target(document, ref) if ref in known else None}
        for ref in refs if ref in known
    ]  # fmt: skip


def _target(document: Document, ref: Ref) -> str:
    return f"ref-{ref.kind}-{document.labels[ref]}"


def _block(document: Document, block: Block, known: set[Ref]) -> dict[str, Any]:
    def fact(one: Fact) -> dict[str, Any]:
        return {"text": one.text, "refs": _refs(document, one.refs, known)}

    match block:
        case Heading():
            return {"kind": "heading", "level": block.level, "text": block.text}
        case Paragraph():
            return {"kind": "paragraph", "style": block.style, "facts": [fact(f) for f in block.facts]}
        case Bullets():
            return {"kind": "bullets", "facts": [fact(f) for f in block.facts]}
        case Tiles():
            return {"kind": "tiles", "tiles": [t._asdict() for t in block.tiles]}
        case Table():
            rows = [[fact(cell) for cell in row] for row in block.rows]
            columns = [c._asdict() for c in block.columns]
            return {
                "kind": "table",
                "title": block.title,
                "columns": columns,
                "rows": rows,
                "note": block.note,
            }
        case Figure():
            return {"kind": "figure", **block._asdict()}
        case Quote():
            return {"kind": "quote", **block._asdict(), "refs": _refs(document, block.refs, known)}
        case Break():
            return {"kind": "break"}
        case Entries():
            entries = [
                {"label": document.labels[e.ref], "target": _target(document, e.ref), "text": e.text}
                for e in block.entries
            ]
            return {"kind": "entries", "title": block.title, "entries": entries}
