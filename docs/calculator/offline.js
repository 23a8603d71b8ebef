// Keeps the page's own files, so that it opens without a network. Questions to a resolver do not come by here.
const KEPT = "page";
const FILES = ["./", "style.css", "plan.css", "icon.svg", "main.js", "spf.js", "spf-views.js", "plan.js", "plan-edit.js", "plan-form.js", "plan-proof.js", "plan-steps.js", "plan-timeline.js",
  "asking.js", "dom.js", "editor.js", "engine.js", "examples.js", "link.js", "words.js", "worker.js",
  "examples/index.json", "examples/unsafe-plan.json", ...["newsletters", "qualys"].flatMap((name) => [`examples/${name}/dns.json`, `examples/${name}/migration.toml`]),
  ...["index.js", "calls.js", "core.js", "light.js", "light_bg.wasm"].map((name) => `sendershift/${name}`)];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin || new URL(request.url).search !== "") return;
  event.respondWith(fetch(request).then((response) => {
    const copy = response.clone();
    if (response.ok) event.waitUntil(caches.open(KEPT).then((kept) => kept.put(request, copy)));
    return response;
  }).catch(() => caches.match(request, { ignoreSearch: true }).then((kept) => kept ?? Response.error())));
});
