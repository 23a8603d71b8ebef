// The core, off the page's thread. Text goes in and comes out; what it says is not touched here.
import { callText, init } from "./sendershift/index.js";

onmessage = async ({ data: { id, operation, input, full } }) => {
  try {
    await init({ full });
    postMessage({ id, output: callText(operation, input, { progress: (count) => postMessage({ id, count }) }) });
  } catch (error) {
    postMessage({ id, failed: String(error) });
  }
};
