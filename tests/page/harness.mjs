// A browser with the page open in it, and a list of all that it asked and said.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { answerTo } from "./resolver.mjs";

const root = process.env.SENDERSHIFT_PAGE;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".toml": "text/plain", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
export let page, context, host, resolver;
let browser;
export let requests = [];
let errors = [];
const servers = [];

function listen(handler) {
  return new Promise((resolve) => {
    const server = createServer(handler).listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`));
    servers.push(server);
  });
}

/** A host of the files in a folder. */
export const serve = (folder) => listen(async ({ url }, response) => {
  const path = new URL(url, "http://page").pathname;
  try {
    const body = await readFile(join(folder, path === "/" ? "index.html" : path));
    response.writeHead(200, { "content-type": KINDS[extname(path) || ".html"] }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});

before(async () => {
  host = await serve(root);
  resolver = await listen((request, response) => {
    const answer = answerTo(Buffer.from(new URL(request.url, "http://r").searchParams.get("dns"), "base64url"));
    response.writeHead(200, { "content-type": "application/dns-message", "access-control-allow-origin": "*" }).end(answer);
  });
  browser = await chromium.launch({ executablePath: process.env.SENDERSHIFT_CHROMIUM, args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  for (const server of servers) server.close();
});

/** Opens the page anew, in a browser that knows nothing of it. */
export async function open(fragment = "", options = {}, at = host) {
  await context?.close();
  [requests, errors] = [[], []];
  context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  context.on("request", (request) => requests.push(request.url()));
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${at}/${fragment}`);
}

/** Nobody is kept out, and nothing is wider than the page. */
export async function readable(what) {
  if (process.env.SENDERSHIFT_SHOTS) await page.screenshot({ path: join(process.env.SENDERSHIFT_SHOTS, `${what}.png`), fullPage: true });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, what);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes[0].html, nodes[0].failureSummary]), [], what);
}

/** Every look that the page has. */
export const looks = [360, 1440].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ name: `${width}-${colorScheme}`, viewport: { width, height: 900 }, colorScheme, bypassCSP: true })));

export const text = (selector) => page.locator(selector).innerText();
export const shows = (selector, words) => page.locator(selector, { hasText: words }).waitFor();

/** Nothing was asked of anybody else, and nothing went wrong. */
export function clean(...others) {
  const strange = requests.filter((url) => ![host, ...others].some((known) => url.startsWith(`${known}/`)));
  assert.deepEqual(strange, []);
  assert.deepEqual(errors, []);
}

