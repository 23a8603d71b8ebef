// How much the page makes a browser fetch for each task, as it is and as it travels. Who checks one SPF record waits for no more than that.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const root = process.argv[2];
const files = readdirSync(root, { recursive: true }).filter((path) => /\.(html|js|css|svg|wasm)$/.test(path));
const groups = {
  "everything but modules of WebAssembly": files.filter((path) => !path.endsWith(".wasm")),
  // What keeps the page for later is fetched once it is there.
  "SPF record": files.filter((path) => !/(full|plan|timeline|steps|offline)[^/]*$/.test(path)),
  "both tasks": files,
};
const MOST = 400_000;
for (const [name, paths] of Object.entries(groups)) {
  const sizes = [0, 0, 0];
  for (const path of paths) {
    const octets = readFileSync(join(root, path));
    [octets.length, gzipSync(octets, { level: 9 }).length, brotliCompressSync(octets).length].forEach((size, at) => (sizes[at] += size));
  }
  const [raw, gzip, brotli] = sizes.map((size) => `${Math.round(size / 1000)} kB`);
  console.log(`page, ${name}: ${raw}, gzip ${gzip}, brotli ${brotli}`);
  if (name === "SPF record" && sizes[2] > MOST) throw new Error(`the page for SPF records has more than ${MOST / 1000} kB`);
}
