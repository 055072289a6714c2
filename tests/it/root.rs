//! Disks that are full or read-only: a small file system is mounted for them, which takes root's rights.
//!
//! `cargo test --test it root::` runs them alone.
#![cfg(target_os = "linux")]

use crate::assets::{Bench, has_file, ranged, url_source};
use crate::bad_input::picture_suite;
use crate::http::Server;
use crate::support::{lines, model, skip, stderr, text_suite, unigauge};
use std::path::Path;
use unigauge::hub::{Hub, HubError, HubOptions};

/// A file system of its own, which is unmounted when it is dropped. None where this process may not mount.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn tmpfs(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(dir.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            skip("a small file system cannot be mounted here");
        }
        mounted.then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, options: &str) {
        let done = std::process::Command::new("mount")
            .args(["-o", options])
            .arg(self.path())
            .status()
            .unwrap();
        assert!(done.success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.path())
            .status();
    }
}

#[test]
fn a_full_disk_stops_the_run_with_everything_kept_and_room_lets_it_go_on() {
    let dir = tempfile::tempdir().unwrap();
    picture_suite(dir.path(), &["a", "b", "c", "d", "e"]);
    model(
        dir.path(),
        "drawn",
        "typeset",
        "width = 1024\nheight = 1024\nnoise = 40",
    );
    let Some(small) = Mounted::tmpfs("size=4m") else {
        return;
    };
    let args = [
        "generate",
        "./questions.toml",
        "--model",
        "./drawn.toml",
        "--jobs",
        "1",
        "--out",
    ];
    let output = unigauge(dir.path())
        .args(args)
        .arg(small.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("the disk is full"),
        "{}",
        stderr(&output)
    );
    let journal = small.path().join("questions/drawn/seed0/outputs.jsonl");
    let kept = lines(&journal);
    assert!(!kept.is_empty() && kept.len() < 5, "{}", kept.len());
    small.remount("remount,size=64m");
    unigauge(dir.path())
        .args(args)
        .arg(small.path())
        .assert()
        .code(0);
    let all = lines(&journal);
    assert_eq!(all.len(), 5);
    assert_eq!(all[..kept.len()], kept[..]);
}

#[test]
fn a_read_only_folder_is_named_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 2);
    model(dir.path(), "echo", "echo", "");
    let Some(disk) = Mounted::tmpfs("size=1m") else {
        return;
    };
    disk.remount("remount,ro");
    let output = unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml", "--out"])
        .arg(disk.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let message = stderr(&output);
    assert!(
        message.contains("read-only") && message.contains("--out"),
        "{message}"
    );
}

#[test]
fn a_full_disk_is_named_by_a_download_that_leaves_no_half_file() {
    let Some(disk) = Mounted::tmpfs("size=64k") else {
        return;
    };
    let server = Server::start(|seen, _| ranged(seen));
    let bench = Bench::new(&url_source(&server));
    let hub = Hub::new(HubOptions {
        cache: Some(disk.path().join("cache")),
        environment: bench.variables.iter().cloned().collect(),
        ..HubOptions::default()
    })
    .unwrap();
    let error = hub.ensure("thing").unwrap_err();
    assert!(matches!(error, HubError::DiskFull { .. }), "{error}");
    assert!(!has_file(disk.path(), "thing.bin"));
    assert_eq!(server.seen().len(), 1);
}
