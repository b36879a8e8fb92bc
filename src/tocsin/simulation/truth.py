"""Truth: what really flies in a scenario, drawn with a generator that is passed in."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.ellipsoid import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.metrics.paths import DANGEROUS, interpolate
from tocsin.sensors.plots import Floats
from tocsin.simulation.decay import UNREST_S, circle, draw_air, draw_orbit
from tocsin.simulation.flight import BLUNT, MOST_S, SLENDER, climb, fly
from tocsin.simulation.objects import NEVER, Flight, Impact, Path, draw_place
from tocsin.simulation.plans import Breakup, Entry, Launch, Orbit, Scenario, Separation
from tocsin.simulation.traffic import aircraft, satellite
from tocsin.units import DEGREE_RAD

DANGEROUS_KG_M2 = 50.0  # a piece of at least this ballistic coefficient is a fragment, else debris
ASCENT_STEP_S = 0.1
GLOW_M_S = 3e3  # what comes out of orbit is seen by cameras while it is faster
LONGEST_ORBIT_S = 2 * 86400.0  # that is flown where the scenario has no duration


def draw_weather(scenario: Scenario, rng: np.random.Generator) -> Floats:
    """The weather (8,) of one run, in the order of `flight.WEATHER`."""
    speed = scenario.wind_speed_m_s.draw(rng)
    toward = scenario.wind_toward_deg.draw(rng) * DEGREE_RAD
    ripple = rng.normal(size=2) * (0.5 + 0.08 * speed)
    phases = rng.uniform(0.0, 2.0 * math.pi, 3)
    jet = [speed * math.sin(toward), speed * math.cos(toward)]
    return np.array([*jet, *ripple, phases[0], scenario.density_spread, phases[1], phases[2]])


def draw_paths(scenario: Scenario, weather: Floats, rng: np.random.Generator) -> tuple[list[Path], float]:
    """All paths, and the end of the recording in seconds since 1970 UTC."""
    paths: list[Path] = []
    for plan in scenario.launches:
        for name in _names(plan.name, plan.copies):
            paths += _launch(plan, name, scenario, weather, rng.spawn(1)[0])
    for body in scenario.entries:
        for name in _names(body.name, body.copies):
            paths += _entry(body, name, scenario, weather, rng.spawn(1)[0])
    for orbit in scenario.orbits:
        for name in _names(orbit.name, orbit.copies):
            paths += _orbit(orbit, name, scenario, weather, rng.spawn(1)[0])
    if scenario.duration_s is not None:
        end_s = scenario.start_s + scenario.duration_s
    else:
        down = [p for p in paths if p.impact is not None]
        dangerous = [p for p in down if p.kind in DANGEROUS] or down
        last = max((p.impact.time_s for p in dangerous if p.impact), default=scenario.start_s)
        end_s = last + scenario.tail_s
    span_s = end_s - scenario.start_s
    number = 0
    for planes in scenario.aircraft:
        for _ in range(planes.copies):
            number += 1
            paths.append(aircraft(planes, f"plane-{number:03d}", scenario.start_s, span_s, rng.spawn(1)[0]))
    number = 0
    for orbits in scenario.satellites:
        for _ in range(orbits.copies):
            number += 1
            name = f"satellite-{number}"
            paths.append(satellite(orbits, name, scenario.start_s, span_s, weather, rng.spawn(1)[0]))
    return [_until(p, end_s) for p in paths if p.time_s[0] < end_s - 1.0], end_s


def _names(name: str, count: int) -> list[str]:
    digits = max(2, len(str(count)))
    return [name] if count == 1 else [f"{name}{i + 1:0{digits}d}" for i in range(count)]


def _free(
    name: str,
    kind: str,
    flight: Flight,
    weather: Floats,
    row_s: float,
    *,
    floor_m: float = 0.0,
    most_s: float = MOST_S,
) -> tuple[Path, Floats]:
    """A free flight to the ground (or a floor), and its last state (7,)."""
    times, rows, down = fly(
        flight.start[None], weather[None], flight.curve, flight.ablation_s2_m2, row_s, floor_m, most_s
    )
    impact = None
    if down and floor_m == 0.0:
        latitude, longitude, _ = ecef_to_geodetic(rows[-1, 0, :3])
        impact = Impact(flight.start_s + times[-1], float(latitude), float(longitude))
    state = np.ascontiguousarray(rows[:, 0, :6])
    path = Path(name, kind, None, flight.start_s + times, state, NEVER, NEVER, flight, 0.0, impact)
    return path, rows[-1, 0]


def _ascent(plan: Launch, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A drawn ascent: times (n,) after the launch and states (n, 6).

    The speed grows as under constant mass flow, stage by stage, up to the burnout speed; the
    elevation bends from the vertical to that of burnout, quickly at first as a gravity turn does.
    """

    def around(middle: float, reach: float, count: int = 1) -> Floats:
        return middle + plan.ascent_spread * reach * rng.uniform(-1.0, 1.0, count)

    burn_s = plan.burn_s.draw(rng)
    last = max(int(round(burn_s / ASCENT_STEP_S)), 10)
    u: Floats = np.linspace(0.0, 1.0, 2 * last + 1)
    shares = np.cumsum(around(1.0, 0.2, plan.stages))
    shares = np.concatenate([[0.0], shares / shares[-1]])
    stage = np.minimum(np.searchsorted(shares, u, "right") - 1, plan.stages - 1)
    part = (u - shares[stage]) / (shares[stage + 1] - shares[stage])
    burnt = around(0.7, 0.1, plan.stages)[stage]  # share of its mass that a stage burns
    first = around(1.0, 0.2, plan.stages)[stage] * (1.0 + 0.7 * stage)
    push = first / (1.0 - burnt * part) - 0.6  # 0.6: gravity along the path
    speed = np.concatenate([[0.0], np.cumsum((push[1:] + push[:-1]) / 2)])
    speed *= plan.burnout_speed_m_s.draw(rng) / speed[-1]
    bend = float(around(1.55, 0.25)[0])
    end = plan.burnout_elevation_deg.draw(rng) * DEGREE_RAD
    elevation = end + (math.pi / 2 - end) * (1.0 - u) ** bend
    weave = plan.weave_deg * DEGREE_RAD * np.sin(2 * math.pi * (u * rng.uniform(1, 3) + rng.random()))
    heading = plan.heading_deg.draw(rng) * DEGREE_RAD + weave * (1.0 - u) ** 2
    latitude, longitude = draw_place(plan.region, rng)
    start = geodetic_to_ecef(latitude, longitude, 0.0)
    step_s = burn_s / last
    time_s = np.arange(last + 1, dtype=float) * step_s
    return time_s, climb(start, step_s, speed, elevation, heading)


def _thin(time_s: Floats, state: Floats, row_s: float) -> tuple[Floats, Floats]:
    """Rows about ``row_s`` apart, first and last kept."""
    every = max(1, int(round(row_s / (time_s[1] - time_s[0]))))
    keep = np.unique(np.append(np.arange(0, len(time_s), every), len(time_s) - 1))
    return time_s[keep], state[keep]


def _launch(
    plan: Launch, name: str, scenario: Scenario, weather: Floats, rng: np.random.Generator
) -> list[Path]:
    start_s = scenario.start_s + plan.after_s.draw(rng)
    after, rising = _ascent(plan, rng)
    row_s = scenario.truth_step_s
    log_beta = math.log(plan.ballistic_coefficient_kg_m2.draw(rng))
    breakup, parting = plan.breakup, plan.separation
    most_s, floor_m = MOST_S, 0.0
    if breakup is not None:
        most_s, floor_m = breakup.after_s.draw(rng) - after[-1], breakup.at_height_m.draw(rng)
        if most_s < 0.0:  # it breaks up before it is burnt out
            cut = max(int(np.searchsorted(after, after[-1] + most_s)), 2)
            times, states = _thin(after[:cut], rising[:cut], row_s)
            plume = (start_s, start_s + times[-1])
            carrier = Path(name, "carrier", None, start_s + times, states, plume, NEVER, None, 0.0, None)
            return [carrier, *_pieces(breakup, carrier, states[-1], weather, row_s, rng)]
    elif parting is not None:
        most_s = parting.after_burnout_s.draw(rng)
    times, states = _thin(after, rising, row_s)
    burnout = Flight(start_s + times[-1], np.append(states[-1], log_beta), SLENDER, 0.0)
    flown_s = min(max(most_s, 0.1), MOST_S)
    coast, last = _free(name, "carrier", burnout, weather, row_s, floor_m=floor_m, most_s=flown_s)
    carrier = _joined(coast, start_s + times, states)
    if breakup is not None and carrier.impact is None:
        return [carrier, *_pieces(breakup, carrier, last[:6], weather, row_s, rng)]
    if parting is not None and carrier.impact is None:
        return [carrier, *_separated(parting, carrier, last[:6], weather, row_s, rng)]
    return [carrier._replace(kind="body")]


def _joined(fall: Path, time_s: Floats, state: Floats) -> Path:
    """A free flight with the ascent before it."""
    return fall._replace(
        time_s=np.concatenate([time_s, fall.time_s[1:]]),
        state=np.concatenate([state, fall.state[1:]]),
        plume_s=(float(time_s[0]), float(time_s[-1])),
    )


def _child(
    parent: Path,
    name: str,
    kind: str,
    state: Floats,
    kick: Floats,
    beta: float,
    curve: int,
    sigma: float,
    weather: Floats,
    row_s: float,
) -> Path:
    start = np.concatenate([state[:3], state[3:6] + kick, [math.log(beta)]])
    flight = Flight(float(parent.time_s[-1]), start, curve, 0.0)
    path, _ = _free(name, kind, flight, weather, row_s)
    return path._replace(parent=parent.name, separation_speed_m_s=sigma)


def _separated(
    parting: Separation, carrier: Path, state: Floats, weather: Floats, row_s: float, rng: np.random.Generator
) -> list[Path]:
    name, out = carrier.name, []
    for i in range(parting.bodies):
        beta = parting.ballistic_coefficient_kg_m2.draw(rng)
        kick = rng.normal(size=3) * parting.body_speed_m_s
        sigma = parting.body_speed_m_s
        out.append(
            _child(carrier, f"{name}-body-{i + 1}", "body", state, kick, beta, SLENDER, sigma, weather, row_s)
        )
    if parting.stage:
        beta = parting.stage_ballistic_coefficient_kg_m2.draw(rng)
        speed = parting.stage_speed_m_s.draw(rng)
        kick = -speed * state[3:6] / np.linalg.norm(state[3:6]) + rng.normal(size=3) * 0.3 * speed
        kind = "stage"
        out.append(_child(carrier, f"{name}-stage", kind, state, kick, beta, BLUNT, speed, weather, row_s))
    for i in range(parting.debris):
        beta = parting.debris_ballistic_coefficient_kg_m2.draw(rng)
        kick = rng.normal(size=3) * parting.debris_speed_m_s
        label, sigma = f"{name}-debris-{i + 1}", parting.debris_speed_m_s
        out.append(_child(carrier, label, "debris", state, kick, beta, BLUNT, sigma, weather, row_s))
    return out


def _pieces(
    plan: Breakup, carrier: Path, state: Floats, weather: Floats, row_s: float, rng: np.random.Generator
) -> list[Path]:
    count = int(round(plan.pieces.draw(rng)))
    speed = plan.speed_m_s.draw(rng)
    digits = max(2, len(str(count)))
    out = []
    for i in range(count):
        beta = max(plan.ballistic_coefficient_kg_m2 * math.exp(plan.log_sigma * rng.normal()), 1.0)
        kick = rng.normal(size=3) * speed
        kind = "fragment" if beta >= DANGEROUS_KG_M2 else "debris"
        name = f"{carrier.name}-piece-{i + 1:0{digits}d}"
        out.append(_child(carrier, name, kind, state, kick, beta, BLUNT, speed, weather, row_s))
    return out


def _entry(
    plan: Entry, name: str, scenario: Scenario, weather: Floats, rng: np.random.Generator
) -> list[Path]:
    start_s = scenario.start_s + plan.after_s.draw(rng)
    latitude, longitude = draw_place(plan.region, rng)
    heading, elevation = plan.heading_deg.draw(rng) * DEGREE_RAD, plan.elevation_deg.draw(rng) * DEGREE_RAD
    speed = plan.speed_m_s.draw(rng)
    position = geodetic_to_ecef(latitude, longitude, plan.height_m.draw(rng))
    level = math.cos(elevation)
    local = np.array([level * math.sin(heading), level * math.cos(heading), math.sin(elevation)]) * speed
    log_beta = math.log(plan.ballistic_coefficient_kg_m2.draw(rng))
    start = np.concatenate([position, local @ enu_axes(latitude, longitude), [log_beta]])
    flight = Flight(start_s, start, BLUNT, plan.ablation_s2_m2.draw(rng))
    row_s = scenario.truth_step_s
    breakup = plan.breakup
    if breakup is None:
        kind = "meteoroid" if flight.ablation_s2_m2 > 0.0 else "body"
        path, _ = _free(name, kind, flight, weather, row_s)
        return [_glowing(path, plan.glow_speed_m_s)]
    floor_m, most_s = breakup.at_height_m.draw(rng), min(breakup.after_s.draw(rng), MOST_S)
    carrier, last = _free(name, "carrier", flight, weather, row_s, floor_m=floor_m, most_s=most_s)
    if carrier.impact is not None or carrier.time_s[-1] - start_s >= MOST_S:
        return [_glowing(carrier._replace(kind="body"), plan.glow_speed_m_s)]
    whole = [carrier, *_pieces(breakup, carrier, last[:6], weather, row_s, rng)]
    return [_glowing(p, plan.glow_speed_m_s) for p in whole]


def _orbit(
    plan: Orbit, name: str, scenario: Scenario, weather: Floats, rng: np.random.Generator
) -> list[Path]:
    start_s = scenario.start_s + plan.after_s.draw(rng)
    most_s = LONGEST_ORBIT_S if scenario.duration_s is None else scenario.duration_s
    start = draw_orbit(plan, rng)
    ln_air, noon = draw_air(plan, most_s, rng)
    times, states, low = circle(start, ln_air, noon, most_s)
    end, row_s, breakup = times[-1], scenario.truth_step_s, plan.breakup
    if not low:
        there = np.ascontiguousarray(states[:, :6])
        return [Path(name, "stage", None, start_s + times, there, NEVER, NEVER, None, 0.0, None)]
    # the air as it is now goes on to act, as a part of the coefficient
    last = states[-1].copy()
    last[6] -= np.interp(end, UNREST_S * np.arange(len(ln_air)), ln_air)
    flight = Flight(start_s + end, last, BLUNT, 0.0)
    floor_m, fall_s = 0.0, MOST_S
    if breakup is not None:
        floor_m, fall_s = breakup.at_height_m.draw(rng), min(breakup.after_s.draw(rng), MOST_S)
    fall, at_last = _free(name, "carrier", flight, weather, row_s, floor_m=floor_m, most_s=fall_s)
    path = _glowing(_joined(fall, start_s + times, states[:, :6]), GLOW_M_S)._replace(
        plume_s=NEVER, flight=None
    )
    if breakup is None or path.impact is not None or fall.time_s[-1] - flight.start_s >= MOST_S:
        return [path._replace(kind="stage")]
    return [path, *(_glowing(p, GLOW_M_S) for p in _pieces(breakup, path, at_last[:6], weather, row_s, rng))]


def _glowing(path: Path, speed_m_s: float) -> Path:
    """With the time while it is hot: faster than ``speed_m_s`` and below 110 km."""
    fast = np.linalg.norm(path.state[:, 3:], axis=1) > speed_m_s
    low = ecef_to_geodetic(path.state[:, :3])[2] < 110e3
    hot = path.time_s[fast & low]
    return path._replace(glow_s=(float(hot[0]), float(hot[-1])) if len(hot) else NEVER)


def _until(path: Path, end_s: float) -> Path:
    """The rows up to the end of the recording, the last one at it."""
    if path.time_s[-1] <= end_s:
        return path
    keep = int(np.searchsorted(path.time_s, end_s, "right"))
    if path.time_s[keep - 1] < end_s - 1e-3:
        last = interpolate(path.time_s, path.state, np.array([end_s]))
        return path._replace(
            time_s=np.append(path.time_s[:keep], end_s), state=np.vstack([path.state[:keep], last])
        )
    return path._replace(time_s=path.time_s[:keep], state=path.state[:keep])
