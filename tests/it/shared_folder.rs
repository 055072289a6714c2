//! A folder that many processes of many machines write: who waits for whom, and who takes over from the dead.
#![cfg(unix)]

use crate::support::{model, skip, stderr, text_suite, unigauge, unigauge_process};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

const RUN: &str = "results/questions/echo/seed0";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 6);
    model(dir.path(), "echo", "echo", "");
    dir
}

fn shard(dir: &Path, shard: &str, more: &[&str]) -> Output {
    unigauge(dir)
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .args(["--shard", shard])
        .args(more)
        .output()
        .unwrap()
}

/// Holds the lock of a shard as a process of another machine does.
fn held(dir: &Path, lock: &str, host: &str) -> std::fs::File {
    let path = dir.join(RUN).join(lock);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = format!("process 1660 of job 7_3 on {host} since 2026-01-01 00:00:00 UTC\n");
    std::fs::write(&path, text).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn a_busy_folder_has_an_exit_code_of_its_own_and_names_host_process_and_age() {
    let dir = folder();
    let _file = held(dir.path(), ".lock.1-of-2", "n17");
    let output = shard(dir.path(), "1/2", &[]);
    assert_eq!(output.status.code(), Some(7));
    let said = stderr(&output);
    for part in [
        "process 1660 of job 7_3 on n17",
        " days ago)",
        "last seen",
        "--wait-lock",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Another shard of the division is not concerned; a process of another division is.
    assert_eq!(shard(dir.path(), "2/2", &[]).status.code(), Some(0));
    assert_eq!(shard(dir.path(), "1/3", &[]).status.code(), Some(7));
    let whole = unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .output()
        .unwrap();
    assert_eq!(whole.status.code(), Some(7), "{}", stderr(&whole));
    let merge = unigauge(dir.path()).args(["merge", RUN]).output().unwrap();
    assert_eq!(merge.status.code(), Some(7), "{}", stderr(&merge));
}

#[test]
fn a_lock_is_waited_for() {
    let dir = folder();
    let file = held(dir.path(), ".lock.1-of-2", "n17");
    let child = unigauge_process(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .args(["--shard", "1/2", "--wait-lock", "120"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    drop(file);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("waiting at most"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_holder_that_is_silent_for_long_is_taken_over() {
    let dir = folder();
    let file = held(dir.path(), ".lock.1-of-2", "n17");
    let old = SystemTime::now() - Duration::from_secs(3600);
    file.set_modified(old).unwrap();
    let output = shard(dir.path(), "1/2", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // On this machine the kernel knows better.
    let host = nix::unistd::gethostname().unwrap();
    let file = held(dir.path(), ".lock.2-of-2", host.to_str().unwrap());
    file.set_modified(old).unwrap();
    assert_eq!(shard(dir.path(), "2/2", &[]).status.code(), Some(7));
}

/// A library that makes `flock` fail, as some file systems of clusters do. `None` without a C compiler.
fn without_flock(dir: &Path, error: &str) -> Option<PathBuf> {
    let source = dir.join("noflock.c");
    let text = format!(
        "#include <errno.h>\nint flock(int file, int how) {{ (void)file; (void)how; errno = {error}; return -1; }}\n"
    );
    std::fs::write(&source, text).unwrap();
    let library = dir.join(format!("noflock-{error}.so"));
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    made.is_ok_and(|status| status.success()).then_some(library)
}

#[test]
fn a_file_system_without_locks_works_with_leases() {
    if !cfg!(target_os = "linux") {
        return skip("a library is loaded before others on Linux only");
    }
    for error in ["ENOSYS", "EOPNOTSUPP", "ENOLCK"] {
        let dir = folder();
        let Some(library) = without_flock(dir.path(), error) else {
            return skip("there is no C compiler");
        };
        let run = |shard: &str| {
            unigauge(dir.path())
                .env("LD_PRELOAD", &library)
                .args(["run", "./questions.toml", "--model", "./echo.toml"])
                .args(["--shard", shard])
                .output()
                .unwrap()
        };
        for shard in ["1/2", "2/2", "1/2"] {
            let output = run(shard);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{error}: {}",
                stderr(&output)
            );
        }
        // Somebody else has the lease.
        let lease = dir.path().join(RUN).join(".lock.1-of-2.lease.9");
        std::fs::write(&lease, "process 5 on n3 since 2026-01-01 00:00:00 UTC\n").unwrap();
        let output = run("1/2");
        assert_eq!(
            output.status.code(),
            Some(7),
            "{error}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains("process 5 on n3"),
            "{}",
            stderr(&output)
        );
        // And died.
        let file = std::fs::File::options().write(true).open(&lease).unwrap();
        let old = SystemTime::now() - Duration::from_secs(3600);
        file.set_modified(old).unwrap();
        assert_eq!(run("1/2").status.code(), Some(0));
        let merge = unigauge(dir.path())
            .env("LD_PRELOAD", &library)
            .args(["merge", RUN])
            .output()
            .unwrap();
        assert_eq!(merge.status.code(), Some(0), "{error}: {}", stderr(&merge));
    }
}

/// Shards of two divisions that start together: they take turns, and every output is made once.
#[test]
fn shards_of_two_divisions_at_the_same_time_make_no_output_twice() {
    let dir = folder();
    let mut children = Vec::new();
    for shard in ["1/2", "2/2", "1/3", "2/3", "3/3"] {
        let child = unigauge_process(dir.path())
            .args(["run", "./questions.toml", "--model", "./echo.toml"])
            .args(["--shard", shard, "--wait-lock", "300"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        children.push(child);
    }
    let mut made = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        let words = said.split(": ").last().unwrap();
        made += words.split(' ').next().unwrap().parse::<usize>().unwrap();
    }
    assert_eq!(made, 6);
    let merge = unigauge(dir.path()).args(["merge", RUN]).output().unwrap();
    assert_eq!(merge.status.code(), Some(0), "{}", stderr(&merge));
}
