// The npm package in Chromium, in other people's pages: from a bundler, and from a script of the type module.
import assert from "node:assert/strict";
import { cp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "vite";
import { clean, open, page as browser, requests, serve, shows } from "./harness.mjs";

const folder = join(import.meta.dirname, "packages");

/** A page that tells what a record costs, and what the full module says once somebody presses the button. */
const APP = `
await init();
document.body.dataset.cost = spfCost({ dns: { format: "sendershift-snapshot/1", closed: true, answers: [] }, subject: "v=spf1 a:shop.example -all", domain: "shop.example" }).lookups.total;
document.querySelector("button").onclick = async () => {
  await init({ full: true });
  try { planRead({}); } catch (error) { document.querySelector("p").textContent = error.code; }
};
document.querySelector("p").textContent = "ready";
`;
const page = (script) => `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>An app</title><p></p><button type="button">Plan</button>${script}</html>`;

/** Both modules answer, and the full one is fetched when it is wanted and not before. */
async function works(host) {
  await open("", {}, host);
  await shows("p", "ready");
  await shows("body[data-cost='1']", "");
  const fetched = () => requests.filter((url) => url.endsWith(".wasm")).map((url) => /(light|full)[^/]*$/.exec(url)[1]);
  assert.deepEqual(fetched(), ["light"]);
  await browser.click("button");
  await shows("p", "document.missing-key");
  assert.deepEqual(fetched(), ["light", "full"]);
  clean(host);
}

test("an app that a bundler has built", async () => {
  const app = join(folder, "app");
  await rm(app, { recursive: true, force: true });
  await mkdir(join(app, "node_modules"), { recursive: true });
  await symlink(process.env.SENDERSHIFT_PACKAGE, join(app, "node_modules/sendershift"));
  await writeFile(join(app, "main.js"), `import { init, planRead, spfCost } from "sendershift";\n${APP}`);
  await writeFile(join(app, "index.html"), page('<script type="module" src="./main.js"></script>'));
  await build({ root: app, configFile: false, logLevel: "warn", build: { target: "esnext" } });
  await works(await serve(join(app, "dist")));
});

test("a page that has the package beside it", async () => {
  const app = join(folder, "plain");
  await rm(app, { recursive: true, force: true });
  await cp(process.env.SENDERSHIFT_PACKAGE, join(app, "sendershift"), { recursive: true });
  await writeFile(join(app, "index.html"), page(`<script type="module">import { init, planRead, spfCost } from "./sendershift/index.js";\n${APP}</script>`));
  await works(await serve(app));
});
