"""A document as values: blocks of statements, tables and figures. The renderers know nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from tocsin.brief.evidence import REFERENCES, Fact, Ref


class Heading(NamedTuple):
    """A heading; level 1 begins a section, 0 a part of the document on a page of its own."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """Statements in a row. style: empty, lead or note."""

    facts: tuple[Fact, ...]
    style: str = ""


class Bullets(NamedTuple):
    """Statements, one an item."""

    facts: tuple[Fact, ...]


class Tile(NamedTuple):
    """One number that must be seen."""

    value: str
    label: str
    tone: str = ""  # empty, alert or clear


class Tiles(NamedTuple):
    """The numbers that must be seen, side by side."""

    tiles: tuple[Tile, ...]


class Column(NamedTuple):
    """A column of a table. share: of the width; right: numbers."""

    title: str
    share: float
    right: bool = False


class Table(NamedTuple):
    """A table; a cell is a statement. note: what it leaves out."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Fact, ...], ...]
    note: str = ""


class Figure(NamedTuple):
    """A drawing as SVG, with what it shows in words."""

    svg: str
    caption: str
    share: float = 1.0  # of the width of the text


class Quote(NamedTuple):
    """The words of a message."""

    title: str
    refs: tuple[Ref, ...]
    headline: str
    paragraphs: tuple[str, ...]


class Break(NamedTuple):
    """A new page in print."""


class Entry(NamedTuple):
    """A row of the appendix: what a reference stands for."""

    ref: Ref
    text: str


class Entries(NamedTuple):
    """The references of one kind."""

    title: str
    entries: tuple[Entry, ...]


Block: TypeAlias = Heading | Paragraph | Bullets | Tiles | Table | Figure | Quote | Break | Entries


class Document(NamedTuple):
    """All that is printed."""

    kicker: str
    title: str
    subtitle: str
    banner: str  # on every page; empty where there is nothing to say
    footer: str
    date_s: float  # of the document: the last that it tells of
    blocks: tuple[Block, ...]
    labels: Mapping[Ref, str]


def references(blocks: Sequence[Block]) -> tuple[Ref, ...]:
    """All references that some blocks make, by kind and then in their own order."""
    found = {ref for fact in _facts(blocks) for ref in fact.refs}
    found |= {ref for block in blocks if isinstance(block, Quote) for ref in block.refs}
    return tuple(sorted(found, key=_order))


def _facts(blocks: Sequence[Block]) -> Iterator[Fact]:
    for block in blocks:
        if isinstance(block, Paragraph | Bullets):
            yield from block.facts
        elif isinstance(block, Table):
            for row in block.rows:
                yield from row


def _order(ref: Ref) -> tuple[int, float, str]:
    """Numbers by size, plots and forecasts by time, the rest by name."""
    last = ref.ident.rsplit("/", 1)[-1]
    try:
        return list(REFERENCES).index(ref.kind), float(last), ref.ident
    except ValueError:
        return list(REFERENCES).index(ref.kind), 0.0, ref.ident


def labels(refs: Sequence[Ref]) -> dict[Ref, str]:
    """What each reference is called on the page: messages, events and impacts by their number in the files."""
    out: dict[Ref, str] = {}
    count: dict[str, int] = {}
    for ref in refs:
        letter = REFERENCES[ref.kind]
        count[ref.kind] = count.get(ref.kind, 0) + 1
        own = ref.kind in ("event", "message", "impact", "track")
        out[ref] = f"{letter}{ref.ident if own else count[ref.kind]}"
    return out
