//! Where answers stand, so that problems can name both places.

use std::collections::BTreeMap;

use super::merge::Source;
use crate::dns::RecordType;
use crate::error::{Problem, Span};
use crate::name::DomainName;

/// The index of a text, and a place in it.
pub(super) type Place = (usize, Span);

/// Where answers stand, and what is wrong with them, by the index of the text.
pub(super) struct Places<'a> {
    sources: &'a [Source<'a>],
    /// The text being read.
    pub(super) source: usize,
    pub(super) of: BTreeMap<(DomainName, RecordType), Place>,
    pub(super) problems: Vec<(usize, Problem)>,
}

impl<'a> Places<'a> {
    pub(super) fn new(sources: &'a [Source<'a>], source: usize) -> Self {
        Self { sources, source, of: BTreeMap::new(), problems: Vec::new() }
    }

    /// The first answer about a name.
    pub(super) fn first(&self, name: &DomainName) -> Option<Place> {
        let from = (name.clone(), RecordType::A);
        self.of.range(from..).next().filter(|((at, _), _)| at == name).map(|(_, place)| *place)
    }

    pub(super) fn contradiction(&mut self, message: &str, place: Place, other: Option<Place>) {
        let keep = "keep the right one";
        self.problem(Problem::new("snapshot.contradiction", message), place, other, keep);
    }

    /// Notes a problem; its help tells where the other answer is.
    pub(super) fn problem(
        &mut self,
        problem: Problem,
        (source, span): Place,
        other: Option<Place>,
        help: &str,
    ) {
        let other = other.and_then(|(at, span)| {
            let Source { name, text, .. } = self.sources.get(at)?;
            let line = text.get(..span.start).unwrap_or(text).matches('\n').count() + 1;
            let file = if at == source { String::new() } else { format!(" of {name}") };
            Some(format!("the other answer is on line {line}{file}; {help}"))
        });
        let help = other.unwrap_or_else(|| help.to_owned());
        self.problems.push((source, problem.at(span).help(help)));
    }
}
