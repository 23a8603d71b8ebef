//! A record as a check walks over it when nobody listens: networks that stand side by side are one step.

use crate::net::{IpRange, Partition};
use crate::spf::{Mechanism, SpfRecord, SpfResult, TermKind};

/// The directives of a record up to `all`, in order.
#[derive(Clone, Debug)]
pub(in crate::spf) struct Outline {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Networks without another term between them: the result where one of them matches first.
    Networks(Partition<Option<SpfResult>>),
    /// The index of another directive among the terms.
    Term(usize),
}

impl Outline {
    pub(in crate::spf) fn new(record: &SpfRecord) -> Self {
        let mut steps = Vec::new();
        let mut networks: Vec<(IpRange, Option<SpfResult>)> = Vec::new();
        for (index, term) in record.terms().iter().enumerate() {
            let TermKind::Directive(directive) = &term.kind else { continue };
            if let Some(net) = directive.mechanism.net() {
                networks.push((net.into(), Some(directive.qualifier_or_default().into())));
                continue;
            }
            gather(&mut networks, &mut steps);
            steps.push(Step::Term(index));
            if directive.mechanism == Mechanism::All {
                break;
            }
        }
        gather(&mut networks, &mut steps);
        Self { steps }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

fn gather(networks: &mut Vec<(IpRange, Option<SpfResult>)>, steps: &mut Vec<Step>) {
    if !networks.is_empty() {
        steps.push(Step::Networks(Partition::from_ranges(None, None, networks.drain(..))));
    }
}
