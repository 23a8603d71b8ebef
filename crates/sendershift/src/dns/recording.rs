//! Which questions an evaluation asked that the evidence could not answer.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::{Answer, Evidence, Question, RecordType};
use crate::error::Missing;
use crate::name::DomainName;
use crate::suffix::PublicSuffix;

/// Evidence that notes every question it cannot answer, so that evaluation can go on and report all at once.
#[derive(Debug)]
pub struct Recording<E> {
    base: E,
    unknown: RefCell<BTreeSet<Question>>,
}

impl<E: Evidence> Recording<E> {
    /// Records the questions that `base` cannot answer.
    pub fn new(base: E) -> Self {
        Self { base, unknown: RefCell::default() }
    }

    /// `value`, if every question was answered.
    ///
    /// # Errors
    ///
    /// The questions that were asked and not answered.
    pub fn complete<T>(self, value: T) -> Result<T, Missing> {
        let questions: Vec<Question> = self.unknown.into_inner().into_iter().collect();
        if questions.is_empty() { Ok(value) } else { Err(Missing { questions }) }
    }
}

impl<E: Evidence> Evidence for Recording<E> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let answer = self.base.answer(name, record_type);
        if matches!(answer, Answer::Unknown) {
            self.unknown.borrow_mut().insert(Question::new(name.clone(), record_type));
        }
        answer
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<&str> {
        self.base.assumed(name, record_type)
    }

    fn wildcard(&self, name: &DomainName) -> Option<DomainName> {
        self.base.wildcard(name)
    }

    fn listed_names(&self) -> Vec<&DomainName> {
        self.base.listed_names()
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.base.public_suffix(name)
    }
}
