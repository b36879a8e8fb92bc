"""What a flight to the ground within 1 m and 1 ms costs in evaluations of the force, by several methods.

    python design/propagators.py [--flights 200] [--seed 2026]

Prints four tables: whole flights by Runge-Kutta pairs and by Taylor series; the part above 120 km by Cowell, Encke and
Gauss-Jackson; the floor of each pair and where our evaluations go; and what an evaluation of ours takes. README.md
says what follows. Needs SciPy; without heyoka (pip install heyoka) the Taylor series are left out.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import numpy as np
import propagators_arcs as above
import propagators_pairs as pairs
from propagation import random_flights
from propagators_floor import TIGHT_M, exponential_forces, floor
from propagators_pairs import ABOVE, ANY, IN_AIR, VERNER, WEIGHTED

from tocsin.earth import batch, lanes
from tocsin.earth.ellipsoid import ecef_to_geodetic
from tocsin.earth.flights import STEP_ERROR_M, to_ground, to_time
from tocsin.earth.forces import STANDARD
from tocsin.kernel import jit
from tocsin.units import EARTH_GM_M3_S2

# Settings are tried from the tightest on until one is not near enough.
WEIGHTED_M = 10.0 ** np.arange(-4.0, 2.01, 0.125)
PLAIN_SHARE = 10.0 ** np.arange(-12.0, -4.0, 0.125)
OLD_SCALES = 2.0 ** np.arange(-3.0, 2.01, 0.25)
TAYLOR = (1e-11, 1e-10, 3e-10, 1e-9, 3e-9)
LONGEST_S = 300.0 * 2.0 ** np.arange(-4.0, 0.01, 0.25)
SHARES = 0.99, 1.0  # of the flights
ENTERED = 7  # the layer above 120 km of the exponential atmosphere for tight flights


def off(times, ends, exact):
    """How far flights are off, in m or ms, whichever is more."""
    place = np.linalg.norm(ends[:, :3] - exact[1][:, :3], axis=1)
    return np.nan_to_num(np.maximum(place, 1e3 * np.abs(times - exact[0])), nan=np.inf)


def loosest(settings, run):
    """For each share of flights the loosest setting that leaves it within 1, with what ``run`` gave (misses, costs).

    None if there is none; a looser one than the first that fails does not count.
    """
    found, going = [None] * len(SHARES), [True] * len(SHARES)
    for setting in settings:
        missed, costs = run(setting)
        for k, share in enumerate(SHARES):
            going[k] = going[k] and np.mean(missed <= 1.0) >= share
            if going[k]:
                found[k] = setting, missed, costs
        if not any(going):
            break
    return found


def line(name, settings, run):
    """Print a method's row. ``run`` gives misses (n,) and evaluations (n, 2), above and in the air."""
    text = f"{name:46s}"
    for found in loosest(settings, run):
        if found is None:
            text += f" | {'none near enough':>41s}"
            continue
        setting, _, costs = found
        total = costs.sum(1)
        text += f" | {setting:8.1e} {costs[:, 0].mean():7.0f} {costs[:, 1].mean():7.0f}"
        text += f" {total.mean():7.0f} {np.median(total):8.0f}"
    print(text, flush=True)


HEAD = "setting    above  in air    mean   median"


def whole_flights(states, betas, exact):
    """The table of whole flights."""
    print(f"{'whole flights':46s} | {'99 %: ' + HEAD:>41s} | {'all: ' + HEAD:>41s}")

    def old(scale):
        tally, times, ends = np.zeros((len(betas), 2)), np.empty(len(betas)), np.empty((len(betas), 6))
        pairs.fly_old(states, betas, scale, STANDARD, tally, times, ends)
        return off(times, ends, exact), 4.0 * tally

    line("RK4, the steps of before, scaled", OLD_SCALES, old)
    for pair in pairs.PAIRS:
        for bounded in (True, False):
            for control, settings in ((WEIGHTED, WEIGHTED_M), (pairs.PLAIN, PLAIN_SHARE)):

                def run(setting, pair=pair, control=control, bounded=bounded):
                    times, ends, tally, _ = pairs.flights(
                        pair, states, betas, control, setting, bounded, ANY, STANDARD
                    )
                    return off(times, ends, exact), pair.evaluations * tally[:, [ABOVE, IN_AIR]]

                how = ("ends on bounds" if bounded else "over bounds") + ", "
                line(f"{pair.name}, {how}{'weighted' if control == WEIGHTED else 'plain'}", settings, run)
    flown, times = old(1.0), to_ground(states, betas)
    worst = off(times.time_s, times.state, exact).max()
    print(f"as it was: RK4 {flown[1].sum(1).mean():.0f}, worst off by {flown[0].max():.0f} m or ms;", end=" ")
    print(f"as it is: Verner 7(6) {10 * times.steps.mean():.0f}, worst {worst:.2f} m or ms")


def taylor_flights(states, betas):
    """The rows of heyoka's Taylor series; an evaluation is one order of one step."""
    try:
        import heyoka as hy
        from propagation_heyoka import LONGEST_S as LIMIT_S
        from propagation_heyoka import layers, system
    except ImportError:
        print("heyoka is not installed (pip install heyoka): no Taylor series")
        return
    hy.set_logger_level_error()
    equations, height = system("us1976")
    bounds, table = layers()
    first = np.searchsorted(bounds, ecef_to_geodetic(states[:, :3])[2]) - 1

    def enter(i):
        def callback(integrator, sign):
            integrator.pars[1:5] = table[i if sign > 0 else i - 1]
            return True

        return callback

    def fly(tol):
        events = [hy.t_event(height, direction=hy.event_direction.negative)]
        events += [hy.t_event(height - float(bounds[i]), callback=enter(i)) for i in range(1, len(bounds))]
        flight = hy.taylor_adaptive(equations, states[0], pars=[1.0] * 5, t_events=events, tol=tol)
        times, ends, costs = np.empty(len(betas)), np.empty((len(betas), 6)), np.zeros((len(betas), 2))
        for i in range(len(betas)):
            flight.time, flight.state[:] = 0.0, states[i]
            flight.pars[:] = [1.0 / betas[i], *table[first[i]]]
            flight.reset_cooldowns()
            places = [states[i, :3]]

            def note(integrator, places=places):
                places.append(integrator.state[:3].copy())
                return True

            flight.propagate_until(LIMIT_S, callback=note)
            times[i], ends[i] = flight.time, flight.state
            high = ecef_to_geodetic(np.array(places[:-1]))[2] > pairs.VACUUM_M - 1.0
            costs[i] = flight.order * np.array([high.sum(), (~high).sum()])
        return times, ends, costs, flight.order

    exact = fly(1e-14)
    kept, orders = {}, {}

    def run(tol):
        if tol not in kept:
            times, ends, costs, orders[tol] = fly(tol)
            kept[tol] = off(times, ends, exact), costs
        return kept[tol]

    line("Taylor (heyoka), steps x order", TAYLOR, run)
    for tol, order in orders.items():
        steps, worst = kept[tol][1].sum(1).mean() / order, kept[tol][0].max()
        print(f"  at {tol:.0e}: order {order}, {steps:.1f} steps, worst {worst:.2f} m or ms")


def arcs_above(states, betas):
    """The table of the part above 120 km, without air; what lies below is exponential."""
    forces = exponential_forces()
    crossings = pairs.flights(VERNER, states, betas, WEIGHTED, TIGHT_M, True, ANY, forces)[3]
    starts, durations, coefficients = above.arcs(states, betas, crossings, ENTERED, forces)
    airless = np.full(len(durations), 1e30)
    ends = to_time(starts, airless, durations, forces, error_m=TIGHT_M).state
    exact = to_ground(ends, coefficients, forces, error_m=TIGHT_M)
    exact = exact._replace(time_s=exact.time_s + durations)
    share, median = 100 * len(durations) / len(betas), np.median(durations)
    print(
        f"\nabove 120 km: {len(durations)} arcs ({share:.0f} % of flights), median {median:.0f} s, without air"
    )
    head = "setting    mean   median"
    print(f"{'evaluations an arc':46s} | {'99 %: ' + head:>31s} | {'all: ' + head:>31s}")

    def missed(ends):
        return above.miss(ends, durations, coefficients, exact, forces)

    def row(name, settings, fly):
        def run(setting):
            ends, evaluations = fly(setting)
            return missed(ends), evaluations

        text = f"{name:46s}"
        for found in loosest(settings, run):
            words = "none near enough"
            if found:
                words = f"{found[0]:8.1e} {found[2].mean():7.1f} {np.median(found[2]):8.0f}"
            text += f" | {words:>31s}"
        print(text, flush=True)

    for kind, name in ((above.ECEF, "Cowell in ECEF"), (above.ENCKE, "Encke about Kepler")):
        for pair in pairs.PAIRS:

            def fly(tol, kind=kind, pair=pair):
                return above.by_pair(kind, pair, starts, durations, airless, tol)

            row(f"{name}, {pair.name}", WEIGHTED_M, fly)

    def jackson(longest_s):
        return above.gauss_jackson(starts, durations, airless, longest_s)

    row("Gauss-Jackson 8, longest step (s)", LONGEST_S, jackson)
    tried = [(jackson(longest_s), longest_s) for longest_s in LONGEST_S]
    near = np.array([np.where(missed(ends) <= 1.0, evaluations, np.inf) for (ends, evaluations), _ in tried])
    least = near.min(0)
    print(f"{'  its own best step for every arc':46s} | {least.mean():31.1f}")
    for secular, name in ((0.0, "Kepler alone"), (1.0, "Kepler with secular J2")):
        m = missed(above.closed(starts, durations, secular))
        print(f"{name}, not integrated: off by {np.median(m):.3g} m or ms (median), {m.max():.3g} (worst)")
    many = np.tile(above.to_inertial(starts), (50, 1))
    room, push = np.empty_like(many), np.empty((len(many), 3))
    lasts, weights = np.tile(0.5 * durations, 50), np.tile(coefficients, 50)
    ellipse = best(lambda: above.ellipses(many, lasts, EARTH_GM_M3_S2, room)) / len(many)
    force = best(lambda: above.accelerations(many, weights, STANDARD, push)) / len(many)
    print(f"one by one, a place on an ellipse takes {1e9 * ellipse:.0f} ns, a force {1e9 * force:.0f} ns")


def best(job, times=5):
    """Least seconds of a job, after one that does not count."""
    job()
    least = np.inf
    for _ in range(times):
        begin = time.perf_counter()
        job()
        least = min(least, time.perf_counter() - begin)
    return least


def floors(states, betas, crossings, exact):
    """The floor of each pair, and where our evaluations go. Every number: mean evaluations a flight."""
    forces = exponential_forces()
    print(f"\nfloor: {len(betas)} flights with steps of perfect length, errors adding up to 1 m or 1 ms")
    print(
        f"{'mean evaluations a flight':30s} {'exponential':>12s} {'and stable':>12s} {'and US 1976, on bounds':>24s}"
    )
    for pair in pairs.PAIRS:
        bare = floor(pair, states, betas, forces)
        stable = floor(pair, states, betas, forces, stable=True)
        bound = floor(pair, states, betas, STANDARD, crossings, stable=True)
        counts = [pair.evaluations * n.mean() for n in (bare, stable, bound)]
        print(f"{pair.name:30s} {counts[0]:12.0f} {counts[1]:12.0f} {counts[2]:24.0f}", flush=True)
        if pair is VERNER:
            ours = counts
    print("where Verner 7(6) with our steps spends them, at an error a step of")
    for tol in (STEP_ERROR_M, 0.5):
        times, ends, tally, _ = pairs.flights(VERNER, states, betas, WEIGHTED, tol, True, ANY, STANDARD)
        mean = 10.0 * tally.mean(0)
        total = mean[ABOVE] + mean[IN_AIR]
        good = total - mean[pairs.REFUSED] - mean[pairs.BEYOND] - mean[pairs.LANDING]
        parts = (
            ("floor", ours[0]), ("stability near terminal speed", ours[1] - ours[0]),
            ("bounds of layers", ours[2] - ours[1]), ("caution (good steps beyond those)", good - ours[2]),
            ("refused for their error", mean[pairs.REFUSED]), ("beyond a bound, taken again", mean[pairs.BEYOND]),
            ("landing, after the first try", mean[pairs.LANDING]),
        )  # fmt: skip
        worst = off(times, ends, exact).max()
        print(f"  {tol:.1f} m: {total:.0f}, worst {worst:.2f} m or ms, of it")
        print("".join(f"    {name:38s} {value:5.0f}\n" for name, value in parts), end="")
        print(f"    (good ones cut at a bound {mean[pairs.CUT]:.0f}, stiff {mean[pairs.STIFF]:.0f})")


@jit
def many_pushes(count, y, kept, K, f):
    """The force of all lanes, many times over."""
    for i in range(count):
        y[i % lanes.LANES] += 1e-6
        lanes.push(y, kept, K[: lanes.SIZE], f)


@jit
def many_sums(count, y, h, K, trial, errors):
    """All that the pair does in a step beside the force, many times over."""
    for i in range(count):
        K[i % lanes.LANES] += 1e-6
        for stage in range(1, 10):
            batch.stage_state(stage, y, h, K, trial)
        batch.end_state(y, h, K, trial)
        batch.step_error(h, K, errors)


def speeds():
    """What an evaluation of ours takes, and the shares of a step."""
    states, betas = random_flights(4000, 2026)
    steps = to_ground(states, betas).steps.sum()
    whole = best(lambda: to_ground(states, betas)) / steps
    n, count = lanes.LANES, 4000
    y, kept, K = np.zeros(lanes.SIZE), np.zeros(lanes.KEPT * n), np.zeros(10 * lanes.SIZE)
    kept[lanes.FACTOR * n : (lanes.FACTOR + 1) * n] = 1.0
    for i in range(n):
        j = i * len(betas) // n
        y[i::n] = [*states[j], np.log(betas[j])]
        layer = np.searchsorted(STANDARD.air_knots_m, ecef_to_geodetic(states[j, :3])[2]) - 1
        batch.enter_layer(i, layer, 0.5 / betas[j], 0.0, kept, STANDARD)
    h, trial, errors = np.full(n, 1e-3), np.zeros(lanes.SIZE), np.ones(2 * n)
    force = 10 * best(lambda: many_pushes(count, y, kept, K, STANDARD)) / (count * n)
    sums = best(lambda: many_sums(count, y, h, K, trial, errors)) / (count * n)
    flight, rest = whole * steps / len(betas), whole - force - sums
    print(f"\nours: {1e6 * flight:.2f} us a flight, {1e9 * whole:.0f} ns a step, of it")
    for name, part in (("ten forces", force), ("sums of stages", sums), ("all else", rest)):
        print(f"    {name:38s} {1e9 * part:5.0f} ns ({100 * part / whole:.0f} %)")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flights", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    choice = parser.parse_args()
    states, betas = random_flights(choice.flights, choice.seed)
    tight = to_ground(states, betas, error_m=TIGHT_M)
    exact = tight.time_s, tight.state
    print(
        f"{choice.flights} flights, seed {choice.seed}, {tight.time_s.mean():.0f} s in the mean; within 1 m and 1 ms"
    )
    whole_flights(states, betas, exact)
    taylor_flights(states, betas)
    crossings = pairs.flights(VERNER, states, betas, WEIGHTED, TIGHT_M, True, ANY, STANDARD)[3]
    arcs_above(states, betas)
    some = slice(None, None, max(1, choice.flights // 100))
    floors(states[some], betas[some], crossings[some], (exact[0][some], exact[1][some]))
    speeds()


if __name__ == "__main__":
    main()
