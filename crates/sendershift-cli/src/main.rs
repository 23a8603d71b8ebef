//! The `sendershift` command: arguments, files, colours and exit codes. It decides nothing.

mod addresses;
mod command;
mod evidence;
mod failure;
mod findings;
mod output;
mod snippet;

use std::process::ExitCode;

use clap::Parser;
use output::Output;

/// Plan a change of mail-sending domain, and prove the plan safe.
#[derive(Debug, Parser)]
#[command(
    name = "sendershift",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done; 1 the answer is no; 2 the input is wrong; 3 evidence is missing."
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: command::Command,
}

/// What every command understands.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// What DNS said: a snapshot (sendershift-snapshot/1) or a zone file; repeat it for several
    #[arg(long, value_name = "FILE", global = true)]
    dns: Vec<std::path::PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Let warnings count as a no: exit code 1
    #[arg(long, global = true)]
    strict: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(&error).into(),
    };
    let mut output = Output::new(arguments.global.json);
    let exit = match arguments.command.run(&arguments.global, &mut output) {
        Ok(exit) => exit,
        Err(failure) => failure.report(&mut output),
    };
    if output.failed { output::Exit::BadInput.into() } else { exit.into() }
}
