// Compares two built pages: their text as it stands, their programs unpacked, since zlib versions pack differently.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const BUNDLE = /(<script type="text\/plain" id="bundle">)([^<]*)/;

function parts(file) {
  const page = readFileSync(file, "utf8");
  const packed = page.match(BUNDLE)?.[2];
  if (!packed) throw new Error(`${file}: holds no bundle`);
  return [page.replace(BUNDLE, "$1"), gunzipSync(Buffer.from(packed, "base64")).toString("utf8")];
}

const [committed, built] = process.argv.slice(2).map(parts);
const differing = ["page", "program"].filter((_, i) => committed[i] !== built[i]);
if (differing.length) {
  console.error(`${process.argv[2]}: does not match web/ (${differing.join(", ")}); run: npm --prefix web run build`);
  process.exit(1);
}
