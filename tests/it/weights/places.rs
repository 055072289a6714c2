//! Checkpoints by the home folder and by the root of a repository in the hub's cache.

use super::*;

/// The good checkpoint below the root of a repository, as the hub's own client keeps it.
fn cached(root: &Path, commit: &str, main: Option<&str>) {
    let (blobs, snapshot) = (root.join("blobs"), root.join("snapshots").join(commit));
    for folder in [&blobs, &snapshot, &root.join("refs")] {
        fs::create_dir_all(folder).unwrap();
    }
    if let Some(main) = main {
        fs::write(root.join("refs/main"), main).unwrap();
    }
    let shipped = super::root().join("shipped/mini-qwen-vl");
    for (number, entry) in fs::read_dir(shipped).unwrap().enumerate() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        let blob = format!("{number:040x}");
        fs::copy(path, blobs.join(&blob)).unwrap();
        std::os::unix::fs::symlink(Path::new("../../blobs").join(blob), snapshot.join(name))
            .unwrap();
    }
}

#[test]
fn the_root_of_a_cached_repository_means_its_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let repository = dir.path().join("models--lab--mini");
    cached(&repository, "9e1f", Some("9e1f\n"));
    model(dir.path(), "hub", &repository.to_string_lossy());
    assert_eq!(words(dir.path(), "hub"), WORDS);
    fine(dir.path(), "hub");

    // Another snapshot beside it changes nothing; without the name of the first, none is meant.
    fs::create_dir(repository.join("snapshots/aaaa")).unwrap();
    fine(dir.path(), "hub");
    fs::remove_file(repository.join("refs/main")).unwrap();
    let output = check(dir.path(), "hub", &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(
        text.contains("which snapshot to use") && text.contains("`snapshots/`"),
        "{text}"
    );

    fs::remove_dir(repository.join("snapshots/aaaa")).unwrap();
    fine(dir.path(), "hub");
}

#[test]
fn a_tilde_is_the_home_folder() {
    let dir = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    cached(&home.path().join("models--lab--mini"), "77", Some("77"));
    std::os::unix::fs::symlink(
        super::root().join("shipped/mini-qwen-vl"),
        home.path().join("mini"),
    )
    .unwrap();
    model(dir.path(), "tilde", "~/mini");
    model(dir.path(), "both", "~/models--lab--mini");
    model(dir.path(), "absent", "~/else/mini");
    let check = |name: &str| {
        unigauge(dir.path())
            .args(["check", &format!("{name}.toml"), "--device", "cpu"])
            .env("HOME", home.path())
            .env("UNIGAUGE_CACHE", dir.path().join("cache"))
            .output()
            .unwrap()
    };
    for name in ["tilde", "both"] {
        let output = check(name);
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert!(
            said(&output).contains("its numbers are finite"),
            "{}",
            said(&output)
        );
    }
    let output = check("absent");
    let place = home.path().join("else/mini/config.json");
    let squeezed: String = said(&output).split_whitespace().collect();
    assert!(squeezed.contains(&*place.to_string_lossy()), "{squeezed}");
}
