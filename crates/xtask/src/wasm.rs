//! A cargo that builds for `wasm32-unknown-unknown`.
//!
//! Usually the toolchain has the target (`rustup target add wasm32-unknown-unknown`). Where it has not and
//! cannot get it, Debian's packages help out: `rustc-web` compiles the standard library of `rust-web-src` once,
//! into `target/wasm-std/`, and then this workspace against it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian;
use crate::process::{Outcome, Stop, Workspace, printed, run, write};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const SHIM: &str = "[package]\nname = \"shim\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";

/// A cargo whose builds are for the target, in a target folder of their own.
///
/// # Errors
///
/// [`Stop::Unavailable`] if this machine has no standard library for the target and no way to one.
pub(crate) fn cargo(workspace: &Workspace) -> Outcome<Command> {
    let mut cargo = workspace.cargo();
    without_flags(&mut cargo);
    cargo.env("CARGO_TARGET_DIR", workspace.path("target/wasm")).env("CARGO_BUILD_TARGET", TARGET);
    let active = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    if !has_std(workspace.command(&active)) {
        let compiler = Debian::find(workspace)?;
        let sysroot = compiler.sysroot(workspace)?;
        cargo.env("RUSTC", DEBIAN_RUSTC);
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker(workspace, &active)?);
        cargo
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", format!("--sysroot={}", sysroot.display()));
    }
    Ok(cargo)
}

/// Flags that are meant for the host do not reach the target.
fn without_flags(cargo: &mut Command) {
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
}

/// Whether a compiler has the standard library; it prints the folder even where there is none.
fn has_std(mut rustc: Command) -> bool {
    let folder = printed(rustc.stderr(Stdio::null()).args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_some_and(|folder| !rlibs(Path::new(&folder), "libstd-").is_empty())
}

/// The compiled libraries in a folder whose file name has a prefix.
fn rlibs(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let named = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rlib") && named(path));
    paths
}

/// Debian's compiler with its sources.
struct Debian {
    /// Release and commit, so that another compiler gets another standard library.
    id: String,
    /// The sources of the standard library's own dependencies.
    vendor: PathBuf,
}

impl Debian {
    fn find(workspace: &Workspace) -> Outcome<Self> {
        let there = || Self::installed(workspace);
        there()
            .or_else(|| debian::install(workspace, &["rustc-web", "rust-web-src"]).then(there).flatten())
            .ok_or_else(|| {
                Stop::Unavailable(format!(
                    "no standard library for {TARGET}: run `rustup target add {TARGET}`"
                ))
            })
    }

    fn installed(workspace: &Workspace) -> Option<Self> {
        let rustc = || workspace.command(DEBIAN_RUSTC);
        let library =
            Path::new(&printed(rustc().args(["--print", "sysroot"]))?).join("lib/rustlib/src/rust/library");
        let version = printed(rustc().arg("-vV"))?;
        let id = format!("{}-{:.9}-size", field(&version, "release")?, field(&version, "commit-hash")?);
        let vendor = library.join("vendor").canonicalize().ok()?;
        library.join("Cargo.lock").exists().then_some(Self { id, vendor })
    }

    /// The folder of the compiled standard library.
    fn sysroot(&self, workspace: &Workspace) -> Outcome<PathBuf> {
        let sysroot = workspace.path("target/wasm-std").join(&self.id);
        let ready = || {
            let mut rustc = workspace.command(DEBIAN_RUSTC);
            rustc.arg("--sysroot").arg(&sysroot);
            has_std(rustc)
        };
        if !ready() {
            let work = workspace.path("target/wasm-std").join(format!("build.{}", std::process::id()));
            let built = self.build(workspace, &work, &sysroot);
            fs::remove_dir_all(&work)?;
            built?;
        }
        if ready() {
            Ok(sysroot)
        } else {
            Err(Stop::Failed(format!("no standard library was built for {TARGET}")))
        }
    }

    /// Compiles the standard library by way of an empty crate, and keeps what it was built of.
    fn build(&self, workspace: &Workspace, work: &Path, sysroot: &Path) -> Outcome {
        let (shim, target, out) = (work.join("shim"), work.join("target"), work.join("out"));
        write(&shim.join("src/lib.rs"), "#![no_std]\n")?;
        write(&shim.join("Cargo.toml"), SHIM)?;
        let mut cargo = workspace.cargo();
        without_flags(&mut cargo);
        // The flags are those that the standard library itself is distributed with.
        let flags = "-Cembed-bitcode=yes -Zforce-unstable-if-unmarked";
        cargo.current_dir(&shim).env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
        cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
        cargo.args(["build", "--quiet", "--release", "--target", TARGET, "--offline"]);
        // With the sorts that take least room: they are compiled once for each type that is sorted.
        cargo.args(["-Zbuild-std=std,panic_abort,proc_macro,test", "-Zbuild-std-features=optimize_for_size"]);
        cargo.args(["--config", "source.crates-io.replace-with=\"std-vendor\"", "--config"]);
        cargo.arg(format!("source.std-vendor.directory='{}'", self.vendor.display()));
        run(&mut cargo)?;
        let library = out.join("lib/rustlib").join(TARGET).join("lib");
        fs::create_dir_all(&library)?;
        for path in rlibs(&target.join(TARGET).join("release/deps"), "lib") {
            // The empty crate is no part of it.
            if let Some(name) =
                path.file_name().filter(|name| !name.to_string_lossy().starts_with("libshim-"))
            {
                fs::copy(&path, library.join(name))?;
            }
        }
        if sysroot.exists() {
            fs::remove_dir_all(sysroot)?;
        }
        Ok(fs::rename(out, sysroot)?)
    }
}

/// The value in a line `name: value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The linker that comes with the toolchain, or else one of Debian's.
fn linker(workspace: &Workspace, active: &str) -> Outcome<PathBuf> {
    let rustc = || workspace.command(active);
    let own = || {
        let sysroot = printed(rustc().args(["--print", "sysroot"]))?;
        let version = printed(rustc().arg("-vV"))?;
        let host = field(&version, "host")?;
        Some(Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld"))
    };
    let debian = Some(PathBuf::from("/usr/bin/wasm-ld"));
    own().into_iter().chain(debian).find(|path| path.exists()).ok_or_else(|| {
        Stop::Unavailable(
            "no linker for WebAssembly: install lld (on Debian: apt-get install lld)".to_owned(),
        )
    })
}
