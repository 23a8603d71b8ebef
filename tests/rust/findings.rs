//! Every rule has a code of its own, a case that shows it, and a page in `docs/findings`, written from both.
//!
//! `cargo xtask findings` writes the pages.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sendershift::finding::Rule;
use sendershift::lint::rules;
use sendershift_tests::vectors::{Case, File, files};
use serde_json::Value;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");
const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/findings");
const NOTICE: &str =
    "<!-- Written by `cargo xtask findings` from the rule and its first vector: edit these. -->";

/// A case that shows a rule, and the file that it is in.
struct Shown {
    file: String,
    op: String,
    case: Case,
}

/// The first case of each code that an expected report has.
fn shown() -> BTreeMap<String, Shown> {
    let root = Path::new(VECTORS);
    let mut first = BTreeMap::new();
    for path in files(root) {
        let file = File::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let name = path.strip_prefix(root).unwrap().display().to_string();
        for case in file.cases {
            let codes: BTreeSet<String> = case.finding_codes().map(str::to_owned).collect();
            for code in codes {
                let (file, op) = (name.clone(), file.op.clone());
                first.entry(code).or_insert_with(|| Shown { file, op, case: case.clone() });
            }
        }
    }
    first
}

#[test]
fn codes_are_unique_and_well_formed() {
    let codes: Vec<&str> = rules().iter().map(|rule| rule.code).collect();
    assert!(codes.is_sorted_by(|one, other| one < other), "{codes:?}");
    for rule in rules() {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_code = rule.code.split_once('.').is_some_and(|(area, name)| {
            [area, name].iter().all(|part| !part.is_empty() && part.chars().all(word))
        });
        assert!(is_code, "{}", rule.code);
        assert!(!rule.title.ends_with('.') && !rule.title.is_empty(), "{}: {}", rule.code, rule.title);
        for text in [rule.why, rule.remedy, rule.source] {
            assert!(text.len() > 7 && text.trim() == text, "{}: {text:?}", rule.code);
        }
        for text in [rule.why, rule.remedy] {
            assert!(text.ends_with('.'), "{}: {text:?}", rule.code);
        }
    }
}

#[test]
fn every_rule_has_a_case_and_every_code_a_rule() {
    let (shown, rules) = (shown(), rules());
    for rule in &rules {
        assert!(shown.contains_key(rule.code), "no vector shows {}", rule.code);
    }
    for (code, shown) in &shown {
        let is_known = rules.iter().any(|rule| rule.code == code);
        assert!(is_known, "{}: no rule has the code {code}", shown.file);
    }
}

#[test]
fn pages_are_those_of_the_rules() {
    let shown = shown();
    let mut pages: BTreeMap<String, String> = rules()
        .iter()
        .filter_map(|rule| Some((format!("{}.md", rule.code), page(rule, shown.get(rule.code)?))))
        .collect();
    pages.insert("README.md".to_owned(), index());
    let folder = Path::new(PAGES);
    let there: BTreeSet<String> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    if std::env::var_os("SENDERSHIFT_WRITE_PAGES").is_some() {
        fs::create_dir_all(folder).unwrap();
        for left_over in there.iter().filter(|name| !pages.contains_key(*name)) {
            fs::remove_file(folder.join(left_over)).unwrap();
        }
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
        return;
    }
    for (name, text) in &pages {
        let is_written = fs::read_to_string(folder.join(name)).is_ok_and(|page| page == *text);
        assert!(is_written, "docs/findings/{name} is missing or stale: run `cargo xtask findings`");
    }
    let left_over: Vec<&String> = there.iter().filter(|name| !pages.contains_key(*name)).collect();
    assert!(left_over.is_empty(), "pages of no rule: {left_over:?}: run `cargo xtask findings`");
}

fn index() -> String {
    let mut text = format!(
        "# Findings\n\n{NOTICE}\n\n\
         What the rules say of records that can be read. An *error* harms mail now, at some receiver at least; a *warning* can,\n\
         or will when something else changes; a *note* is worth knowing. Codes are stable, messages are not.\n"
    );
    let mut area = "";
    for rule in rules() {
        let this = rule.code.split('.').next().unwrap();
        if this != area {
            area = this;
            let _ = write!(text, "\n## {area}\n\n| code | severity | what |\n|---|---|---|\n");
        }
        let Rule { code, title, .. } = rule;
        let _ = writeln!(text, "| [`{code}`]({code}.md) | {} | {title} |", severity(rule));
    }
    text
}

fn severity(rule: &Rule) -> String {
    serde_json::to_value(rule.severity).unwrap().as_str().unwrap().to_owned()
}

fn page(rule: &Rule, shown: &Shown) -> String {
    let output = sendershift::wire::call(&shown.op, &shown.case.input.to_string());
    let report: Value = serde_json::from_str(&output).unwrap();
    let findings = report["findings"].as_array().unwrap_or_else(|| panic!("{output}"));
    let finding = findings.iter().find(|finding| finding["code"] == rule.code);
    let finding = finding.unwrap_or_else(|| panic!("{} does not show {}", shown.case.name, rule.code));
    let mut example =
        format!("`{}` {}", finding["name"].as_str().unwrap(), finding["type"].as_str().unwrap());
    if let Some(record) = finding["record"].as_str() {
        let _ = write!(example, "\n\n    {record}\n");
        if let (Some(start), Some(end)) = (finding["span"][0].as_u64(), finding["span"][1].as_u64()) {
            let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
            let _ = writeln!(example, "    {}{}", " ".repeat(start), "^".repeat((end - start).max(1)));
        }
    } else {
        example.push('\n');
    }
    let Rule { code, title, why, remedy, source, .. } = rule;
    let (message, case) = (finding["message"].as_str().unwrap(), &shown.case.name);
    format!(
        "# `{code}`: {title}\n\n{NOTICE}\n\n\
         Severity: **{}**. Source: {source}.\n\n{why}\n\n\
         **What to do.** {remedy}\n\n\
         ## Example\n\n{example}\nIt says: {message}.\n\n\
         The case `{case}` of [{file}](../../tests/vectors/{file}) has the whole input.\n",
        severity(rule),
        file = shown.file,
    )
}

/// A record of many faults would stand in each of its findings, and they together would have the square of its size.
#[test]
fn many_faults_of_a_record_are_counted_and_not_all_listed() {
    let lint = |op, record: String| {
        let input = serde_json::json!({ "subject": record, "domain": "a.example", "dns": {
            "format": "sendershift-snapshot/1", "closed": true, "answers": [] } });
        serde_json::from_str::<Value>(&sendershift::wire::call(op, &input.to_string())).unwrap()
    };
    let cases = [
        ("dmarc.lint", "v=DMARC1; p=none", "; tag", "dmarc.bad-tag", "warning"),
        ("spf.lint", "v=spf1", " ip4:x", "spf.syntax", "error"),
    ];
    for (op, head, fault, code, severity) in cases {
        for (count, is_shown) in [(50, true), (51, true), (100, true), (1_000, false)] {
            let report = lint(op, format!("{head}{}", fault.repeat(count)));
            let findings: Vec<_> =
                report["findings"].as_array().unwrap().iter().filter(|f| f["code"] == code).collect();
            assert_eq!(findings.len(), 50, "{report}");
            assert!(findings.iter().all(|finding| finding["record"].is_string() == is_shown), "{report}");
            let others = report["findings"].as_array().unwrap().iter();
            let others = others.filter(|f| f["severity"] == severity && f["code"] != code).count();
            assert_eq!(report["counts"][severity], count + others, "{report}");
            let told = |n: usize| findings[n]["message"].as_str().unwrap().rsplit_once(", and ");
            let more = (count > 50).then(|| format!("{} more like it", count - 50));
            assert_eq!(told(49).map(|(_, more)| more), more.as_deref(), "{report}");
            assert!(!findings[48]["message"].as_str().unwrap().contains("more like it"), "{report}");
        }
    }
}
