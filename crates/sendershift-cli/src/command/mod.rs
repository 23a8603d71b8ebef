//! The commands, one file for each.

mod dkim_lint;
mod dmarc_check;
mod dmarc_lint;
mod domain_lint;
mod drift;
mod plan;
mod prove;
mod spf_check;
mod spf_compact;
mod spf_cost;
mod spf_diff;
mod spf_lint;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use sendershift::name::DomainName;
use sendershift::spf::Profile;

use crate::Global;
use crate::failure::Failure;
use crate::output::{Exit, Output, Text, counted, fill};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plan a migration, with dates and a proof
    Plan(plan::Plan),
    /// Judge a plan, whoever made it
    Prove(prove::Prove),
    /// Say what changed in DNS between two days
    Drift(drift::Drift),
    /// Judge the keys of DKIM
    #[command(subcommand)]
    Dkim(Dkim),
    /// Judge messages and policy records of DMARC
    #[command(subcommand)]
    Dmarc(Dmarc),
    /// Look at what stands beside SPF, DKIM and DMARC
    #[command(subcommand)]
    Domain(Domain),
    /// Check and measure SPF records
    #[command(subcommand)]
    Spf(Spf),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Spf {
    /// Evaluate `check_host()` for a client and a sender (RFC 7208)
    Check(spf_check::Check),
    /// Find the best record that says the same and keeps to the limits, with proof
    Compact(spf_compact::Compact),
    /// Show what a record costs: its tree of lookups, the worst case, who pays for too many
    Cost(spf_cost::Cost),
    /// Say whether two domains or records have the same result for every address, and where they do not
    Diff(spf_diff::Diff),
    /// Say what is wrong or unwise in a record and in all that it refers to
    Lint(spf_lint::Lint),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dkim {
    /// Say what is wrong or unwise with the keys of domains
    Lint(dkim_lint::Lint),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Domain {
    /// Say what is wrong or unwise with null MX, MTA-STS, TLS reports and BIMI
    Lint(domain_lint::Lint),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dmarc {
    /// Judge a message as receivers of RFC 9989 and of RFC 7489 do, side by side
    Check(dmarc_check::Check),
    /// Say what is wrong or unwise in a policy record and in where it stands
    Lint(dmarc_lint::Lint),
}

impl Command {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        match self {
            Self::Plan(plan) => plan.run(global, output),
            Self::Prove(prove) => prove.run(global, output),
            Self::Drift(drift) => drift.run(global, output),
            Self::Dkim(Dkim::Lint(lint)) => lint.run(global, output),
            Self::Dmarc(Dmarc::Check(check)) => check.run(global, output),
            Self::Dmarc(Dmarc::Lint(lint)) => lint.run(global, output),
            Self::Domain(Domain::Lint(lint)) => lint.run(global, output),
            Self::Spf(Spf::Check(check)) => check.run(global, output),
            Self::Spf(Spf::Compact(compact)) => compact.run(global, output),
            Self::Spf(Spf::Cost(cost)) => cost.run(global, output),
            Self::Spf(Spf::Diff(diff)) => diff.run(global, output),
            Self::Spf(Spf::Lint(lint)) => lint.run(global, output),
        }
    }
}

/// The receiver whose limits apply.
#[derive(Debug, clap::Args)]
pub(crate) struct Receiver {
    /// The kind of receiver whose limits apply (docs/receivers.md has the table)
    #[arg(long = "receiver", value_name = "PROFILE", default_value = Profile::RFC7208.name)]
    #[arg(value_parser = PossibleValuesParser::new(Profile::ALL.iter().map(|profile| profile.name)))]
    name: String,
}

impl Receiver {
    fn profile(&self) -> &'static Profile {
        // Names that are none have been refused with the arguments.
        Profile::named(&self.name).unwrap_or(&Profile::RFC7208)
    }
}

/// How many of something a receiver allows.
fn allowed(limit: u32, noun: &str) -> String {
    Profile::limit(limit).map_or_else(|| format!("any number of {noun}s"), |limit| counted(limit, noun))
}

/// A line of a table of two columns.
fn row(text: &mut Text, head: &str, told: &str, width: usize) {
    text.line(fill(&format!("{head:9}{told}"), width, "         "));
}

/// The value of an argument that is a domain.
fn domain(text: &str) -> Result<DomainName, String> {
    DomainName::parse_for_mail(text).map_err(|problem| problem.to_string())
}
