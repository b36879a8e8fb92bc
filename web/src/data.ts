// The data block that Python wrote into the page (formats/map_data.py), unpacked.

export type Point = [lon: number, lat: number];
export type Ring = Point[];

export interface Sensor {
  name: string;
  orbit: boolean;
  at: Point;
  view: Ring | null;
}

export interface Track {
  name: string;
  time: Float64Array; // s since start
  position: Float64Array; // lon, lat, height_m, one after the other
  phase: [first: number, phase: number][]; // 0 boost, 1 coast, 2 re-entry, 3 other
}

export interface Area {
  track: number;
  from: number;
  until: number;
  rings: Ring[];
}

/** The track under which a decaying orbit may end, with the time for which that was the word. */
export interface Window {
  from: number;
  until: number;
  line: Ring;
}

export interface Message {
  id: string;
  sent: number;
  until: number;
  stage: string;
  due: number; // the first arrival that it tells of
  rings: Ring[];
  places: Place[];
}

export interface Place {
  name: string;
  names: Record<string, string>; // by language, where another than `name` is known
  at: Point;
  people: number;
}

export interface Impact {
  name: string;
  time: number;
  at: Point;
}

export interface Data {
  start: number; // s since 1970 UTC
  length: number; // s
  impact: number | null; // s since start
  sensors: Sensor[];
  tracks: Track[];
  areas: Area[];
  releases: Area[]; // where what a track may still release would come down
  windows: Window[];
  messages: Message[];
  impacts: Impact[];
}

const DEGREE = 1e-4;
const TIME = 0.1;
const HEIGHT = 10;

export function summed(differences: number[], unit: number): Float64Array {
  let sum = 0;
  return Float64Array.from(differences, (d) => (sum += d) * unit);
}

function ring(differences: number[]): Ring {
  const out: Ring = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < differences.length; i += 2) {
    x += differences[i]!;
    y += differences[i + 1]!;
    out.push([x * DEGREE, y * DEGREE]);
  }
  return out;
}

function area(row: any): Area {
  return { track: row[0], from: row[1] * TIME, until: row[2] * TIME, rings: row[3].map(ring) };
}

export function read(text: string): Data {
  const raw = JSON.parse(text);
  return {
    start: raw.start,
    length: raw.end - raw.start,
    impact: raw.impact === null ? null : raw.impact - raw.start,
    sensors: raw.sensors.map((s: any) => ({
      ...s,
      at: [s.at[0] * DEGREE, s.at[1] * DEGREE],
      view: s.view && ring(s.view),
    })),
    tracks: raw.tracks.map((t: any) => {
      const [x, y, z] = [summed(t.x, DEGREE), summed(t.y, DEGREE), summed(t.z, HEIGHT)];
      const position = new Float64Array(3 * x.length);
      for (let i = 0; i < x.length; i++) position.set([x[i]!, y[i]!, z[i]!], 3 * i);
      return { name: t.name, time: summed(t.t, TIME), position, phase: t.phase };
    }),
    areas: raw.areas.map(area),
    releases: raw.releases.map(area),
    windows: (raw.windows ?? []).map((w: any) => ({ from: w[0] * TIME, until: w[1] * TIME, line: ring(w[2]) })),
    messages: raw.messages.map((m: any) => ({
      id: m.id,
      sent: m.sent * TIME,
      until: m.until * TIME,
      stage: m.stage,
      due: m.due * TIME,
      rings: m.rings.map(ring),
      places: m.places.map((p: any) => ({ name: p[0], at: [p[1] * DEGREE, p[2] * DEGREE], people: p[3], names: p[4] })),
    })),
    impacts: raw.impacts.map((i: any) => ({ name: i[0], time: i[1] * TIME, at: [i[2] * DEGREE, i[3] * DEGREE] })),
  };
}

/** How many of the ascending values are <= x. */
export function countUntil(values: Float64Array, x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
