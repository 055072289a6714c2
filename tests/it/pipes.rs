//! Every command with readers of its output that have gone: no panic, the same exit code, the same files.
#![cfg(unix)]

use crate::parity::copy_into;
use crate::support::{files_below, model, text_suite, unigauge, unigauge_process};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const RUN: &str = "results/questions/echo/seed0";
const OTHER: &str = "results/questions/half/seed0";
const PARTS: &str = "parts/questions/echo/seed0";

/// Command lines of every command, by its words. Standard output and standard error are both written to by
/// some.
const LINES: &[(&str, &[&str])] = &[
    (
        "run",
        &["./questions.toml", "--model", "./half.toml", "--out", "new"],
    ),
    (
        "run",
        &[
            "./questions.toml",
            "--model",
            "./half.toml",
            "--out",
            "new",
            "--json",
        ],
    ),
    (
        "run",
        &["./questions.toml", "--model", "./half.toml", "--dry-run"],
    ),
    ("run", &["./questions.toml"]),
    ("items", &["./questions.toml"]),
    ("items", &["geneval", "--official"]),
    (
        "generate",
        &["./questions.toml", "--model", "./half.toml", "--out", "new"],
    ),
    (
        "generate",
        &[
            "./questions.toml",
            "--model",
            "./half.toml",
            "--out",
            "new",
            "--json",
        ],
    ),
    (
        "observe",
        &[
            "--suite",
            "mini-geneval",
            "--images",
            "pictures",
            "--name",
            "x",
            "--limit",
            "3",
            "--out",
            "new",
        ],
    ),
    ("observe", &[RUN]),
    ("grade", &[RUN]),
    ("report", &[RUN]),
    ("serve rewards", &["--rewards", "nothing"]),
    // An address of no machine, so that it does not wait for clients.
    (
        "serve rewards",
        &["--rewards", "mini", "--listen", "192.0.2.1:0", "--no-token"],
    ),
    ("study", &["./levels.toml"]),
    ("study", &["./levels.toml", "--json"]),
    ("baseline save", &[RUN, "--to", "new.json"]),
    ("baseline compare", &["baseline.json", RUN]),
    (
        "baseline accept",
        &["baseline.json", RUN, "--reason", "a test"],
    ),
    ("compare", &[RUN, OTHER, "--out", "new"]),
    ("compare", &[RUN, OTHER, "--format", "markdown"]),
    ("table", &[]),
    ("table", &["geneval", "--out", "new.md"]),
    ("export items", &[RUN, "--out", "new.csv"]),
    ("export lm-eval", &[RUN, "--out", "new"]),
    (
        "export hub",
        &[RUN, "--dataset", "lab/questions", "--out", "new"],
    ),
    (
        "export eee",
        &[
            RUN,
            "--model-id",
            "lab/echo",
            "--organization",
            "Lab",
            "--out",
            "new",
        ],
    ),
    ("export metrics", &[RUN, "--out", "new.jsonl"]),
    (
        "watch",
        &[
            "pictures",
            "--suite",
            "mini-geneval",
            "--once",
            "--out",
            "new",
        ],
    ),
    (
        "gate",
        &[OTHER, "--baseline", "baseline.json", "--out", "new"],
    ),
    ("gate", &[OTHER, "--baseline", "baseline.json", "--json"]),
    ("history", &["questions"]),
    ("history", &["questions", "--json"]),
    ("fetch", &["--offline"]),
    (
        "fetch",
        &["--offline", "--dry-run", "mask2former-swin-s-coco"],
    ),
    ("check", &["--offline"]),
    ("check", &["./questions.toml", "--model", "./half.toml"]),
    ("check", &["mini-flux", "--keys"]),
    ("list", &[]),
    ("list", &["assets", "--json"]),
    ("merge", &[PARTS]),
    (
        "submit slurm",
        &[
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--shards",
            "2",
            "--dry-run",
        ],
    ),
    (
        "submit k8s",
        &[
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--shards",
            "2",
            "--image",
            "unigauge",
        ],
    ),
    (
        "submit local",
        &[
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--shards",
            "2",
            "--out",
            "new",
        ],
    ),
    ("pull", &["s3://bucket/x", "--offline"]),
    ("push", &["results", "s3://bucket/x", "--offline"]),
    ("status", &[]),
    ("status", &[PARTS, "--json"]),
    ("parity", &["GOLDEN/torch_randn"]),
    ("train", &["tiny.toml", "--device", "cpu"]),
    (
        "tokens encode",
        &["pictures/a.png", "--model", "mini-xomni", "--device", "cpu"],
    ),
    (
        "tokens decode",
        &[
            "codes.json",
            "--model",
            "mini-xomni",
            "--device",
            "cpu",
            "--out",
            "new",
        ],
    ),
    (
        "bench model",
        &[
            "flux-vae",
            "--config",
            "vae.json",
            "--size",
            "64x32",
            "--repeats",
            "1",
            "--warmup",
            "0",
            "--device",
            "cpu",
        ],
    ),
    ("completions", &["bash"]),
    ("man", &[]),
    ("man", &["--out", "new"]),
];

/// The words of every command that does something.
fn leaves(command: &clap::Command, words: &str, found: &mut BTreeSet<String>) {
    let subcommands = command.get_subcommands();
    for sub in subcommands.filter(|sub| sub.get_name() != "help") {
        let words = format!("{words} {}", sub.get_name());
        if sub.has_subcommands() {
            leaves(sub, &words, found)
        } else {
            found.insert(words.trim().to_owned());
        }
    }
}

/// A folder in which every command has something to do.
fn arranged() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path();
    text_suite(place, 6);
    model(place, "echo", "echo", "");
    // Answers every second question; what it cannot answer is a remark each.
    let script = r#"while IFS= read -r line; do
id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
case $id in q[024]*) printf '{"id":"%s","text":"number 2"}\n' "$id";; *) printf '{"id":"%s","error":"no"}\n' "$id";; esac
done"#;
    fs::write(place.join("half.sh"), script).unwrap();
    model(place, "half", "command", "program = [\"sh\", \"half.sh\"]");
    fs::write(
        place.join("levels.toml"),
        "name = \"levels\"\ntitle = \"Levels\"\nsuites = [\"./questions.toml\"]\n\n[factor]\ntitle = \"who\"\ncontrol = \"echo\"\n\n\
         [[factor.levels]]\nname = \"echo\"\nmodels = [\"./echo.toml\"]\n\n[[factor.levels]]\nname = \"none\"\nmodels = [\"./none.toml\"]\n",
    )
    .unwrap();
    model(place, "none", "echo", "");
    fs::write(
        place.join("tiny.toml"),
        "name = \"tiny\"\ntitle = \"Tiny\"\ntask = \"vae\"\nsteps = 4\nbatch = 2\nsave_every = 2\ncheck_every = 2\n\n\
         [optimizer]\nlearning_rate = 3e-3\nwarmup = 2\nema = 0.5\n\n\
         [network]\nblock_out_channels = [4, 8]\nlayers_per_block = 1\nlatent_channels = 3\nnorm_num_groups = 2\n\n\
         [settings]\nkl = 1e-4\n",
    )
    .unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let vae = golden.join("flux_vae/checkpoint/config.json");
    fs::copy(vae, place.join("vae.json")).unwrap();
    copy_into(
        &golden.join("torch_randn"),
        &place.join("GOLDEN/torch_randn"),
    );
    fs::create_dir(place.join("pictures")).unwrap();
    image::RgbImage::from_pixel(32, 32, image::Rgb([9, 90, 200]))
        .save(place.join("pictures/a.png"))
        .unwrap();
    let does = |arguments: &[&str], code: i32| -> Vec<u8> {
        let done = unigauge(place).args(arguments).assert().code(code);
        done.get_output().stdout.clone()
    };
    let run = ["run", "./questions.toml", "--model"];
    does(&[&run[..], &["./echo.toml"]].concat(), 0);
    does(&[&run[..], &["./half.toml"]].concat(), 5);
    for shard in ["1/2", "2/2"] {
        does(
            &[
                &run[..],
                &["./echo.toml", "--out", "parts", "--shard", shard],
            ]
            .concat(),
            0,
        );
    }
    does(&["baseline", "save", RUN, "--to", "baseline.json"], 0);
    let encode = [
        "tokens",
        "encode",
        "pictures/a.png",
        "--model",
        "mini-xomni",
    ];
    let codes = does(&[&encode[..], &["--device", "cpu"]].concat(), 0);
    fs::write(place.join("codes.json"), codes).unwrap();
    dir
}

/// How the readers leave.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gone {
    Nobody,
    /// Before the program writes.
    Stdout,
    Stderr,
    Both,
    /// After the first byte of either.
    Soon,
    /// There never was a stream: `>&- 2>&-`.
    Closed,
}

/// A pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Exit code and what is still heard of a command line.
fn outcome(dir: &Path, arguments: &[&str], gone: Gone) -> (Option<i32>, String) {
    let mut command = match gone {
        Gone::Closed => {
            let mut shell = Command::new("sh");
            shell
                .current_dir(dir)
                .env("NO_COLOR", "1")
                .args(["-c", "exec \"$@\" >&- 2>&-", "sh"])
                .arg(env!("CARGO_BIN_EXE_unigauge"));
            shell
        }
        _ => unigauge_process(dir),
    };
    command
        .args(arguments)
        .env("UNIGAUGE_LOG", "debug")
        .stdin(Stdio::null());
    command.stdout(match gone {
        Gone::Stdout | Gone::Both => unread(),
        _ => Stdio::piped(),
    });
    command.stderr(match gone {
        Gone::Stderr | Gone::Both => unread(),
        _ => Stdio::piped(),
    });
    let mut child = command.spawn().unwrap();
    if gone == Gone::Soon {
        use std::io::Read as _;
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let first = std::thread::spawn(move || out.read(&mut [0]));
        let _ = err.read(&mut [0]);
        drop(err);
        let _ = first.join().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let heard = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&heard).into_owned(),
    )
}

/// The files below a folder; numbers in names, such as times, count as one.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let name = |path: PathBuf| {
        let within = path.strip_prefix(folder).unwrap().to_str().unwrap();
        let within = within.replace(|c: char| c.is_ascii_digit(), "#");
        // Their names are hashes, of times and links among others.
        match within.rsplit_once('/') {
            Some((folder, _)) if folder.ends_with("/thumbs") => folder.into(),
            Some((folder, _)) if folder.ends_with("/cards") => folder.into(),
            _ => within.into(),
        }
    };
    files_below(folder).into_iter().map(name).collect()
}

fn copy(of: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy_into(of, dir.path());
    dir
}

fn sweep(lines: &[(&str, &[&str])], arranged: &Path) {
    for (words, more) in lines {
        let arguments: Vec<&str> = words.split(' ').chain(more.iter().copied()).collect();
        let calm = copy(arranged);
        let (code, heard) = outcome(calm.path(), &arguments, Gone::Nobody);
        assert!(
            code.is_some_and(|code| [0, 2, 3, 4, 5, 6].contains(&code)),
            "{arguments:?}: {code:?}\n{heard}"
        );
        let made = files(calm.path());
        for gone in [
            Gone::Stdout,
            Gone::Stderr,
            Gone::Both,
            Gone::Soon,
            Gone::Closed,
        ] {
            let dir = copy(arranged);
            let (got, heard) = outcome(dir.path(), &arguments, gone);
            assert_eq!(got, code, "{arguments:?} {gone:?}\n{heard}");
            assert!(
                !heard.contains("panicked"),
                "{arguments:?} {gone:?}\n{heard}"
            );
            assert_eq!(files(dir.path()), made, "{arguments:?} {gone:?}");
        }
    }
}

#[test]
fn every_command_has_a_line_here() {
    let mut command = unigauge::commands::command_line();
    command.build();
    let mut found = BTreeSet::new();
    leaves(&command, "", &mut found);
    let swept: BTreeSet<String> = LINES.iter().map(|(words, _)| (*words).to_owned()).collect();
    assert_eq!(found, swept);
}

#[test]
fn no_command_panics_when_its_readers_have_gone() {
    let arranged = arranged();
    let (first, second) = LINES.split_at(LINES.len() / 2);
    std::thread::scope(|scope| {
        for lines in [first, second] {
            let arranged = arranged.path();
            scope.spawn(move || sweep(lines, arranged));
        }
    });
}

#[test]
fn help_and_mistakes_need_no_reader() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["help", "run"], 0),
        (&["--version"], 0),
        (&["run"], 2),
        (&["list", "--nonsense"], 2),
        (&["no-command"], 2),
        (&[], 2),
    ] {
        for gone in [Gone::Stdout, Gone::Stderr, Gone::Both, Gone::Closed] {
            let (got, heard) = outcome(dir.path(), arguments, gone);
            assert_eq!(got, Some(code), "{arguments:?} {gone:?}\n{heard}");
            assert!(!heard.contains("panicked"), "{heard}");
        }
    }
}

/// The reader of the results went away is one thing; that they cannot be stored is another.
#[cfg(target_os = "linux")]
#[test]
fn results_that_a_full_disk_swallows_are_no_success() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["list"][..], &["items", "geneval"], &["man"], &["table"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = unigauge_process(dir.path())
            .args(arguments)
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
}

/// As `2>&1 | head -1`: the reader leaves in the middle of the work.
#[test]
fn a_run_outlives_the_reader_of_its_progress() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 40);
    let script = r#"while IFS= read -r line; do
id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
sleep 0.02; printf '{"id":"%s","error":"no"}\n' "$id"
done"#;
    fs::write(dir.path().join("half.sh"), script).unwrap();
    model(
        dir.path(),
        "half",
        "command",
        "program = [\"sh\", \"half.sh\"]",
    );
    let mut child = unigauge_process(dir.path())
        .args(["run", "./questions.toml", "--model", "./half.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    use std::io::BufRead as _;
    let mut line = String::new();
    std::io::BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains("generate failed"), "{line}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let run = dir.path().join("results/questions/half/seed0");
    assert_eq!(crate::support::lines(&run.join("outputs.jsonl")).len(), 40);
    assert!(run.join("summary.json").is_file() && run.join("report/index.html").is_file());
}
