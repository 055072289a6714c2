//! A fingerprint of the files of a checkpoint, without reading tens of gigabytes.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Number of samples of a large file, at even distances, including the first and the last bytes.
const SAMPLES: u64 = 32;
/// Size of a sample, in bytes.
const SAMPLE: u64 = 4096;

/// Hash of a file, or of a folder with everything in it: names, sizes and content. The content of a large
/// file is sampled. Hidden files and unfinished downloads do not count.
///
/// # Errors
/// Fails if a file or folder cannot be read.
pub fn fingerprint(path: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(path, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(path).unwrap_or(&file);
        let name = name.to_string_lossy().replace('\\', "/");
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        sample(&file, &mut hash)?;
    }
    let digest = hash.finalize();
    Ok(digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let part = path
            .extension()
            .is_some_and(|extension| extension == "part");
        if !hidden && !part {
            collect(&path, files)?;
        }
    }
    Ok(())
}

fn sample(path: &Path, hash: &mut Sha256) -> io::Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    hash.update(length.to_le_bytes());
    if length <= SAMPLES * SAMPLE {
        io::copy(&mut file, hash)?;
        return Ok(());
    }
    let mut buffer = [0; SAMPLE as usize];
    for number in 0..SAMPLES {
        // The product of a length and a number may not fit into 64 bits.
        let start = u128::from(length - SAMPLE) * u128::from(number) / u128::from(SAMPLES - 1);
        file.seek(SeekFrom::Start(start as u64))?;
        file.read_exact(&mut buffer)?;
        hash.update(buffer);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_content_names_or_lengths_are_another_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        let now = || fingerprint(dir.path()).unwrap();
        let mut large = vec![7u8; 300_000];
        write("a", &large);
        write("b", b"x");
        let first = now();
        assert_eq!(now(), first);
        write(".listing", b"?");
        write("c.part", b"?");
        assert_eq!(now(), first, "hidden and unfinished files do not count");
        *large.last_mut().unwrap() = 8;
        write("a", &large);
        let second = now();
        assert_ne!(second, first);
        large.push(8);
        write("a", &large);
        assert_ne!(now(), second);
        std::fs::rename(dir.path().join("b"), dir.path().join("d")).unwrap();
        assert_ne!(now(), second);
    }
}
