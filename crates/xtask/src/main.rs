//! `cargo xtask NAME`: one command for each thing that is done in this repository, by people and by machines.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to people")]

mod bench;
mod binding;
mod debian;
mod dmarc;
mod findings;
mod fuzz;
mod growth;
mod hostile;
mod mutation;
mod npm;
mod page;
mod process;
mod pyspf;
mod python;
mod readme;
mod suite;
mod test;
mod wasm;
mod zones;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask test [PART...]
       cargo xtask bench [ROW...]
       cargo xtask bench-python
       cargo xtask findings
       cargo xtask fuzz TARGET SECONDS
       cargo xtask growth
       cargo xtask hostile
       cargo xtask stubs
       cargo xtask tutorial
       cargo xtask wheel
       cargo xtask npm
       cargo xtask page [--build-only]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test", names @ ..] => test::run(names),
        ["bench", words @ ..] => bench::time(words),
        ["bench-python"] => binding::time(),
        ["findings"] => findings::write(),
        ["fuzz", target, seconds] => fuzz::long(target, seconds),
        ["growth"] => growth::table(),
        ["hostile"] => hostile::all(),
        ["stubs"] => binding::write_stubs(),
        ["tutorial"] => binding::write_tutorial(),
        ["wheel"] => binding::wheel(),
        ["npm"] => told(npm::build(&process::Workspace::here())),
        ["page", "--build-only"] => told(page::build(&process::Workspace::here())),
        ["page"] => told(page::serve(&process::Workspace::here()).map(|()| std::path::PathBuf::new())),
        _ => {
            eprintln!("{USAGE}\n\n{}", test::usage());
            ExitCode::from(2)
        }
    }
}

/// Says where something was built, or why it was not.
fn told(outcome: process::Outcome<std::path::PathBuf>) -> ExitCode {
    match outcome {
        Ok(folder) => {
            println!("{}", folder.display());
            ExitCode::SUCCESS
        }
        Err(process::Stop::Failed(why) | process::Stop::Unavailable(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
