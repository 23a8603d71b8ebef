//! `sendershift domain lint`

use sendershift::adjacent;
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
    /// The domain
    #[arg(value_name = "DOMAIN", value_parser = domain)]
    domain: DomainName,
}

impl Lint {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let evidence = snapshot(&global.dns)?;
        Ok(findings::print(&adjacent::lint(&evidence, &self.domain)?, global, output))
    }
}
