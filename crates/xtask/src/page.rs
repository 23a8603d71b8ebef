//! The calculator, `target/page`: static files of `docs/calculator` with the package for JavaScript beside them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::process::{Outcome, Stop, Workspace, run, write};
use crate::{debian, npm};

const ADDRESS: &str = "127.0.0.1:8208";

/// What the page needs of the package.
const MODULES: [&str; 7] =
    ["index.js", "calls.js", "core.js", "light.js", "light_bg.wasm", "full.js", "full_bg.wasm"];

/// Builds the page and says where it is.
///
/// # Errors
///
/// As [`npm::build`].
pub(crate) fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    let package = npm::build(workspace)?;
    let page = workspace.path("target/page");
    if page.exists() {
        fs::remove_dir_all(&page)?;
    }
    npm::copy_files(&workspace.path("docs/calculator"), &page)?;
    let modules = page.join("sendershift");
    fs::create_dir_all(&modules)?;
    for name in MODULES {
        fs::copy(package.join(name), modules.join(name))?;
    }
    without_comments(&page)?;
    without_comments(&modules)?;
    examples(workspace, &page.join("examples"))?;
    Ok(page)
}

/// Takes the comments out of the scripts in a folder: nobody reads them there, and everybody waits for them.
fn without_comments(folder: &Path) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            fs::write(&path, code(&fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}

/// The lines of a script that are not comments as a whole.
fn code(script: &str) -> String {
    let mut inside = false;
    let lines = script.split_inclusive('\n').filter(|line| {
        let line = line.trim();
        let begins = line.starts_with("/*") && line.find("*/").is_none_or(|end| end + 2 == line.len());
        let is_comment = inside || begins || line.starts_with("//");
        if inside || begins {
            inside = !line.ends_with("*/");
        }
        !is_comment
    });
    lines.collect()
}

/// The examples of the guide, each with its files, and the list of their names.
fn examples(workspace: &Workspace, to: &Path) -> Outcome {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace.path("docs/examples"))? {
        let folder = entry?.path();
        if let Some(name) = folder.file_name().filter(|_| folder.join("migration.toml").exists()) {
            npm::copy_files(&folder, &to.join(name))?;
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    fs::copy(workspace.path("tests/plans/broken-negative-cache.json"), to.join("unsafe-plan.json"))?;
    write(&to.join("index.json"), &format!("{names:?}\n"))
}

/// Builds the page and serves it to this machine until it is stopped.
///
/// # Errors
///
/// As [`build`], or if the port is taken.
pub(crate) fn serve(workspace: &Workspace) -> Outcome {
    let page = build(workspace)?;
    let listener = TcpListener::bind(ADDRESS)?;
    println!("http://{ADDRESS}/ (stop with Ctrl-C)");
    for stream in listener.incoming() {
        let (stream, page) = (stream?, page.clone());
        // A browser that goes away is no reason to stop.
        thread::spawn(move || answer(&stream, &page).ok());
    }
    Ok(())
}

/// Answers one request and closes.
fn answer(mut stream: &TcpStream, page: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut line = String::new();
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let body = file(&line, page).and_then(|path| Some((kind(&path)?, fs::read(path).ok()?)));
    let (status, kind, body) = match body {
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", b"not found".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}

/// The file that a request line is about: plain names below the page's folder and nothing else.
fn file(line: &str, page: &Path) -> Option<PathBuf> {
    let path = line.strip_prefix("GET /")?.split([' ', '?']).next()?;
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
    match path {
        "" => Some(page.join("index.html")),
        _ => path.split('/').all(plain).then(|| page.join(path)),
    }
}

fn kind(path: &Path) -> Option<&'static str> {
    Some(match path.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "toml" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

/// Tests the page in Chromium.
///
/// # Errors
///
/// As [`build`], [`Stop::Unavailable`] without Chromium, or if a test fails.
pub(crate) fn test(workspace: &Workspace) -> Outcome {
    let chromium = debian::program("chromium")
        .or_else(|| debian::install(workspace, &["chromium"]).then(|| debian::program("chromium")).flatten())
        .ok_or_else(|| {
            Stop::Unavailable("no Chromium: install it (on Debian: apt-get install chromium)".to_owned())
        })?;
    let page = build(workspace)?;
    let command = npm::command(workspace)?;
    let tests = npm::installed(workspace, "tests/page", "target/page-tests")?;
    run(workspace.command("node").arg(tests.join("sizes.mjs")).arg(&page))?;
    let mut node = workspace.command("node");
    // One browser at a time: what takes time is measured.
    node.current_dir(&tests)
        .args(["--test", "--test-concurrency=1"])
        .env("SENDERSHIFT_ROOT", workspace.path(""));
    node.env("SENDERSHIFT_PAGE", page).env("SENDERSHIFT_CHROMIUM", chromium);
    node.env("SENDERSHIFT_PACKAGE", workspace.path("target/npm/package"));
    run(node.env("SENDERSHIFT_COMMAND", command))
}

#[cfg(test)]
mod tests {
    use super::{code, file};
    use std::path::Path;

    #[test]
    fn comments_go_and_code_stays() {
        let script =
            "// a\nlet a = 1; // b\n/** c */\n  /* d\n   * e\n   */\nlet b = \"//\";\n/* f */ let c = 2;\n";
        assert_eq!(code(script), "let a = 1; // b\nlet b = \"//\";\n/* f */ let c = 2;\n");
    }

    #[test]
    fn only_files_of_the_page_are_served() {
        let at = |line| file(line, Path::new("page"));
        assert_eq!(at("GET / HTTP/1.1\r\n"), Some("page/index.html".into()));
        assert_eq!(at("GET /a/b.js?x HTTP/1.1\r\n"), Some("page/a/b.js".into()));
        for line in
            ["GET /../x HTTP/1.1", "GET //etc/x HTTP/1.1", "GET /a/../../x HTTP/1.1", "POST / HTTP/1.1", ""]
        {
            assert_eq!(at(line), None, "{line}");
        }
    }
}
