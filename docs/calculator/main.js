// The tasks of the page: which one is shown, and what the address says of it.
import { status, use } from "./asking.js";
import { byId } from "./dom.js";
import * as link from "./link.js";
import * as spf from "./spf.js";

// What the first task is made of is there at once, the rest is fetched when it is wanted.
const TASKS = { spf: () => spf, plan: () => import("./plan.js") };
const TITLES = { spf: "SPF record", plan: "Plan a split" };

/** How often the address has named a task: who waits for a file may be late. */
let opened = 0;

async function open() {
  const mine = ++opened;
  const { name, state, trouble } = link.read();
  for (const other of Object.keys(TASKS)) {
    byId(`${other}-task`).hidden = other !== name;
    if (other === name) byId(`task-${other}`).setAttribute("aria-current", "page");
    else byId(`task-${other}`).removeAttribute("aria-current");
  }
  document.title = `${TITLES[name]} – sendershift`;
  let task;
  try { ({ task } = await TASKS[name]()); } catch (error) { return mine === opened && status(`That could not be loaded: ${error.message}`); }
  if (mine !== opened) return undefined;
  use(task);
  // Without a state what people typed stays, from before they went to the other task and came back, or while the page was loading.
  if (state === undefined && !trouble) task.save();
  else if (state !== undefined) task.load(state);
  await task.answer();
  return trouble && mine === opened && status(trouble);
}

window.addEventListener("hashchange", open);
if ("serviceWorker" in navigator) navigator.serviceWorker.register("offline.js", { type: "module" }).catch(() => { /* then it is online only */ });
await open();
