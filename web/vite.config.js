// Builds one HTML template: style and boot script in plain text, the program packed, Python's placeholders left in.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";
import { basemap } from "./basemap.js";

const here = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** What the page may do: run these two scripts, its own workers, its own style. No address outside the page. */
const policy = (...scripts) =>
  [
    "default-src 'none'",
    `script-src ${scripts.map(hashOf).join(" ")}`,
    "worker-src blob: data:",
    "connect-src blob: data:", // MapLibre reads its worker back from the blob that the page made
    "img-src blob: data:",
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");

/** `import map from "virtual:basemap"`: the coastlines and borders, cut and simplified now. */
const basemapModule = {
  name: "basemap",
  resolveId: (id) => (id === "virtual:basemap" ? "\0basemap" : undefined),
  load: (id) => (id === "\0basemap" ? `export default ${JSON.stringify(JSON.stringify(basemap()))};` : undefined),
};

/** The licence texts of every package that went in, as their authors ask. */
function licencesOf(modules) {
  const folders = new Set(modules.flatMap((id) => id.match(/^\0?(.*node_modules\/(?:@[^/]+\/)?[^/?]+)/)?.[1] ?? []));
  folders.add(fileURLToPath(new URL("node_modules/world-atlas", import.meta.url)));
  return [...folders]
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
      const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
      return `${name} ${version} (${license})\n\n${file ? readFileSync(`${folder}/${file}`, "utf8").trim() : ""}\n`;
    })
    .sort()
    .join("\n----\n\n");
}

/** Puts program, style and boot script into index.html and leaves that one file. */
const onePage = {
  name: "one-page",
  enforce: "post",
  generateBundle: { order: "post", handler(_, bundle) {
    const chunk = Object.values(bundle).find((o) => o.type === "chunk" && o.isEntry);
    const program = chunk.code;
    const licences = licencesOf(chunk.moduleIds);
    for (const name of Object.keys(bundle)) delete bundle[name];
    const code = `${program}\n/*!\n${licences.replaceAll("*/", "* /")}\n*/\n`;
    const packed = gzipSync(code, { level: 9 });
    packed[9] = 255; // the operating system that packed it is nobody's business
    const boot = here("boot.js");
    const parts = {
      policy: policy(boot, code),
      style: here("src/style.css").replace(/\/\*[^]*?\*\//g, "").replace(/\s*\n\s*/g, "\n").trim(),
      bundle: packed.toString("base64"),
      boot,
    };
    const source = here("index.html").replace(/<!--build:(\w+)-->/g, (_, name) => parts[name]);
    this.emitFile({ type: "asset", fileName: "map.html", source });
    this.emitFile({ type: "asset", fileName: "map.licences.txt", source: licences });
  } },
};

export default defineConfig({
  plugins: [basemapModule, onePage],
  build: {
    target: "es2022",
    outDir: "../src/tocsin/formats/data",
    emptyOutDir: false,
    copyPublicDir: false,
    modulePreload: false,
    rolldownOptions: {
      input: "src/main.ts",
      checks: { pluginTimings: false },
      output: { codeSplitting: false },
    },
  },
});
