"""What areas and times of bodies that may still be released hold, by laws of release other than what is believed.

    python benchmarks/releases.py [--carriers 300] [--bodies 6] [--seed 1]

Carriers of the families of `tocsin calibrate` that rise above 80 km, at a moment of their coast drawn at random, half
of them on the way up; an honest estimate of each is forecast. Then bodies leave it by each law in turn, and are flown
to the ground one by one in the carrier's weather by the simulator's motion. Counted is how many come down within the
areas, and in the times, of 50, 90 and 99 %.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from typing import NamedTuple

import numpy as np

from tocsin.calibration.estimate import estimate, felt
from tocsin.calibration.families import draw, family_of
from tocsin.calibration.flights import holds
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.prediction.landings import drawn_together
from tocsin.prediction.predictor import account_of
from tocsin.prediction.priors import DEFAULT
from tocsin.prediction.release import ASKED, RELEASE, bodies_of, of_track, told_of
from tocsin.simulation.flight import BLUNT, SLENDER, fly

FAMILIES = ("short", "medium", "long", "lofted")
LONGEST_S = 7000.0
EDGES_S = (0.0, 60.0, 180.0, 600.0, math.inf)  # of the time that is left for a release


class Law(NamedTuple):
    """How bodies leave a carrier."""

    name: str
    as_kinds: bool = False  # ballistic coefficients as believed, else as the family "carried" has them
    speed: float = 1.0  # over what is believed
    axis: str = ""  # of all of a carrier: "any", or "flight" for its own direction; "": each its own
    at_once: bool = False
    late: bool = False  # in the last tenth of the time
    even: bool = False  # speeds of up to 40 m/s, each as likely


LAWS = (
    Law("as believed", as_kinds=True),
    Law("other bodies"),
    Law("all along one axis", axis="any"),
    Law("all along the flight", axis="flight"),
    Law("all at one moment", at_once=True),
    Law("speeds even up to 40 m/s", even=True),
    Law("half the speed", speed=0.5),
    Law("twice the speed", speed=2.0),
    Law("twice, one axis, one moment", speed=2.0, axis="flight", at_once=True),
    Law("all at the end", late=True),
)


def pushes(law, n, along, rng):
    """Velocities (n, 3) against the carrier."""
    share = np.array([s.share for s in RELEASE.speeds])
    sigma = np.array([s.sigma_m_s for s in RELEASE.speeds])
    if law.even:
        size = rng.uniform(0.0, 40.0, n)
    else:
        size = np.linalg.norm(rng.normal(size=(n, 3)), axis=1)
        size *= law.speed * sigma[rng.choice(len(sigma), n, p=share / share.sum())]
    way = rng.normal(size=(n, 3))
    if law.axis:
        way = np.tile(along if law.axis == "flight" else rng.normal(size=3), (n, 1)) * rng.choice(
            [-1, 1], (n, 1)
        )
    return size[:, None] * way / np.linalg.norm(way, axis=1)[:, None]


def bodies(law, n, rng):
    """ln of hypersonic ballistic coefficients (n,) and curves of drag (n,)."""
    if law.as_kinds:
        kinds = DEFAULT.child
        which = rng.choice(len(kinds), n, p=[k.share for k in kinds])
        ln_beta = np.array([rng.normal(kinds[k].ln_beta, kinds[k].sigma) for k in which])
        return ln_beta, np.where(ln_beta > math.log(1200.0), SLENDER, BLUNT)
    some = family_of("carried").bodies
    which = rng.choice(len(some), n, p=[b.share for b in some])
    return np.array([math.log(some[k].beta_kg_m2.draw(rng)) for k in which]), np.array(
        [some[k].curve for k in which]
    )


def carrier(family, rng):
    """A moment of a coast: state (7,), weather, and the flight from there: times (n,), rows (n, 7). None: too low."""
    drawn = draw(family, rng)
    start = drawn.start.copy()
    weather = drawn.weather
    times, rows, _ = fly(start[None], weather[None], SLENDER, 0.0, 1.0, 80e3, LONGEST_S)
    if len(times) < 10:
        return None
    state = rows[rng.integers(len(times) - 2), 0].copy()
    if rng.random() < 0.5:
        state[3:6] *= -1.0
    times, rows, down = fly(state[None], weather[None], SLENDER, 0.0, 1.0, 80e3, LONGEST_S)
    return (weather, times, rows[:, 0]) if down and len(times) > 5 else None


def judged(may, end, late_s):
    """Whether areas and times of 50, 90 and 99 % hold a body that comes down at (3,) after so many seconds."""
    point = [math.degrees(float(v)) for v in ecef_to_geodetic(end)[:2]]
    q = may.time_quantiles_s
    return [holds(area, *point) for area in may.areas] + [bool(q[i] <= late_s <= q[6 - i]) for i in (2, 1, 0)]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--carriers", type=int, default=300)
    parser.add_argument("--bodies", type=int, default=6, help="of each carrier by each law")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    begin = time.perf_counter()
    found = {law.name: [] for law in LAWS}
    left, chances, sizes, lost = [], [], [], 0
    while len(left) < args.carriers:
        made = carrier(family_of(FAMILIES[len(left) % len(FAMILIES)]), rng)
        if made is None:
            continue
        weather, times, rows = made
        known = estimate(
            rows[0, :6], *(float(v[0]) for v in felt(times[:2], rows[:2], weather, SLENDER)), False, rng
        )
        may = of_track(known.track)
        if may is None:
            lost += 1
            continue
        landings, chance, left_s = may
        told = told_of(drawn_together([account_of(landings, ASKED)])[0], chance, bodies_of(RELEASE), left_s)
        left.append(left_s)
        chances.append(chance)
        sizes.append(told.areas_km2)
        along = rows[0, 3:6]
        for law in LAWS:
            n = args.bodies
            at = rng.uniform(0.9 if law.late else 0.0, 1.0, n) * times[-1]
            if law.at_once:
                at[:] = at[0]
            own = []
            for i, push, ln_beta, curve in zip(
                np.searchsorted(times, at), pushes(law, n, along, rng), *bodies(law, n, rng), strict=True
            ):
                start = rows[min(i, len(rows) - 1)].copy()
                start[3:6] += push
                start[6] = ln_beta
                after, states, down = fly(start[None], weather[None], int(curve), 0.0, 60.0, 0.0, LONGEST_S)
                if down:
                    own.append(judged(told, states[-1, 0, :3], times[min(i, len(rows) - 1)] + after[-1]))
            found[law.name].append(np.array(own, float).reshape(-1, 6))
    left, sizes = np.array(left), np.array(sizes)
    print(f"{args.carriers} carriers, {args.bodies} bodies of each by each law, {time.perf_counter() - begin:.0f} s; "
          f"{lost} more had no forecast")  # fmt: skip
    print(f"{'law of release':<30}{'bodies':>7}   {'areas 50 / 90 / 99':<20}   times 50 / 90 / 99")
    for law in LAWS:
        all_ = np.concatenate(found[law.name])
        shares = 100.0 * all_.mean(0)
        a, b = ("   ".join(f"{v:5.1f}" for v in half) for half in (shares[:3], shares[3:]))
        print(f"{law.name:<30}{len(all_):>7}   {a:<21}  {b}")
    print(
        f"{'left for a release':<30}{'carriers':>7}   {'chance':<8}{'99 % area, km2':<17}areas held, other bodies"
    )
    for low, high in itertools.pairwise(EDGES_S):
        some = np.flatnonzero((left >= low) & (left < high))
        if not len(some):
            continue
        all_ = np.concatenate([found["other bodies"][i] for i in some])
        shares = "   ".join(f"{v:5.1f}" for v in 100.0 * all_.mean(0)[:3])
        name = f"{low:.0f} to {high:.0f} s" if math.isfinite(high) else f"more than {low:.0f} s"
        print(
            f"{name:<30}{len(some):>7}    {np.median(np.array(chances)[some]):<8.2f}"
            f"{np.median(sizes[some, 2]):<17,.0f}{shares}"
        )


if __name__ == "__main__":
    main()
