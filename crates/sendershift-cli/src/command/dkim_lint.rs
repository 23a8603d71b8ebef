//! `sendershift dkim lint`

use std::path::PathBuf;

use sendershift::dkim::{self, Selector};
use sendershift::name::DomainName;

use super::domain;
use crate::Global;
use crate::evidence::snapshot;
use crate::failure::Failure;
use crate::findings;
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 if there is a finding of level error, with --strict also of level warning."
)]
pub(crate) struct Lint {
    /// The signing domains
    #[arg(value_name = "DOMAIN", required = true, value_parser = domain)]
    domains: Vec<DomainName>,
    /// A selector to look at; repeat it for several. Without any, the keys that the evidence holds
    #[arg(long = "selector", value_name = "SELECTOR", value_parser = selector)]
    selectors: Vec<Selector>,
    /// Evidence of an earlier day, to find keys that changed or went
    #[arg(long, value_name = "FILE")]
    earlier: Option<PathBuf>,
}

impl Lint {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let evidence = snapshot(&global.dns)?;
        let earlier = self.earlier.as_ref().map(|path| snapshot(&[path])).transpose()?;
        let report = dkim::lint(&evidence, &self.domains, &self.selectors, earlier.as_ref())?;
        Ok(findings::print(&report, global, output))
    }
}

fn selector(text: &str) -> Result<Selector, String> {
    text.parse::<Selector>().map_err(|problem| problem.to_string())
}
