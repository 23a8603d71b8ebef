// How large the modules of a package are, as they are and as they travel.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const folder = process.argv[2];
for (const name of readdirSync(folder).filter((name) => name.endsWith(".wasm"))) {
  const octets = readFileSync(join(folder, name));
  const sizes = [octets.length, gzipSync(octets, { level: 9 }).length, brotliCompressSync(octets).length];
  const [raw, gzip, brotli] = sizes.map((size) => `${Math.round(size / 1000)} kB`);
  console.log(`${name}: ${raw}, gzip ${gzip}, brotli ${brotli}`);
}
