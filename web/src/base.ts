// Coastlines, borders and country names, unpacked from what basemap.js packed.

import packed from "virtual:basemap";
import { base, type Base } from "./base-format";

const map: Base = base(packed);

const feature = (geometry: GeoJSON.Geometry, properties: object = {}): GeoJSON.Feature => ({ type: "Feature", properties, geometry });

/** Sources `land`, `borders` and `names`, the names in the given language as the browser knows them. */
export function basemapCollections(language: string): Record<string, GeoJSON.FeatureCollection> {
  const named = countryNames(language);
  return {
    land: { type: "FeatureCollection", features: [feature({ type: "MultiPolygon", coordinates: map.land })] },
    borders: { type: "FeatureCollection", features: [feature({ type: "MultiLineString", coordinates: map.borders })] },
    names: {
      type: "FeatureCollection",
      features: map.names.flatMap(([name, rank, ...points]) =>
        points.map((at, i) => feature({ type: "Point", coordinates: at }, { name: named.get(name) ?? name, rank, again: i > 0 }))),
    },
  };
}

/** English country names to those of another language; empty where the browser does not know it. */
function countryNames(language: string): Map<string, string> {
  if (language.startsWith("en")) return new Map();
  const [from, to] = ["en", language].map((l) => new Intl.DisplayNames(l, { type: "region", fallback: "none" }));
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const codes = letters.flatMap((a) => letters.map((b) => a + b));
  return new Map(codes.flatMap((code) => {
    const [english, other] = [from!.of(code), to!.of(code)];
    return english && other ? [[english, other] as const] : [];
  }));
}
