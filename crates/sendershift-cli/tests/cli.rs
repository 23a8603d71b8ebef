//! The command as people meet it: each file in `tests/cmd` is a session, with output and exit codes.
//!
//! `TRYCMD=overwrite cargo test -p sendershift-cli` writes down what the command says now: read the difference.

#[test]
fn sessions() {
    trycmd::TestCases::new().env("COLUMNS", "80").case("tests/cmd/*.trycmd");
}
