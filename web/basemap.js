// Land, borders and country names for the globe, made at build time from world-atlas (Natural Earth 1:50m).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoArea, geoContains, geoEquirectangular } from "d3-geo";
import { geoProject } from "d3-geo-projection";
import { feature, mesh } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";

const UNITS = 200; // per degree: 0.005 degrees, 560 m
const LEAST_TRIANGLE = 4e-4; // square degrees; corners that matter less are dropped (Visvalingam 1993)
const LEAST_ISLAND = 2e-6; // steradians, about 80 km2
const LEAST_REPEATED = 8e-3; // steradians, about 320,000 km2
const LATTICE = 6; // degrees of latitude
const LEAST_NAMED = 1e-4; // steradians, about 4,000 km2

// Natural Earth draws a border across the isthmus of Perekop. Crimea is Ukraine (UN General Assembly
// resolution 68/262), and a page that warns people there says so: the line is left out.
const NO_BORDER = { countries: ["Russia", "Ukraine"], west: 32, east: 36.7, south: 44, north: 46.4 };

/** Rings and lines as text: differences of lon, lat in 1/UNITS degrees, base 36. */
function encode(line) {
  let x = 0;
  let y = 0;
  const out = [];
  for (const [lon, lat] of line) {
    const nx = Math.round(lon * UNITS);
    const ny = Math.round(lat * UNITS);
    if (out.length && nx === x && ny === y) continue;
    out.push((nx - x).toString(36), (ny - y).toString(36));
    x = nx;
    y = ny;
  }
  return out.join(" ");
}

/** Cut at the antimeridian and without false edges along it; coordinates stay in degrees. */
function cut(geometry) {
  // geoProject tells holes from outlines by their sense on a screen, where y points down: turned up only afterwards
  const projected = geoProject(geometry, geoEquirectangular().scale(180 / Math.PI).translate([0, 0]).precision(0));
  const up = (c) => (typeof c[0] === "number" ? [c[0], -c[1]] : c.map(up));
  return { ...projected, coordinates: up(projected.coordinates) };
}

const polygonsOf = (g) => (g.type === "Polygon" ? [g.coordinates] : g.type === "MultiPolygon" ? g.coordinates : []);
const linesOf = (g) => (g.type === "LineString" ? [g.coordinates] : g.type === "MultiLineString" ? g.coordinates : []);
const inBox = ([lon, lat]) =>
  lon > NO_BORDER.west && lon < NO_BORDER.east && lat > NO_BORDER.south && lat < NO_BORDER.north;

/** The pieces of a line that stay when every segment between two left-out points goes. */
function without(line, leftOut) {
  const pieces = [[line[0]]];
  for (let i = 1; i < line.length; i++) {
    if (leftOut.has(String(line[i])) && leftOut.has(String(line[i - 1]))) pieces.push([line[i]]);
    else pieces.at(-1).push(line[i]);
  }
  return pieces.filter((piece) => piece.length > 1);
}

export function basemap() {
  const file = createRequire(import.meta.url).resolve("world-atlas/countries-50m.json");
  const whole = presimplify(JSON.parse(readFileSync(file, "utf8")));
  const topology = simplify(whole, LEAST_TRIANGLE);
  const { countries, land } = topology.objects;

  const islands = feature(topology, land).features
    .flatMap((f) => polygonsOf(f.geometry))
    .map((coordinates) => ({ type: "Polygon", coordinates }))
    .filter((polygon) => geoArea(polygon) > LEAST_ISLAND);
  const landRings = islands
    .flatMap((polygon) => polygonsOf(cut(polygon)))
    .map((polygon) => polygon.map(encode).filter((ring) => ring.split(" ").length >= 8));

  const betweenThem = mesh(topology, countries, (a, b) =>
    a !== b && [a, b].every((c) => NO_BORDER.countries.includes(c.properties.name)));
  const leftOut = new Set(linesOf(betweenThem).flat().filter(inBox).map(String));
  const coordinates = linesOf(mesh(topology, countries, (a, b) => a !== b)).flatMap((l) => without(l, leftOut));
  const borderLines = linesOf(cut({ type: "MultiLineString", coordinates })).map(encode);

  const names = feature(topology, countries).features
    .filter((f) => geoArea(f) > LEAST_NAMED)
    .map((f) => [f.properties.name, rank(f), labelPoint(f.geometry), ...morePoints(f)]);
  return { units: UNITS, land: landRings.filter((p) => p.length), borders: borderLines, names };
}

const rank = (f) => Math.round(Math.log10(geoArea(f)) * 100) / 100;

/** A lattice of further points for the name of a large country, for a map that shows only a part of it. */
function morePoints(f) {
  const out = [];
  if (geoArea(f) < LEAST_REPEATED) return out;
  const shrunk = LATTICE / 3; // a name needs room on both sides
  for (let lat = -78; lat <= 78; lat += LATTICE) {
    const every = Math.round(LATTICE / Math.cos((lat * Math.PI) / 180));
    for (let lon = -180; lon < 180; lon += every) {
      if ([-shrunk, 0, shrunk].every((d) => geoContains(f, [lon + d, lat]))) out.push([lon, lat]);
    }
  }
  return out;
}

/** A point well inside the largest polygon: the middle of the widest stretch along the middle latitudes. */
function labelPoint(geometry) {
  const areas = polygonsOf(geometry).map((coordinates) => ({ type: "Polygon", coordinates }));
  const [ring] = areas.reduce((a, b) => (geoArea(a) > geoArea(b) ? a : b)).coordinates;
  const lats = ring.map((p) => p[1]);
  const low = Math.min(...lats);
  const high = Math.max(...lats);
  let best = [ring[0], -1];
  for (const part of [0.35, 0.42, 0.5, 0.58, 0.65]) {
    const lat = low + (high - low) * part;
    const crossings = [];
    ring.forEach(([lon, y], i) => {
      const [nextLon, nextLat] = ring[(i + 1) % ring.length];
      if (y < lat !== nextLat < lat) crossings.push(lon + ((lat - y) / (nextLat - y)) * (nextLon - lon));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const width = crossings[i + 1] - crossings[i];
      if (width > best[1]) best = [[(crossings[i] + crossings[i + 1]) / 2, lat], width];
    }
  }
  return best[0].map((v) => Math.round(v * 10) / 10);
}
