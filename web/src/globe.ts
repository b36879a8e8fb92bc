// The globe: MapLibre draws the ground, deck.gl the paths in the air, at their true heights.

import { PathLayer, ScatterplotLayer } from "@deck.gl/layers";
import { MapLibreOverlay } from "@deck.gl/maplibre";
import { type GeoJSONSource, Map as MapLibre, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerCode from "maplibre-gl/dist/maplibre-gl-worker.mjs?raw";
import { basemapCollections } from "./base";
import { countUntil, type Data, type Ring, type Track } from "./data";
import { broadside, type Camera, fit, nearby, type Spot } from "./fit";
import { standing } from "./panel";
import { type Colour, DARK, layers, LIGHT, type Live, style, type Theme } from "./style";
import { chosen, inLanguage, WORDS } from "./words";

const OTHER = 3; // phase of what does not come down
const WAKE_S = 90; // how much of the path of an aircraft or a satellite stays
const PITCH = 55; // shows heights
const QUIET_PITCH = 20; // where nothing comes down, the ground matters more
const MAX_PLACES = 40;
const AROUND = 40; // degrees about the end of a decaying orbit, to either side

export interface Globe {
  show: (time: number) => void;
  whole: () => void;
  warned: () => void;
  zoom: (by: number) => void;
  north: () => void;
  onTurn: (callback: (bearing: number) => void) => void;
  relabel: () => void;
}

type Vec = [number, number, number];
interface Wake {
  path: Float64Array;
  colour: Colour | [...Colour, number];
  width: number;
}

/** Throws where there is no WebGL 2. */
export function createGlobe(container: HTMLElement, data: Data): Globe {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let theme: Theme = scheme.matches ? DARK : LIGHT;
  let time = 0;
  let moved = false;

  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("no WebGL 2");
  setWorkerUrl(URL.createObjectURL(new Blob([workerCode], { type: "text/javascript" })));
  const decays = decaying(data);
  const wholePitch = decays ? 0 : data.tracks.some(falls) ? PITCH : QUIET_PITCH;
  const start = camera(wholeSpots(data), wholePitch);
  const map = new MapLibre({
    container,
    style: style(theme, { ...basemapCollections(chosen() || "en"), ...sensorCollections(data) }),
    ...start,
    maxPitch: 80,
    attributionControl: false,
    cooperativeGestures: matchMedia("(pointer: coarse)").matches,
    pixelRatio: Math.min(devicePixelRatio, 2),
    canvasContextAttributes: { antialias: devicePixelRatio < 2 },
    locale: { "CooperativeGesturesHandler.MobileHelpText": inLanguage(WORDS.fingers, chosen() || "en") },
  });
  const overlay = new MapLibreOverlay({ interleaved: true, layers: [] });
  const ready = map.once("load").then(() => {
    map.addControl(overlay);
    map.addControl(new ScaleControl({ maxWidth: 130 }), "bottom-right");
    draw();
    map.once("idle", () => (container.dataset.state = "ready"));
  });
  map.on("movestart", (event) => (moved ||= "originalEvent" in event && Boolean(event.originalEvent)));
  map.on("resize", () => moved || map.jumpTo(camera(wholeSpots(data), wholePitch)));
  scheme.addEventListener("change", async () => {
    theme = scheme.matches ? DARK : LIGHT;
    await ready;
    for (const layer of layers(theme)) {
      for (const [name, value] of Object.entries(layer.paint ?? {})) map.setPaintProperty(layer.id, name as never, value as never);
    }
    draw();
  });

  function camera(spots: Spot[], pitch: number): Camera {
    const { clientWidth: width, clientHeight: height } = container;
    const bearing = !decays && pitch && data.tracks.some(falls) ? broadside(spots) : 0;
    return fit(spots, { width, height, margin: Math.min(width, height) * 0.09, pitch, bearing, maxZoom: 9.5 });
  }

  const drawn = new Map<Live, string>();
  function put(name: Live, key: string, features: () => GeoJSON.Feature[]): void {
    if (drawn.get(name) === key) return;
    drawn.set(name, key);
    (map.getSource(name) as GeoJSONSource).setData({ type: "FeatureCollection", features: features() });
  }

  function draw(): void {
    const current = standing(data, time);
    const warnings = current.filter((m) => m.stage === "take-cover");
    const readies = current.filter((m) => m.stage === "prepare");
    const clears = current.filter((m) => m.stage !== "take-cover" && m.stage !== "prepare");
    const areas = data.areas.filter((a) => a.from <= time && time < a.until);
    const releases = data.releases.filter((a) => a.from <= time && time < a.until);
    const fallen = data.impacts.filter((i) => i.time <= time);
    const named = warnings.length || readies.length ? [...warnings, ...readies] : clears;
    const places = named.flatMap((m) => m.places);
    const key = (list: { id: string }[]) => list.map((m) => m.id).join(" ");
    put("alerts", key(warnings), () => warnings.flatMap((m) => m.rings.map(polygon)));
    put("readies", key(readies), () => readies.flatMap((m) => m.rings.map(polygon)));
    put("clears", key(clears), () => clears.flatMap((m) => m.rings.map(polygon)));
    put("areas", areas.map((a) => `${a.track}:${a.from}`).join(" "), () => areas.flatMap((a) => a.rings.map(polygon)));
    const lines = data.windows.filter((w) => w.from <= time && time < w.until);
    put("windows", lines.map((w) => w.from).join(" "), () => lines.map((w) => line(w.line)));
    put("releases", releases.map((a) => `${a.track}:${a.from}`).join(" "), () => releases.flatMap((a) => a.rings.map(polygon)));
    put("impacts", String(fallen.length), () => fallen.map((i) => point(i.at, { name: i.name })));
    const language = (chosen() || "en").split("-")[0]!;
    put("places", `${language} ${key(named)}`, () => {
      const seen = new Map(places.map((p) => [`${p.name} ${p.at}`, p]));
      const largest = [...seen.values()].sort((a, b) => b.people - a.people).slice(0, MAX_PLACES);
      return largest.map((p, order) => point(p.at, { name: p.names[language] ?? p.name, people: p.people, order }));
    });

    const wakes: Wake[] = [];
    const heads: { at: Vec; colour: Colour; plain: boolean }[] = [];
    for (const track of data.tracks) collect(track, time, theme, wakes, heads);
    for (const { at, colour, plain } of heads) {
      if (!plain) wakes.push({ path: Float64Array.of(...at, at[0], at[1], 0), colour: [...colour, 110], width: 1 });
    }
    const under: object = { beforeId: "names-again" }; // the labels stay above
    overlay.setProps({
      layers: [
        new PathLayer<Wake>({
          id: "wakes", ...under, data: wakes, widthUnits: "pixels", billboard: true, capRounded: true, jointRounded: true,
          positionFormat: "XYZ", getPath: (w) => w.path as never, getWidth: (w) => w.width, getColor: (w) => w.colour,
        }),
        new ScatterplotLayer<(typeof heads)[number]>({
          id: "heads", ...under, data: heads, radiusUnits: "pixels", billboard: true, stroked: true, lineWidthUnits: "pixels",
          getPosition: (h) => h.at, getRadius: (h) => (h.plain ? 2.5 : 5), getFillColor: (h) => h.colour,
          getLineColor: theme === DARK ? [255, 255, 255] : [20, 20, 20], getLineWidth: 1.5,
        }),
      ],
    });
  }

  return {
    show(at) {
      time = at;
      if (map.isStyleLoaded() || container.dataset.state) draw();
    },
    whole: () => void map.easeTo({ ...camera(wholeSpots(data), wholePitch), duration: 1200 }),
    warned: () => void map.easeTo({ ...camera(groundSpots(data, time), 0), duration: 1200 }),
    zoom: (by) => void map.easeTo({ zoom: map.getZoom() + by, duration: 250 }),
    north: () => void map.easeTo({ bearing: 0, pitch: 0, duration: 600 }),
    onTurn(callback) {
      map.on("rotate", () => callback(map.getBearing()));
      callback(map.getBearing());
    },
    async relabel() {
      await ready;
      (map.getSource("names") as GeoJSONSource).setData(basemapCollections(chosen() || "en").names!);
      draw();
    },
  };
}

const point = (at: [number, number], properties: object): GeoJSON.Feature =>
  ({ type: "Feature", properties, geometry: { type: "Point", coordinates: at } });
const line = (ring: Ring): GeoJSON.Feature =>
  ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: ring } });
const polygon = (ring: Ring): GeoJSON.Feature =>
  ({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } });
const collection = (features: GeoJSON.Feature[]): GeoJSON.FeatureCollection => ({ type: "FeatureCollection", features });

function sensorCollections(data: Data): Record<string, GeoJSON.FeatureCollection> {
  return {
    sensors: collection(data.sensors.map((s) => point(s.at, { name: s.name }))),
    views: collection(data.sensors.flatMap((s) => (s.view ? [polygon(s.view)] : []))),
  };
}

/** The part of a track that is past, a piece for each phase, and where it is now. */
function collect(track: Track, time: number, theme: Theme, wakes: Wake[], heads: { at: Vec; colour: Colour; plain: boolean }[]): void {
  const count = countUntil(track.time, time);
  if (!count) return;
  const alive = count < track.time.length;
  track.phase.forEach(([first, phase], i) => {
    const end = Math.min(count, (track.phase[i + 1]?.[0] ?? track.time.length - 1) + 1);
    const begin = phase === OTHER ? Math.max(first, countUntil(track.time, time - WAKE_S)) : first;
    if (begin >= end) return;
    const colour = theme.phases[phase] ?? theme.phases[OTHER];
    const last = alive && end === count;
    const path = track.position.slice(3 * begin, 3 * end + (last ? 3 : 0));
    const at = head(track, count, time);
    if (last) path.set(at, path.length - 3);
    if (path.length >= 6) wakes.push({ path, colour, width: phase === OTHER ? 1.2 : 2.5 });
    if (last) heads.push({ at, colour, plain: phase === OTHER });
  });
}

function head(track: Track, count: number, time: number): Vec {
  const i = Math.min(count, track.time.length - 1);
  const [before, after] = [track.time[count - 1]!, track.time[i]!];
  const part = after > before ? (time - before) / (after - before) : 0;
  return [0, 1, 2].map((k) => {
    const [a, b] = [track.position[3 * (count - 1) + k]!, track.position[3 * i + k]!];
    return a + (b - a) * part;
  }) as Vec;
}

const falls = (track: Track): boolean => track.phase.some(([, phase]) => phase !== OTHER);

/** Whether orbits decay and nothing was warned of: what flew then went round the Earth many times. */
const decaying = (data: Data): boolean => data.windows.length > 0 && data.messages.length === 0;

/** About where it came down in truth, else the middle of the last line under which it may. */
function decaySpots(data: Data): Spot[] {
  const last = data.windows[data.windows.length - 1]!.line;
  const [lon, lat] = data.impacts[0]?.at ?? last[last.length >> 1]!;
  const reach = [[-AROUND, 0], [AROUND, 0], [0, -AROUND], [0, AROUND]] as const;
  return reach.map(([x, y]) => [lon + x, Math.max(-80, Math.min(80, lat + y)), 0]);
}

/** What the camera must see: what flies and comes down, else everything tracked, else the sensors. */
function wholeSpots(data: Data): Spot[] {
  if (decaying(data)) return decaySpots(data);
  const paths = (falling: boolean) =>
    data.tracks
      .filter((t) => !falling || falls(t))
      .flatMap((t) => Array.from(t.time, (_, i) => [...t.position.slice(3 * i, 3 * i + 3)] as unknown as Spot))
      .filter((_, i, all) => i % Math.ceil(all.length / 2000) === 0);
  const flat = (rings: Ring[]): Spot[] => rings.flat().map(([lon, lat]) => [lon, lat, 0]);
  const warned = data.messages.flatMap((m) => flat(m.rings));
  const found = [...paths(true), ...warned, ...data.impacts.map((i): Spot => [i.at[0], i.at[1], 0])];
  const standing = data.sensors.filter((s) => !s.orbit).map((s): Spot => [s.at[0], s.at[1], 0]);
  if (found.length) return [...found, ...nearby(standing, found)];
  const stations = data.sensors.filter((s) => !s.orbit).flatMap((s) => flat([s.view ?? [s.at]]));
  return stations.length ? stations : paths(false).length ? paths(false) : [[31, 48, 0], [31.5, 48.5, 0]];
}

/** What is warned at a moment; where nothing is, everything ever warned, else the whole event. */
function groundSpots(data: Data, time: number): Spot[] {
  const flat = (rings: Ring[]): Spot[] => rings.flat().map(([lon, lat]) => [lon, lat, 0]);
  const now = standing(data, time).flatMap((m) => flat(m.rings));
  const ever = data.messages.flatMap((m) => flat(m.rings));
  return now.length ? now : ever.length ? ever : wholeSpots(data);
}
