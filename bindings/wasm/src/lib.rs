//! The core as JavaScript sees it: text in, text out. Everything else is in `js`, and nothing here decides anything.

use sendershift::wire;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A function that is told how far an operation is, and says whether to go on.
    pub type Watch;

    #[wasm_bindgen(method, catch, js_name = call)]
    fn goes_on(this: &Watch, receiver: JsValue, count: f64) -> Result<bool, JsValue>;
}

/// Carries out an operation on a JSON document and returns a JSON document: what is wrong is a document too.
///
/// # Errors
///
/// What `watch` has thrown, which ends the operation.
#[wasm_bindgen]
#[expect(clippy::needless_pass_by_value, reason = "JavaScript hands the function over, or nothing")]
pub fn call(operation: &str, input: &str, watch: Option<Watch>) -> Result<String, JsValue> {
    let mut thrown = None;
    let output = wire::run(operation, input, &mut |count| {
        let Some(watch) = &watch else { return true };
        let told = watch.goes_on(JsValue::UNDEFINED, exact(count));
        told.unwrap_or_else(|error| {
            thrown = Some(error);
            false
        })
    });
    match thrown {
        Some(error) => Err(error),
        None => Ok(output.unwrap_or_else(|error| wire::failure(&error))),
    }
}

/// The names of all operations, one a line, sorted.
#[wasm_bindgen]
pub fn operations() -> String {
    wire::operations().collect::<Vec<_>>().join("\n")
}

/// A count as JavaScript has numbers; what is too much for it is its largest integer.
#[expect(clippy::cast_precision_loss, reason = "it is no larger than the largest integer that is exact")]
fn exact(count: u64) -> f64 {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    count.min(MAX_SAFE_INTEGER) as f64
}
