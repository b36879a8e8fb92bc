// The packed basemap: text of base-36 differences in 1/units degrees (see basemap.js).

type Line = [number, number][];

export interface Base {
  land: Line[][];
  borders: Line[];
  names: [name: string, rank: number, ...points: [number, number][]][];
}

export function base(text: string): Base {
  const raw = JSON.parse(text);
  const line = (packed: string): Line => {
    const steps = packed.split(" ").map((step) => parseInt(step, 36));
    const out: Line = [];
    for (let i = 0, x = 0, y = 0; i < steps.length; i += 2) {
      x += steps[i]!;
      y += steps[i + 1]!;
      out.push([x / raw.units, y / raw.units]);
    }
    return out;
  };
  return {
    land: raw.land.map((polygon: string[]) => polygon.map((ring) => line(ring)).map(closed)),
    borders: raw.borders.map(line),
    names: raw.names,
  };
}

const closed = (ring: Line): Line => (String(ring[0]) === String(ring.at(-1)) ? ring : [...ring, ring[0]!]);
