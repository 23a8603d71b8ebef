//! Lines of limited width.

/// Text in lines of limited width, in characters.
pub(super) struct Page {
    width: usize,
    text: String,
}

/// Narrower lines would break every word.
const MIN_WIDTH: usize = 40;

/// Of durations.
const UNITS: [&str; 4] = ["d", "h", "min", "s"];

impl Page {
    pub(super) fn new(width: usize) -> Self {
        Self { width: width.max(MIN_WIDTH), text: String::new() }
    }

    pub(super) fn title(&mut self, title: &str) {
        let before = self.text.len();
        self.item("", title);
        let widest =
            self.text.get(before..).unwrap_or_default().lines().map(|line| line.chars().count()).max();
        self.line(&"=".repeat(widest.unwrap_or(0)));
        self.blank();
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.item("", text);
        self.blank();
    }

    /// A heading with what stands under it; nothing where that is nothing.
    pub(super) fn section(&mut self, heading: &str, fill: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.line(heading);
        self.line(&"-".repeat(heading.chars().count()));
        let empty = self.text.len();
        fill(self);
        if self.text.len() == empty {
            self.text.truncate(before);
        } else {
            self.blank();
        }
    }

    /// A text behind a mark; further lines stand two characters farther in than the first, or under it where the mark
    /// is a bullet.
    pub(super) fn item(&mut self, mark: &str, text: &str) {
        let indent = mark.chars().count() + if mark.trim().is_empty() && !mark.is_empty() { 2 } else { 0 };
        self.wrap(mark, indent, text);
    }

    /// What is copied stands in one line, however long it is.
    pub(super) fn record(&mut self, mark: &str, text: &str) {
        self.line(&format!("{mark}{}", plain(text)));
    }

    /// An empty line, but never two.
    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text.push('\n');
        self.text
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Breaks at spaces, and within words that are longer than a line.
    fn wrap(&mut self, mark: &str, indent: usize, text: &str) {
        let mut line = mark.to_owned();
        let mut column = mark.chars().count();
        let mut fresh = true;
        let mut words = words(text).peekable();
        while let Some(word) = words.next() {
            let mut rest: Vec<char> = word.chars().collect();
            // A number stands with its unit.
            if word.chars().all(|it| it.is_ascii_digit())
                && let Some(unit) =
                    words.next_if(|next| UNITS.contains(&next.trim_end_matches([',', ';', '.', ')'])))
            {
                rest.push(' ');
                rest.extend(unit.chars());
            }
            if !fresh && column + 1 + rest.len() > self.width {
                self.line(&line);
                line = " ".repeat(indent);
                (column, fresh) = (indent, true);
            }
            if !fresh {
                line.push(' ');
                column += 1;
            }
            while column + rest.len() > self.width {
                let tail = rest.split_off(self.width.saturating_sub(column).max(1).min(rest.len()));
                line.extend(rest);
                self.line(&line);
                line = " ".repeat(indent);
                column = indent;
                rest = tail;
            }
            column += rest.len();
            line.extend(rest);
            fresh = false;
        }
        self.line(&line);
    }
}

/// The words of a text that somebody else may have written: nothing in it begins a line, or tells a terminal what to do.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(plain).filter(|word| !word.is_empty())
}

fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

/// A text in one line, without control characters.
pub(super) fn line(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}
