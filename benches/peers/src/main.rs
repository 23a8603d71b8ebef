//! sendershift beside other libraries, in one run: each row times both in turn and prints the ratio.
//!
//! `cargo xtask bench [ROW...]` runs the rows whose name contains one of the words, or all.

mod check;
mod compact;
mod estate;
mod nets;
mod own;
mod timing;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    timing::head();
    check::rows(&wanted);
    nets::rows(&wanted);
    own::rows(&wanted);
    compact::rows(&wanted);
}
