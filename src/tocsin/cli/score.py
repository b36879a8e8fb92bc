"""``tocsin score``: the results of a replay against the truth of the recording."""

from __future__ import annotations

import argparse
from typing import Any

from tocsin.cli.output import progress

EPILOG = """\
GOSPA: 10 km cut-off, order 2, averaged over the recording. NEES should be 6. Of tracks whose
existence is stated as 0.9, nine in ten should follow something real. Areas should hold the
impact in 99 of 100 forecasts. A lead is the time before an impact since which
messages in force have held it without a break. Figures over the bound compare with
oracle.parquet, which no estimator can beat; without that file they are left out.

example:
  tocsin simulate dnipro-2024 --seed 1 --out dnipro
  tocsin replay dnipro --out dnipro-results
  tocsin score dnipro dnipro-results
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "score",
        help="judge the results of a replay by the truth of its recording",
        description="Judge the results of a replay by the truth of its recording.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", metavar="RECORDING", help="folder with truth and impacts")
    parser.add_argument("results", metavar="RESULTS", help="folder that a replay left behind")
    parser.add_argument("--json", action="store_true", help="print everything as JSON, object by object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score and print. Returns the exit code."""
    import json

    found = score_folders(args.recording, args.results)
    print(json.dumps(_clean(found), indent=1) if args.json else _text(found))
    return 0


def score_folders(recording: str, results: str) -> dict[str, Any]:
    """Read both folders and score. Raises DataError that names the file at fault."""
    from tocsin.cli.scored import read_notices, read_truth_of, rows_of
    from tocsin.formats.results import read_results
    from tocsin.metrics.score import score

    with progress("scoring") as tell:
        truth = read_truth_of(recording)
        made = read_results(results)
        tell(1, 3)
        tracks, predictions = rows_of(made)
        found = score(truth, tracks, predictions, read_notices(made.cap))
        tell(3, 3)
    return {"recording": recording, "results": results, **found}


def _clean(value: Any) -> Any:
    """Plain values, with null for what is not finite."""
    import math

    if isinstance(value, dict):
        return {str(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value


def _number(value: float | int | None, places: int = 1) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:,.{places}f}" if isinstance(value, float) else str(value)


def _text(found: dict[str, Any]) -> str:
    """The verdict as a table for a person."""
    t, p, w = found["tracking"], found["prediction"], found["warning"]
    n = _number
    things = f"{found['objects']} objects, {found['impacts']} impacts"
    lines = [f"{found['recording']}: {things}, {found['duration_s']:.0f} s"]

    def line(label: str, value: str) -> None:
        lines.append(f"  {label:<48} {value}")

    lines.append("Tracks")
    parts = ", ".join(n(t[f"gospa_{k}_m"], 0) for k in ("localisation", "missed", "false"))
    line("GOSPA (localisation, missed, false), m", f"{n(t['gospa_m'], 0)} ({parts})")
    line("missed, false a moment", f"{n(t['missed_per_moment'], 2)}, {n(t['false_per_moment'], 2)}")
    line("objects in view, never tracked", f"{t['objects_in_view']}, {t['objects_never_tracked']}")
    if "tracked_fraction_mean" in t:
        follow = (
            f"{n(t['tracked_fraction_mean'], 3)}, {n(t['track_ids_per_tracked_object'], 2)}, {t['switches']}"
        )
        line("share of time in view tracked, ids, switches", follow)
    if "nees" in t:
        low, high = t["nees"]["interval95"]
        line("position, velocity RMSE", f"{n(t['position_rmse_m'])} m, {n(t['velocity_rmse_m_s'], 2)} m/s")
        nees = f"{n(t['nees']['mean'], 2)} ({low:.2f} to {high:.2f}, {t['nees']['samples']} samples)"
        line("NEES (should be 6; 95 % interval)", nees)
        line("position error over bound, median", n(t["position_error_over_bound_median"], 2))
    sure = t["existence"]
    if sure["samples"]:
        each = (
            f"{n(sure['stated'], 3)}, {n(sure['real'], 3)} ({n(sure['brier'], 3)}; {sure['samples']} samples)"
        )
        line("existence of tracks: stated, real (Brier)", each)
    lines.append("Forecasts")
    line("impacts predicted", str(p["impacts_predicted"]))
    if "inside_area" in p:
        area = p["inside_area"]
        line(
            "inside the area (should be 0.99): rows, objects",
            f"{n(area['rows'], 3)}, {n(area['objects'], 3)}",
        )
        ellipses = " / ".join(n(p["inside_ellipse"][k]["rows"], 3) for k in ("50", "90", "95", "99"))
        line("inside the 50 / 90 / 95 / 99 % ellipse", ellipses)
        line("impact time within 2.58 sigmas (should be 0.99)", n(p["impact_time_inside_99"], 3))
        if p["inside_part"]:
            parts = " / ".join(n(p["inside_part"][k]["rows"], 3) for k in ("50", "90"))
            line("inside the 50 / 90 % area", parts)
            times = " / ".join(n(p["impact_time_inside"][k]["rows"], 3) for k in ("50", "90", "99"))
            line("impact time inside its 50 / 90 / 99 %", times)
        lines.append("    before  objects  error m   area km2  inside  area/bound")
        for lead, row in p["before_impact"].items():
            if "distance_median_m" in row:
                lines.append(
                    f"    {lead:>4} s  {row['objects']:>3}/{row['of']:<3} {n(row['distance_median_m'], 0):>9}"
                    f" {n(row['area_median_km2'], 1):>10} {n(row['inside_area'], 2):>7}"
                    f" {n(row['area_over_bound_median'], 1):>11}"
                )
    lines.append("Warnings")
    line("alerts, updates, cancels", f"{w['alerts']}, {w['updates']}, {w['cancels']}")
    line("dangerous impacts, warned of, missed", f"{w['dangerous_impacts']}, {w['warned']}, {w['missed']}")
    line("warnable impacts, missed", f"{w['warnable']}, {w['warnable_missed']}")
    leads = ", ".join(n(w[f"lead_{k}_s"], 0) for k in ("min", "median", "max"))
    line("lead time: least, median, most, s", leads)
    ratios = ", ".join(n(w[f"lead_over_bound_{k}km2_median"], 2) for k in (100, 1000))
    line("lead over bound, to 100 and 1,000 km2 an impact", ratios)
    around = f"{n(w['false_area_time_km2_min'], 0)}; {w['chains_around_nothing']} of {w['chains']}"
    line("around nothing: km2 min; chains", around)
    line("ever alerted, km2", n(w["alerted_area_km2"], 0))
    return "\n".join(lines)
