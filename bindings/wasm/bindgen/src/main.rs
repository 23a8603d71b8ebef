//! `sendershift-bindgen MODULE.wasm NAME FOLDER`: the JavaScript beside a WebAssembly module, as the command
//! `wasm-bindgen --target web` makes it.

use std::env;
use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, name, folder] = arguments.as_slice() else {
        return Err("usage: sendershift-bindgen MODULE.wasm NAME FOLDER".into());
    };
    let mut bindgen = Bindgen::new();
    // The module is found beside its JavaScript where nobody says where it is.
    bindgen.web(true)?.omit_default_module_path(false).typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.input_path(module).out_name(name).generate(folder)?;
    Ok(())
}
