// Where the camera stands so that points in the air and on the ground all show.

import type { Point } from "./data";

export type Spot = [lon: number, lat: number, height_m: number];

export interface Camera {
  center: Point;
  zoom: number;
  pitch: number;
  bearing: number;
}

const EARTH_RADIUS_M = 6371008.8;
const DEGREE = Math.PI / 180;
const ALTITUDE = 1.5; // MapLibre's camera stands 1.5 screen heights from its centre (field of view 36.87 degrees)
const TILE = 512;
const ROUNDS = 16;
const NEARBY = 1.8; // times the size of an event
const MAX_LATITUDE = 80; // of the camera's centre, degrees
const MAX_TURN = 50; // degrees away from north up that a better view of a path is worth

interface Frame {
  width: number;
  height: number;
  margin: number; // px
  pitch: number; // degrees
  bearing: number; // degrees, what is up on the screen, clockwise from north
  maxZoom: number;
}

/** Screen offsets (px, x right, y up) from the centre of a globe with this radius in px; null behind the camera. */
function project(spot: Spot, center: Point, radius: number, { pitch, bearing, height }: Frame): Point | null {
  const [lon, lat] = [(spot[0] - center[0]) * DEGREE, spot[1] * DEGREE];
  const at = center[1] * DEGREE;
  const r = radius * (1 + spot[2] / EARTH_RADIUS_M);
  const east = r * Math.cos(lat) * Math.sin(lon);
  const north = r * (Math.cos(at) * Math.sin(lat) - Math.sin(at) * Math.cos(lat) * Math.cos(lon));
  const up = r * (Math.sin(at) * Math.sin(lat) + Math.cos(at) * Math.cos(lat) * Math.cos(lon)) - radius;
  const [tilt, turn] = [pitch * DEGREE, bearing * DEGREE];
  const right = east * Math.cos(turn) - north * Math.sin(turn);
  const ahead = east * Math.sin(turn) + north * Math.cos(turn);
  const depth = ALTITUDE * height + ahead * Math.sin(tilt) - up * Math.cos(tilt);
  if (depth < 0.15 * height) return null;
  const scale = (ALTITUDE * height) / depth;
  return [right * scale, (ahead * Math.cos(tilt) + up * Math.sin(tilt)) * scale];
}

function box(spots: Spot[], center: Point, zoom: number, frame: Frame) {
  const radius = (TILE * 2 ** zoom) / (2 * Math.PI * Math.cos(center[1] * DEGREE));
  let [west, east, south, north] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const spot of spots) {
    const at = project(spot, center, radius, frame);
    if (!at) return null;
    [west, east] = [Math.min(west, at[0]), Math.max(east, at[0])];
    [south, north] = [Math.min(south, at[1]), Math.max(north, at[1])];
  }
  return { west, east, south, north, radius };
}

/** The closest camera that has all spots inside the margins, at the given pitch and bearing. */
export function fit(spots: Spot[], frame: Frame): Camera {
  let center: Point = middle(spots);
  let zoom = 2;
  for (let round = 0; round < ROUNDS; round++) {
    let [low, high] = [-2, frame.maxZoom];
    for (let i = 0; i < 20; i++) {
      const tried = (low + high) / 2;
      const seen = box(spots, center, tried, frame);
      const fits =
        seen &&
        seen.east - seen.west <= frame.width - 2 * frame.margin &&
        seen.north - seen.south <= frame.height - 2 * frame.margin;
      if (fits) low = tried;
      else high = tried;
    }
    zoom = low;
    const seen = box(spots, center, zoom, frame);
    if (!seen) break;
    const perDegree = seen.radius * DEGREE;
    const step = (round < ROUNDS / 2 ? 0.4 : 0.2) / perDegree;
    const turn = frame.bearing * DEGREE;
    const right = step * (seen.west + seen.east);
    const ahead = (step * (seen.south + seen.north)) / Math.cos(frame.pitch * DEGREE);
    const north = ahead * Math.cos(turn) - right * Math.sin(turn);
    const east = ahead * Math.sin(turn) + right * Math.cos(turn);
    center = [
      center[0] + east / Math.cos(center[1] * DEGREE),
      Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, center[1] + north)),
    ];
  }
  return { center, zoom, pitch: frame.pitch, bearing: frame.bearing };
}

/** Mean direction from the Earth's centre, which knows no antimeridian. */
function middle(spots: Spot[]): Point {
  let [x, y, z] = [0, 0, 0];
  for (const [lon, lat] of spots) {
    x += Math.cos(lat * DEGREE) * Math.cos(lon * DEGREE);
    y += Math.cos(lat * DEGREE) * Math.sin(lon * DEGREE);
    z += Math.sin(lat * DEGREE);
  }
  return [Math.atan2(y, x) / DEGREE, Math.atan2(z, Math.hypot(x, y)) / DEGREE];
}

/** The spots that lie not much farther from the middle of the others than these do themselves. */
export function nearby(spots: Spot[], others: Spot[]): Spot[] {
  const center = middle(others);
  const away = (spot: Spot) => Math.hypot(...eastNorth(spot, center));
  const reach = NEARBY * others.reduce((most, spot) => Math.max(most, away(spot)), 0);
  return spots.filter((spot) => away(spot) <= reach);
}

/** Degrees of arc east and north of a centre, on a flat map. */
function eastNorth([lon, lat]: Spot, [lon0, lat0]: Point): Point {
  const turn = ((((lon - lon0 + 180) % 360) + 360) % 360) - 180;
  return [turn * Math.cos(lat0 * DEGREE), lat - lat0];
}

/** The bearing that shows the spots broadside, as far as north may still be recognised as up. */
export function broadside(spots: Spot[]): number {
  const center = middle(spots);
  let [xx, xy, yy] = [0, 0, 0];
  for (const spot of spots) {
    const [x, y] = eastNorth(spot, center);
    [xx, xy, yy] = [xx + x * x, xy + x * y, yy + y * y];
  }
  // the long axis of the ground track, degrees anticlockwise from east, in (-90, 90]
  const axis = Math.atan2(2 * xy, xx - yy) / 2 / DEGREE;
  return Math.max(-MAX_TURN, Math.min(MAX_TURN, -axis));
}
