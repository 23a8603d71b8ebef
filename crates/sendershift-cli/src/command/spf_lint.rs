//! `sendershift spf lint`

use sendershift::name::DomainName;
use sendershift::spf;

use super::{Receiver, domain};
use crate::Global;
use crate::evidence::snapshot;
use crate::failure::Failure;
use crate::findings;
use crate::output::{Exit, Output};
use sendershift::error::Error;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 if there is a finding of level error, with --strict also of level warning."
)]
pub(crate) struct Lint {
    /// A domain, or a record in quotes (it begins with `v=spf1`)
    #[arg(value_name = "DOMAIN|RECORD")]
    subject: String,
    /// The domain that would publish the record
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<DomainName>,
    #[command(flatten)]
    receiver: Receiver,
}

impl Lint {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let evidence = snapshot(&global.dns)?;
        let report = spf::lint(&evidence, &self.subject, self.domain.clone(), self.receiver.profile());
        let report = report.map_err(|error| match error {
            Error::Invalid(invalid) => Failure::of_argument("the argument", &self.subject, invalid),
            other => other.into(),
        })?;
        Ok(findings::print(&report, global, output))
    }
}
