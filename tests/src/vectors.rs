//! The vectors of `tests/vectors`: what each operation answers, for every language alike.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// A file of vectors, for one operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    format: u32,
    /// The operation.
    pub op: String,
    /// The cases, each with a name of its own.
    pub cases: Vec<Case>,
}

/// One call and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The name: lower-case words, joined by `-`.
    pub name: String,
    /// The section of a standard or of our documentation that says so.
    pub spec: String,
    /// What is easily got wrong here.
    pub why: Option<String>,
    /// The input document.
    pub input: Value,
    ok: Option<Value>,
    error: Option<ExpectedError>,
    findings: Option<Vec<ExpectedFinding>>,
}

/// The part of a finding that is contract.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedFinding {
    code: String,
    severity: String,
    name: String,
    span: Option<[usize; 2]>,
    via: Option<Vec<String>>,
}

/// The part of an error document that is contract; prose is not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    code: Option<String>,
    problems: Option<Vec<ExpectedProblem>>,
    questions: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedProblem {
    code: String,
    span: Option<[usize; 2]>,
}

/// The files of vectors below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}

impl File {
    /// Reads a file and checks its form.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in one line.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let file: Self = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        if self.format != 1 {
            return Err(format!("format {} is not 1", self.format));
        }
        if self.cases.is_empty() {
            return Err("there are no cases".to_owned());
        }
        for (index, case) in self.cases.iter().enumerate() {
            if self.cases.iter().take(index).any(|other| other.name == case.name) {
                return Err(format!("two cases are named `{}`", case.name));
            }
            case.check().map_err(|why| format!("case `{}`: {why}", case.name))?;
        }
        Ok(())
    }
}

impl Case {
    fn check(&self) -> Result<(), String> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !self.name.split('-').all(is_word) {
            return Err("the name is not lower-case words joined by `-`".to_owned());
        }
        if self.spec.trim().is_empty() {
            return Err("`spec` is empty".to_owned());
        }
        match (&self.ok, &self.error, &self.findings) {
            (Some(_), None, None) | (None, None, Some(_)) => Ok(()),
            (None, Some(error), None) => error.check(),
            _ => Err("there is not exactly one of `ok`, `error` and `findings`".to_owned()),
        }
    }

    /// Compares what the operation answered with what it should.
    ///
    /// # Errors
    ///
    /// The difference, for people.
    pub fn compare(&self, output: &str) -> Result<(), String> {
        let actual: Value = serde_json::from_str(output)
            .map_err(|error| format!("the output is not JSON: {error}\n{output}"))?;
        let same = match (&self.ok, &self.error, &self.findings) {
            (Some(expected), _, _) => actual == *expected,
            (None, Some(error), _) => error.is_met_by(&actual),
            (None, None, Some(expected)) => ExpectedFinding::are_met_by(expected, &actual),
            (None, None, None) => false,
        };
        if same { Ok(()) } else { Err(format!("expected {}\nactual   {actual}", self.expected())) }
    }

    fn expected(&self) -> String {
        match (&self.ok, &self.error, &self.findings) {
            (Some(expected), _, _) => expected.to_string(),
            (None, Some(error), _) => format!("an error with {error:?}"),
            (None, None, findings) => format!("a report with {findings:?}"),
        }
    }

    /// The codes of the findings that the answer has to have.
    pub fn finding_codes(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().flatten().map(|finding| finding.code.as_str())
    }
}

impl ExpectedFinding {
    fn are_met_by(expected: &[Self], report: &Value) -> bool {
        let found = report["findings"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        report["format"] == "sendershift-lint/1"
            && expected.len() == found.len()
            && expected.iter().zip(found).all(|(expected, actual)| expected.is_met_by(actual))
    }

    fn is_met_by(&self, actual: &Value) -> bool {
        actual["code"] == *self.code
            && actual["severity"] == *self.severity
            && actual["name"] == *self.name
            && self.span.is_none_or(|[start, end]| actual["span"] == serde_json::json!([start, end]))
            && self.via.as_ref().is_none_or(|via| actual["via"] == serde_json::json!(via))
    }
}

impl ExpectedError {
    /// An expectation that everything meets is no test.
    fn check(&self) -> Result<(), String> {
        match (&self.code, &self.problems, &self.questions) {
            (None, _, None) => Err("the error has neither `code` nor `questions`".to_owned()),
            (_, Some(problems), _) if problems.is_empty() => Err("`problems` is empty".to_owned()),
            _ => Ok(()),
        }
    }

    fn is_met_by(&self, actual: &Value) -> bool {
        let format = if self.questions.is_some() { "sendershift-missing/1" } else { "sendershift-error/1" };
        let problems = actual["problems"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        actual["format"] == format
            && self.code.as_ref().is_none_or(|code| actual["code"] == **code)
            && self.questions.as_ref().is_none_or(|questions| actual["questions"] == *questions)
            && self.problems.as_ref().is_none_or(|expected| {
                expected.len() == problems.len()
                    && expected.iter().zip(problems).all(|(expected, actual)| expected.is_met_by(actual))
            })
    }
}

impl ExpectedProblem {
    fn is_met_by(&self, actual: &Value) -> bool {
        actual["code"] == *self.code
            && self.span.is_none_or(|[start, end]| actual["span"] == serde_json::json!([start, end]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Case, File};

    fn case(expected: (&str, Value)) -> Case {
        let mut case = json!({ "name": "a-1", "spec": "RFC 1", "input": {} });
        case[expected.0] = expected.1;
        serde_json::from_value(case).unwrap()
    }

    #[test]
    fn ok_is_the_whole_document() {
        let case = case(("ok", json!({ "a": 1, "b": null })));
        case.compare(r#"{ "b": null, "a": 1 }"#).unwrap();
        for output in
            [r#"{ "a": 1 }"#, r#"{ "a": 1, "b": null, "c": 2 }"#, r#"{ "a": "1", "b": null }"#, "no"]
        {
            case.compare(output).unwrap_err();
        }
    }

    #[test]
    fn of_an_error_code_and_places_are_compared() {
        let case = case(("error", json!({ "code": "a.b", "problems": [{ "code": "a.b", "span": [1, 2] }] })));
        let document = |format: &str, code: &str, problems: Value| {
            json!({ "format": format, "code": code, "message": "any", "problems": problems }).to_string()
        };
        let problem = json!({ "code": "a.b", "message": "any", "span": [1, 2], "help": null });
        let error = "sendershift-error/1";
        case.compare(&document(error, "a.b", json!([problem]))).unwrap();
        case.compare(&document("sendershift-check/1", "a.b", json!([problem]))).unwrap_err();
        case.compare(&document(error, "a.c", json!([problem]))).unwrap_err();
        case.compare(&document(error, "a.b", json!([]))).unwrap_err();
        case.compare(&document(error, "a.b", json!([problem, problem]))).unwrap_err();
        case.compare(&document(error, "a.b", json!([{ "code": "a.b", "span": [1, 3] }]))).unwrap_err();
    }

    #[test]
    fn of_missing_evidence_the_questions_are_compared() {
        let questions = json!([{ "name": "a.example", "type": "TXT" }]);
        let case = case(("error", json!({ "questions": questions })));
        let document =
            |questions: &Value| json!({ "format": "sendershift-missing/1", "questions": questions });
        case.compare(&document(&questions).to_string()).unwrap();
        case.compare(&document(&json!([])).to_string()).unwrap_err();
    }

    #[test]
    fn of_findings_all_are_compared_by_code_severity_and_place() {
        let case = case((
            "findings",
            json!([{ "code": "a.b", "severity": "note", "name": "a.example", "span": [0, 1] }]),
        ));
        let finding = json!({ "code": "a.b", "severity": "note", "name": "a.example", "span": [0, 1], "message": "any" });
        let document =
            |findings: Value| json!({ "format": "sendershift-lint/1", "findings": findings }).to_string();
        case.compare(&document(json!([finding]))).unwrap();
        case.compare(&document(json!([]))).unwrap_err();
        case.compare(&document(json!([finding, finding]))).unwrap_err();
        for (key, other) in [("code", json!("a.c")), ("severity", json!("error")), ("span", json!([0, 2]))] {
            let mut finding = finding.clone();
            finding[key] = other;
            case.compare(&document(json!([finding]))).unwrap_err();
        }
    }

    #[test]
    fn a_file_that_proves_nothing_is_refused() {
        let refused = |file: Value| File::check(&serde_json::from_value(file).unwrap()).unwrap_err();
        let file = |cases: Value| json!({ "format": 1, "op": "a", "cases": cases });
        let case = |name: &str| json!({ "name": name, "spec": "RFC 1", "input": {}, "ok": {} });
        assert!(refused(file(json!([]))).contains("no cases"));
        assert!(refused(file(json!([case("a"), case("a")]))).contains("two cases"));
        assert!(refused(file(json!([case("A b")]))).contains("lower-case"));
        let mut both = case("a");
        both["error"] = json!({ "code": "a.b" });
        assert!(refused(file(json!([both]))).contains("exactly one"));
        let any = json!({ "name": "a", "spec": "RFC 1", "input": {}, "error": {} });
        assert!(refused(file(json!([any]))).contains("neither"));
    }
}
