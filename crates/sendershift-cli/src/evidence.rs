//! Files of evidence.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use sendershift::dns::Snapshot;
use sendershift::error::Problem;

use crate::failure::{Failure, Faulty};

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let mut octets = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut octets).map(|_| octets)
    } else {
        fs::read(path)
    };
    let octets = read.map_err(|error| Failure::Unreadable(unreadable(path, &error)))?;
    String::from_utf8(octets).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("`{shown}` is not UTF-8 text: octet {at} (counted from 0) begins no character");
        let help = "is it the right file? text in another encoding has to be converted first";
        Failure::Unreadable(Problem::new("file.not-utf8", message).help(help))
    })
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let shown = path.display();
    match error.kind() {
        ErrorKind::NotFound => Problem::new("file.not-found", format!("there is no file `{shown}`"))
            .help("check the path; it is relative to the current directory"),
        ErrorKind::PermissionDenied => {
            Problem::new("file.no-permission", format!("no permission to read `{shown}`"))
                .help("let the user who runs the command read the file")
        }
        ErrorKind::IsADirectory => {
            Problem::new("file.is-a-directory", format!("`{shown}` is a directory")).help("name a file in it")
        }
        _ => Problem::new("file.unreadable", format!("`{shown}` cannot be read: {error}"))
            .help("check that the file is there and that the disk is in order"),
    }
}

/// Reads snapshots and zone files; without any, every answer is missing.
pub(crate) fn snapshot(paths: &[impl AsRef<Path>]) -> Result<Snapshot, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        let path = path.as_ref();
        sources.push((path.display().to_string(), read(path)?));
    }
    let borrowed: Vec<(&str, &str)> =
        sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Snapshot::from_sources(&borrowed).map_err(|invalid| {
        let faulty = invalid.into_iter().filter_map(|(index, invalid)| {
            let (name, text) = sources.get(index)?.clone();
            let mut invalid = invalid;
            for problem in &mut invalid.problems {
                if problem.code == "json.syntax" && problem.help.is_none() {
                    let help = "--dns takes snapshots (JSON, sendershift-snapshot/1) and zone files";
                    problem.help = Some(help.into());
                }
            }
            Some(Faulty { name, text, is_file: true, invalid })
        });
        Failure::Invalid(faulty.collect())
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::path::Path;

    use super::unreadable;

    /// Tests may run as a user who may read everything, so no session can show this.
    #[test]
    fn no_permission() {
        let problem = unreadable(Path::new("a.json"), &Error::from(ErrorKind::PermissionDenied));
        assert_eq!(problem.code, "file.no-permission");
        assert!(problem.message.contains("`a.json`") && problem.help.is_some());
    }
}
