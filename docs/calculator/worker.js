// The core, off the page's thread. Text goes in and comes out; what it says is not touched here.
import { callText, init } from "./sendershift/index.js";

const NO_IDN = '{"format":"sendershift-error/1","code":"name.no-idn"';

onmessage = async ({ data: { id, operation, input, full } }) => {
  try {
    const answer = () => callText(operation, input, { progress: (count) => postMessage({ id, count }) });
    await init({ full });
    let output = answer();
    // The light module has no tables for names outside ASCII, and says so.
    if (!full && output.startsWith(NO_IDN)) {
      await init({ full: true });
      output = answer();
    }
    postMessage({ id, output });
  } catch (error) {
    postMessage({ id, failed: String(error) });
  }
};
