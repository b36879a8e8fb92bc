// Colours and MapLibre layers of the globe.

import type { ExpressionFilterSpecification, LayerSpecification, StyleSpecification, SymbolLayerSpecification } from "maplibre-gl";

export type Colour = [red: number, green: number, blue: number];

export interface Theme {
  water: string;
  land: string;
  coast: string;
  border: string;
  name: string;
  halo: string;
  text: string;
  alert: string;
  ready: string;
  readyFill: string;
  clear: string;
  area: string;
  window: string;
  sensor: string;
  impact: string;
  phases: [boost: Colour, coast: Colour, reentry: Colour, other: Colour];
}

export const DARK: Theme = {
  water: "#07111f", land: "#213044", coast: "#3f566e", border: "#4c637b", name: "#8ba1b7", halo: "#07111f",
  text: "#ffffff", alert: "#ff4d3d", ready: "#f5a300", readyFill: "#f5a300", clear: "#3ecf8e", area: "#ffc247", window: "#c9a0ff", sensor: "#8fb8ff", impact: "#ffffff",
  phases: [[255, 130, 220], [110, 215, 255], [255, 170, 60], [150, 165, 180]],
};

export const LIGHT: Theme = {
  water: "#cfe0ec", land: "#f6f3ea", coast: "#8fa5b5", border: "#a59f90", name: "#6a675e", halo: "#ffffff",
  text: "#10151c", alert: "#c8102e", ready: "#8a5200", readyFill: "#ffb81c", clear: "#0a7a4b", area: "#a85b00", window: "#6b2fb3", sensor: "#2451a6", impact: "#10151c",
  phases: [[170, 20, 130], [0, 95, 160], [190, 75, 0], [105, 115, 125]],
};

/** Sources that the globe fills while the clock runs. */
export const LIVE = ["alerts", "readies", "clears", "areas", "releases", "windows", "places", "impacts"] as const;
export type Live = (typeof LIVE)[number];

const AGAIN_ZOOM = 4; // from here a large country may carry its name more than once
// Far away only the largest towns of a warning are drawn, close by all of them.
const LARGE_ENOUGH: ExpressionFilterSpecification = ["<", ["get", "order"], ["step", ["zoom"], 3, 7, 12, 8, 40]];
const EMPTY = { type: "FeatureCollection", features: [] } as const;

export function layers(theme: Theme): LayerSpecification[] {
  const label = { "text-color": theme.text, "text-halo-color": theme.halo, "text-halo-width": 1.6 };
  return [
    { id: "water", type: "background", paint: { "background-color": theme.water } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": theme.land } },
    { id: "coast", type: "line", source: "land", paint: { "line-color": theme.coast, "line-width": 0.8 } },
    { id: "borders", type: "line", source: "borders", paint: { "line-color": theme.border, "line-width": 1, "line-dasharray": [3, 2] } },
    { id: "views", type: "fill", source: "views", paint: { "fill-color": theme.sensor, "fill-opacity": 0.015 } },
    { id: "view-edges", type: "line", source: "views", paint: { "line-color": theme.sensor, "line-opacity": 0.3, "line-width": 1, "line-dasharray": [1, 3] } },
    { id: "clears", type: "fill", source: "clears", paint: { "fill-color": theme.clear, "fill-opacity": 0.15 } },
    { id: "clear-edges", type: "line", source: "clears", paint: { "line-color": theme.clear, "line-width": 2, "line-dasharray": [2, 1.5] } },
    { id: "readies", type: "fill", source: "readies", paint: { "fill-color": theme.readyFill, "fill-opacity": 0.3 } },
    { id: "ready-edges", type: "line", source: "readies", paint: { "line-color": theme.ready, "line-width": 3, "line-dasharray": [4, 1.5] } },
    { id: "alerts", type: "fill", source: "alerts", paint: { "fill-color": theme.alert, "fill-opacity": 0.3 } },
    { id: "alert-edges", type: "line", source: "alerts", paint: { "line-color": theme.alert, "line-width": 2.5 } },
    { id: "areas", type: "fill", source: "areas", paint: { "fill-color": theme.area, "fill-opacity": 0.2 } },
    { id: "area-edges", type: "line", source: "areas", paint: { "line-color": theme.area, "line-width": 1.5 } },
    { id: "windows", type: "line", source: "windows", paint: { "line-color": theme.window, "line-width": 2, "line-opacity": 0.8, "line-dasharray": [3, 2] } },
    { id: "release-edges", type: "line", source: "releases", paint: { "line-color": theme.area, "line-width": 1.2, "line-dasharray": [4, 3] } },
    {
      id: "sensors", type: "circle", source: "sensors",
      paint: { "circle-radius": 4, "circle-color": theme.halo, "circle-stroke-color": theme.sensor, "circle-stroke-width": 2 },
    },
    {
      id: "impacts", type: "circle", source: "impacts",
      paint: { "circle-radius": 4, "circle-color": theme.impact, "circle-stroke-color": theme.alert, "circle-stroke-width": 2 },
    },
    {
      id: "place-dots", type: "circle", source: "places", filter: LARGE_ENOUGH,
      paint: { "circle-radius": 2.5, "circle-color": theme.text, "circle-stroke-color": theme.halo, "circle-stroke-width": 1 },
    },
    names("names-again", theme, { filter: ["get", "again"], minzoom: AGAIN_ZOOM }),
    {
      id: "sensor-names", type: "symbol", source: "sensors",
      layout: { "text-field": ["get", "name"], "text-size": 12, "text-variable-anchor": ["top", "bottom", "right"], "text-radial-offset": 0.7 },
      paint: { ...label, "text-color": theme.sensor },
    },
    names("names", theme, { filter: ["!", ["get", "again"]] }),
    {
      id: "places", type: "symbol", source: "places", filter: LARGE_ENOUGH,
      layout: {
        "text-field": ["get", "name"], "text-size": ["interpolate", ["linear"], ["get", "people"], 2e4, 12, 1e6, 16],
        "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.5, "text-justify": "auto",
        "symbol-sort-key": ["-", 0, ["get", "people"]],
      },
      paint: label,
    },
  ];
}

function names(id: string, theme: Theme, when: Partial<SymbolLayerSpecification>): LayerSpecification {
  return {
    id, type: "symbol", source: "names", ...when,
    layout: {
      "text-field": ["get", "name"], "text-size": 12, "text-letter-spacing": 0.08, "text-transform": "uppercase",
      "text-max-width": 7, "symbol-sort-key": ["-", 0, ["get", "rank"]], "text-padding": when.minzoom ? 110 : 2,
    },
    paint: { "text-color": theme.name, "text-halo-color": theme.halo, "text-halo-width": 1 },
  };
}

export function style(theme: Theme, fixed: Record<string, GeoJSON.FeatureCollection>): StyleSpecification {
  const data = { ...Object.fromEntries(LIVE.map((name) => [name, EMPTY])), ...fixed };
  return {
    version: 8,
    projection: { type: "globe" },
    sources: Object.fromEntries(
      Object.entries(data).map(([name, collection]) => [name, { type: "geojson", data: collection as GeoJSON.GeoJSON }]),
    ),
    layers: layers(theme),
  };
}
