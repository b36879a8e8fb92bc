"""The document as one HTML page: no script, nothing asked of any network, every drawing inline."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import resources

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

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
LONG = 48  # characters of one word that must be broken


def html(document: Document) -> str:
    """The page. All text is escaped.

    A table around all of it repeats the banner on every page of paper; on a screen it is no table.
    """
    known = frozenset(e.ref for block in document.blocks if isinstance(block, Entries) for e in block.entries)
    body = "\n".join(_block(document, block, known) for block in document.blocks)
    banner = f'<p class="banner">{escape(document.banner)}</p>' if document.banner else ""
    short = "EXERCISE · " if document.banner else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{short}{escape(document.title)}</title>
<style>
{_style()}</style>
</head>
<body>
<table class="paper" role="presentation">
<thead><tr><td>{banner}</td></tr></thead>
<tbody><tr><td><main>
<p class="kicker">{escape(document.kicker)}</p>
<h1>{escape(document.title)}</h1>
<p class="subtitle">{escape(document.subtitle)}</p>
{body}
<footer>{escape(document.footer)}</footer>
</main></td></tr></tbody>
</table>
</body>
</html>
"""


@cache
def _style() -> str:
    return (resources.files("tocsin.brief") / "page.css").read_text(encoding="utf-8")


def _anchor(document: Document, ref: Ref) -> str:
    return f"ref-{ref.kind}-{document.labels[ref]}"


def _refs(document: Document, refs: tuple[Ref, ...], known: frozenset[Ref]) -> str:
    marks = [
        f'<a href="#{_anchor(document, r)}">{escape(document.labels[r])}</a>' for r in refs if r in known
    ]
    return f' <span class="refs">[{", ".join(marks)}]</span>' if marks else ""


def _block(document: Document, block: Block, known: frozenset[Ref]) -> str:
    def fact(one: Fact) -> str:
        return escape(one.text) + _refs(document, one.refs, known)

    match block:
        case Heading():
            tag, kind = ("h2", ' class="part"') if block.level == 0 else (f"h{block.level + 1}", "")
            return f"<{tag}{kind}>{escape(block.text)}</{tag}>"
        case Paragraph():
            kind = f' class="{block.style}"' if block.style else ""
            return f"<p{kind}>{' '.join(fact(f) for f in block.facts)}</p>"
        case Bullets():
            return f"<ul>{''.join(f'<li>{fact(f)}</li>' for f in block.facts)}</ul>"
        case Tiles():
            each = "".join(
                f'<div class="tile {escape(t.tone)}"><b>{escape(t.value)}</b><span>{escape(t.label)}</span></div>'
                for t in block.tiles
            )
            return f'<div class="tiles">{each}</div>'
        case Table():
            return _table(document, block, known)
        case Figure():
            words = f"<figcaption>{escape(block.caption)}</figcaption>"
            return f'<figure><div class="wide">{block.svg}</div>{words}</figure>'
        case Quote():
            what = f'<p class="what">{escape(block.title)}{_refs(document, block.refs, known)}</p>'
            lines = "".join(f"<p>{escape(p)}</p>" for p in block.paragraphs)
            return f"<blockquote>{what}<p><b>{escape(block.headline)}</b></p>{lines}</blockquote>"
        case Break():
            return '<div class="break"></div>'
        case Entries():
            rows = "".join(
                f'<div id="{_anchor(document, e.ref)}"><dt>{escape(document.labels[e.ref])}</dt>'
                f"<dd>{escape(e.text)}</dd></div>"
                for e in block.entries
            )
            return f"<h3>{escape(block.title)}</h3>\n<dl>{rows}</dl>"


def _table(document: Document, block: Table, known: frozenset[Ref]) -> str:
    def kind(right: bool, words: str) -> str:
        names = " ".join(
            n for n, on in (("right", right), ("long", any(len(w) > LONG for w in words.split()))) if on
        )
        return f' class="{names}"' if names else ""

    widths = "".join(f'<col style="width:{c.share * 100:.0f}%">' for c in block.columns)
    head = "".join(f'<th{kind(c.right, "")} scope="col">{escape(c.title)}</th>' for c in block.columns)
    rows = "\n".join(
        "<tr>"
        + "".join(
            f"<td{kind(c.right, cell.text)}>{escape(cell.text)}{_refs(document, cell.refs, known)}</td>"
            for c, cell in zip(block.columns, row, strict=True)
        )
        + "</tr>"
        for row in block.rows
    )
    note = f'<p class="note">{escape(block.note)}</p>' if block.note else ""
    return (
        f'<div class="wide"><table><caption>{escape(block.title)}</caption><colgroup>{widths}</colgroup>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>{note}"
    )
