"""The account after the fact, of results made by hand."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tocsin.brief.bodies import lost
from tocsin.brief.compose import document
from tocsin.brief.cover import at, extents, holding, km2, notice, spans, words
from tocsin.brief.document import Document, Entries, Figure, Heading, Table, references
from tocsin.brief.evidence import Evidence
from tocsin.brief.html import html
from tocsin.brief.incidents import incidents
from tocsin.brief.page_people import whereabouts
from tocsin.brief.page_releases import releases
from tocsin.brief.pdf import pages_png, pdf
from tocsin.brief.people import warned
from tocsin.cli.brief import gather
from tocsin.formats.truth import Fallen
from tocsin.metrics.lead import warned as judged
from tocsin.metrics.paths import Impact

from .made import DNIPRO, SEA, ZERO_S, results, square


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Evidence:
    return gather(results(tmp_path_factory.mktemp("whole")), None)


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Evidence:
    """The first incident alone."""
    return gather(results(tmp_path_factory.mktemp("one"), slice(0, 3)), None)


def known(evidence: Evidence) -> Evidence:
    """The same, with where things came down: one where people had been told, one where not, and a flake."""
    return evidence._replace(
        fallen=(
            Fallen("m-1", "body", ZERO_S, 48.461, 35.041),
            Fallen("m-2", "body", ZERO_S + 10.0, 48.46, 36.5),
            Fallen("m-3", "debris", ZERO_S + 60.0, 48.45, 35.2),
        )
    )


def said(evidence: Evidence) -> str:
    """The page as text, without its tags and drawings."""
    return text_of(document(evidence))


def text_of(made: Document) -> str:
    page = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", html(made), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u00a0", " ").replace(" .", ".")


def test_all_incidents_have_their_part(whole):
    text = said(whole)
    assert "2 incidents of 1 March 2026" in text
    assert "Incident 1: falling objects at Dnipro" in text
    assert "Incident 2: falling objects near 46.0° S 30.0° E" in text
    assert "The warning was withdrawn at 12:59:50" in text
    assert "1 row of the recording could not be used and was left out" in text


def test_five_sentences_tell_times_areas_and_the_end(one):
    text = said(one)
    assert "The first track, T00001, was reported at 11:52:30.0 (T−7:30)" in text
    assert "People were told to take cover at 11:54:59 (T−5:01)" in text
    assert "where anything was truly found is not known" in text
    assert (
        "All-clear was given at 12:03:00 (T+3:00), 2 min 51 s after the last impact that was expected" in text
    )


def test_who_was_to_be_ready_first_is_told_apart_from_who_took_cover(one):
    """The first area to take cover in is that of the first call to take cover, not nothing."""
    first, second, *rest = one.sent
    ready = one._replace(sent=(first._replace(stage="prepare"), second, *rest))
    (incident,), _ = incidents(ready)
    assert incident.extents[0].start_s == second.sent_s
    assert incident.extents[0].km2 > 0.0
    text = said(ready)
    assert "People were told to be ready at 11:54:59" in text
    assert "and told to take cover at 11:56:40" in text
    assert "to take cover first in an area of 0.0" not in text
    assert "The first call to be ready, 11:54:59 UTC" in text
    assert "The first call to take cover, 11:56:40 UTC" in text


def test_where_there_are_several_alerts_each_message_says_of_which_it_is(one):
    """One of two alerts of an incident, about what comes down later, ends in the other."""
    first, wider, over = one.sent
    assert "take cover, new alert" in said(one).lower()
    assert "alert 1" not in said(one)
    later = first._replace(identifier="later", sent_s=first.sent_s + 20.0)
    end = over._replace(references=("later", *over.references))
    text = said(one._replace(sent=(first, later, wider, end)))
    assert "Take cover, new alert 2" in text
    assert "Take cover, update of alert 1" in text
    assert "All-clear, update of alert 1" in text


def test_truth_tells_who_was_missed(one):
    text = said(known(one))
    assert (
        "3 objects are known to have come down between 12:00:00 and 12:01:00, 2 of them heavy enough" in text
    )
    assert (
        "where 1 of these fell, people had been told to take cover 5 min 00 s before; where 1 fell, no one had"
        in text
    )
    assert "Nobody was told to take cover where m-2 came down" in text
    assert "1 of 2" in text


def test_what_might_still_have_come_off_is_told(one):
    text = said(one)
    assert "What might still have come off" in text
    assert (
        "At 11:53:00 bodies were reckoned with that T00001 might still release, at first with a chance of 48 % "
        "until 11:59:20. Each would have come down within 200 km² (99 %); at last within 200 km²" in text
    )
    assert "1 track separated from T00001" in text
    assert "come down elsewhere and later" not in text
    truth = known(one)
    children = [b._replace(track="T00002") for b in incidents(truth)[0][0].bodies]
    (incident, *_), _ = incidents(truth)
    _, bullets = releases(truth, incident._replace(bodies=tuple(children)))
    facts = [fact.text for fact in bullets.facts]
    assert facts[1] == (
        "1\u00a0track separated from T00001. Of what these turned out to be, 2 of 3 came down within the area that had "
        "been told last before."
    )
    assert facts[2] == (
        "Light debris comes down elsewhere and later than what is dense: here from 12:01:00 to 12:01:00, the last of "
        "it 50\u00a0s after all else."
    )
    without = one._replace(
        results=one.results._replace(
            forecasts=tuple(f._replace(may_release=None) for f in one.results.forecasts)
        )
    )
    assert releases(without, incident) == []


def test_leads_are_those_of_the_yardstick(one):
    evidence = known(one)
    heard = words(evidence.sent)
    impacts = [Impact(*fallen) for fallen in evidence.fallen]
    verdict = judged([notice(m) for m in evidence.sent], impacts, ZERO_S + 600.0)
    leads = []
    for lead in verdict.leads:
        held = holding(spans(heard, lead.impact.longitude_deg, lead.impact.latitude_deg), lead.impact.time_s)
        leads.append(None if held is None else lead.impact.time_s - held.start_s)
        assert leads[-1] == (None if lead.lead_s is None else pytest.approx(lead.lead_s, abs=1e-3))
    assert leads == [pytest.approx(300.5), None]


def test_messages_around_nothing_are_those_of_the_yardstick(whole):
    evidence = known(whole)
    impacts = [Impact(*fallen) for fallen in evidence.fallen]
    verdict = judged([notice(m) for m in evidence.sent], impacts, ZERO_S + 4000.0)
    assert (verdict.around_nothing, verdict.chains_around_nothing) == (1, 1)
    assert (
        "1 message of 5 told to take cover where nothing came down afterwards; 1 chain of messages did"
        in said(evidence)
    )


def test_a_place_told_later_has_a_shorter_lead(one):
    (incident,), _ = incidents(one)
    by_name = {w.place.name: w for w in warned(incident)}
    assert by_name["Dnipro"].lead_s == pytest.approx(
        301.0
    )  # to the last forecast of T00001, half a second after
    assert {round(w.lead_s, 1) for w in by_name.values() if w.lead_s} == {301.0, 200.5}
    assert all(w.at_zero for w in by_name.values())
    shut = [w.spans[-1].end_s for w in by_name.values()]
    assert shut == pytest.approx([ZERO_S + 180.0] * len(shut))


def test_areas_are_geodetic_and_follow_the_messages(one):
    # a quarter of a square degree about 48.46 N: 111.2 km by 73.8 km a degree, as the ellipsoid has it
    assert km2([square(DNIPRO, 0.25)]) == pytest.approx(0.25 * 111.21 * 73.93, rel=2e-3)
    assert km2([square(DNIPRO, 0.25), square(DNIPRO, 0.1)]) == pytest.approx(km2([square(DNIPRO, 0.25)]))
    found = extents(words(one.sent), one.gazetteer)
    assert [len(e.messages) for e in found] == [1, 1, 0]
    assert at(found, ZERO_S).km2 == pytest.approx(km2([square(DNIPRO, 0.2)]))
    assert at(found, ZERO_S - 400.0) is None


def test_what_is_denied_or_lost_did_not_come_down(whole):
    found, outside = incidents(whole)
    assert [[b.name for b in i.bodies] for i in found] == [["T00001", "T00002"], []]
    assert outside == ()
    ended = tuple(r for r in whole.results.rows if r.track != "T00002" or r.time_s < ZERO_S - 250.0)
    early = whole._replace(results=whole.results._replace(rows=ended))
    assert lost(early, words(early.sent)) == ("T00002",)
    assert [b.name for b in incidents(early)[0][0].bodies] == ["T00001"]
    assert "1 track that people were told of ended in flight, lost or given up: T00002" in said(early)


def test_merged_incidents_are_one(whole):
    first, second = whole.sent[0].incidents[0], whole.sent[3].incidents[0]
    line = whole.happened[-1]._replace(kind="merged", incident=second, values={"into": first})
    (both,), _ = incidents(whole._replace(happened=(*whole.happened, line)))
    assert (both.ident, both.merged, len(both.sent)) == (first, (second,), 5)


def test_the_stage_of_incidents_that_are_one_is_the_farthest(whole):
    first, second = whole.sent[0].incidents[0], whole.sent[3].incidents[0]
    watch, take = whole.happened[0], next(e for e in whole.happened if e.values.get("to") == "take-cover")
    later = watch._replace(number=90, time_s=take.time_s + 5.0, incident=second)
    merged = later._replace(number=91, time_s=take.time_s + 9.0, kind="merged", values={"into": first})
    own = [e for e in whole.happened if e.incident == first]
    happened = tuple(sorted([*own, later, merged], key=lambda e: e.time_s))
    (both,), _ = incidents(whole._replace(sent=whole.sent[:3], happened=happened))
    assert [s.name for s in both.stages] == ["watch", "take-cover", "all-clear"]


def test_without_events_the_messages_tell_the_stages(one):
    bare = one._replace(happened=None)
    (incident,), _ = incidents(bare)
    assert [(s.name, s.ref.kind) for s in incident.stages] == [
        ("take-cover", "message"),
        ("all-clear", "message"),
    ]
    assert "The results hold no events.jsonl" in said(bare)


def test_quiet_is_one_page(tmp_path):
    evidence = gather(results(tmp_path, slice(0, 0)), None)
    assert "No incident: nobody was told to take cover" in said(evidence)
    assert len(pages_png(document(evidence), 20.0)) == 1
    missed = known(evidence)
    assert "Objects came down, and no one was warned" in said(missed)


def test_what_was_only_watched_is_a_line(one):
    watch = one.happened[0]
    gone = watch._replace(
        values={**watch.values, "from": "watch", "to": "withdrawn", "reason": "it stays up"}
    )
    text = said(one._replace(sent=(), happened=(watch, gone)))
    assert "Operators watched 1 time" in text
    assert "withdrawn: it stays up" in text


def test_a_track_watched_before_belongs_to_the_incident_that_was_told(one):
    watch = one.happened[0]
    watched = {**watch.values, "tracks": ["T00001"]}
    first = watch._replace(number=90, time_s=ZERO_S - 440.0, incident="before", values=watched)
    gone = {
        **watched,
        "from": "watch",
        "to": "withdrawn",
        "tracks": [],
        "reason": "no track of it comes down",
    }
    last = first._replace(number=91, time_s=ZERO_S - 420.0, values=gone)
    evidence = one._replace(happened=(first, last, *one.happened))
    found, _ = incidents(evidence)
    assert [(i.ident, len(i.bodies)) for i in found] == [("before", 0), (one.sent[0].incidents[0], 2)]
    assert "Operators had watched T00001 from 11:52:40.0 on, as incident before; that was withdrawn" in said(
        evidence
    )


def test_every_reference_is_explained_once(whole):
    made = document(known(whole))
    entries = [e.ref for block in made.blocks if isinstance(block, Entries) for e in block.entries]
    assert set(entries) == set(references(made.blocks))
    assert len({made.labels[r] for r in entries}) == len(entries)
    page = html(made)
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert len(targets) > 10


def test_the_page_asks_nothing_and_escapes(whole):
    page = html(document(whole))
    assert "<now>" not in page and "&lt;now&gt;" in page  # noqa: PT018
    assert not re.search(r"<(script|link|img|iframe)\b|\bsrc=|url\(|@import", page)
    assert "EXERCISE. Not a real event" in page
    for block in document(whole).blocks:
        if isinstance(block, Figure):
            ET.fromstring(block.svg)  # noqa: S314


def test_labels_of_a_map_lie_inside_and_apart(whole):
    for block in document(known(whole)).blocks:
        if not isinstance(block, Figure):
            continue
        root = ET.fromstring(block.svg)  # noqa: S314
        width, height = float(root.get("width")), float(root.get("height"))
        texts = [
            t for t in root.iter() if t.tag.endswith("text") and t.get("paint-order")
        ]  # those beside marks
        boxes = []
        for t in texts:
            size, x, y = (float(t.get(k)) for k in ("font-size", "x", "y"))
            wide = 0.5 * size * len(t.text)
            left = x - {"end": wide, "middle": wide / 2.0}.get(t.get("text-anchor"), 0.0)
            boxes.append((left, y - 0.6 * size, left + wide, y))
            assert left >= 0.0
            assert left + wide <= width
            assert 0.0 <= y <= height
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_the_same_evidence_makes_the_same_bytes(whole):
    assert pdf(document(whole)) == pdf(document(whole))
    assert html(document(whole)) == html(document(whole))


def test_the_pdf_has_cyrillic_and_a_banner_on_each_page(whole):
    made = document(whole)
    content = pdf(made)
    assert content.startswith(b"%PDF-")
    assert b"LibertinusSerif" in content
    names = {c.text for b in made.blocks if isinstance(b, Table) for row in b.rows for c in row}
    assert "Dnipro (Дніпро)" in names
    plain = pages_png(made._replace(banner=""), 20.0)
    marked = pages_png(made, 20.0)
    assert len(plain) == len(marked) > 5
    assert all(a != b for a, b in zip(plain, marked, strict=True))


def test_status_decides_the_banner(whole):
    tests = tuple(m._replace(status="Test") for m in whole.sent)
    assert document(whole._replace(sent=tests)).banner.startswith("TEST.")
    actual = tuple(m._replace(status="Actual") for m in whole.sent)
    assert document(whole._replace(sent=actual)).banner == ""
    assert document(whole._replace(sent=(*actual[1:], whole.sent[0]))).banner.startswith("EXERCISE.")


def test_dozens_of_pieces_do_not_explode(one):
    ring = np.linspace(0.0, 2.0 * np.pi, 300, endpoint=False)
    fell = tuple(
        Fallen(
            f"m-{i}",
            "fragment" if i % 5 == 0 else "debris",
            ZERO_S + i,
            48.46 + 0.1 * np.sin(a),
            35.04 + 0.1 * np.cos(a),
        )
        for i, a in enumerate(ring.tolist())
    )
    made = document(one._replace(fallen=fell))
    longest = max(len(block.rows) for block in made.blocks if isinstance(block, Table))
    assert longest <= 60
    assert "And 240 light pieces more" in text_of(made)
    assert len(pages_png(made, 15.0)) < 12


def test_places_are_told_by_what_is_near(one):
    (incident,), _ = incidents(known(one))
    assert whereabouts(incident.bodies[0].near).endswith("of Dnipro")
    (gone, _), outside = incidents(one._replace(fallen=(Fallen("m", "body", ZERO_S, SEA[1], SEA[0]),))), None
    assert outside is None
    assert whereabouts(gone[0].bodies[0].near) == ""


def test_headings_never_repeat_within_an_incident(one):
    titles = [b.text for b in document(one).blocks if isinstance(b, Heading) and b.level == 1]
    assert len(titles) == len(set(titles))
    assert titles[0] == "What was seen"
