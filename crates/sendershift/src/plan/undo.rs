//! How a step is taken back.

use serde::Serialize;

use super::Step;

/// How to take a step back: words for people, or steps that can be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Undo {
    /// A text. No promise is judged by it.
    Text(String),
    /// Steps with ids and waits of their own, of the kinds `dns`, `send` and `gate`. They may wait for each other and for steps of the plan:
    /// for one that was never begun they do not wait.
    Steps(Vec<Step>),
}

impl Undo {
    /// The steps; none where there is only a text.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Text(_) => &[],
            Self::Steps(steps) => steps,
        }
    }
}

impl Default for Undo {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<String> for Undo {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
