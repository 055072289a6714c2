//! The judge's replies on the disk. A call that was answered is never paid for again, even if the program is
//! killed.

use crate::record::ended_by_limit;
use crate::record::judged::http_date;
use crate::record::model_name::Class;
use crate::remote::{Provenance, Usage};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use tokio::sync::oneshot;

/// The file's name in the judge's folder.
pub(super) const FILE: &str = "replies.jsonl";

/// The replies of the run's other shards. `own` is this shard's folder for the judge, such as `judge.2-of-2`.
/// The folder of the other shard is `judge.1-of-2` beside it.
///
/// # Errors
/// Fails if one of their files cannot be read.
pub(super) fn of_other_shards(own: &Path) -> Result<Vec<Reply>, String> {
    let name = |path: &Path| -> Option<String> { Some(path.file_name()?.to_str()?.to_owned()) };
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let (Some(root), Some(here)) = (own.parent(), name(own)) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let (folder, there) = (entry.path(), name(&entry.path()).unwrap_or_default());
        if there == here || stem(&there) != stem(&here) {
            continue;
        }
        let path = folder.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        // The last line may not be complete yet.
        let lines = text.split(|byte| *byte == b'\n');
        found.extend(lines.filter_map(|line| serde_json::from_slice::<Reply>(line).ok()));
    }
    Ok(found)
}

/// One answered call, a line of `replies.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Reply {
    /// Hash of everything that shapes the call. It is empty for a call that is never looked up again.
    pub key: String,
    pub role: String,
    /// The model that was asked for. `None` in files of earlier versions.
    #[serde(default)]
    pub asked: Option<String>,
    /// The model that answered, as the server named it. `None` if it named none. Files of earlier versions
    /// have the asked name there instead.
    #[serde(default)]
    pub model: Option<String>,
    /// How the model that answered relates to the one that was asked, at the time of the reply.
    #[serde(default)]
    pub class: Option<Class>,
    /// Why the reply is not used under the settings of its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    #[serde(flatten)]
    pub about: Provenance,
    /// When the reply came, by the clock of this machine.
    #[serde(default)]
    pub received: Option<jiff::Timestamp>,
    /// The words of the judge.
    pub reply: String,
    /// The reasoning of the model, if the server keeps it apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Why the server or the model does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    #[serde(default)]
    pub finish_reason: String,
    /// The numbers of tokens, as the server counts them.
    pub usage: Usage,
    /// The tokens that count as input if the server does not say.
    #[serde(default)]
    pub reckoned: u64,
    pub attempts: u32,
    pub seconds: f64,
}

impl Reply {
    /// Whether the limit of tokens ended the reply.
    pub(super) fn is_cut_off(&self) -> bool {
        self.refusal.is_none() && ended_by_limit(&self.finish_reason)
    }

    /// When the server sent the reply, by its own clock. If the server does not say, when the reply came.
    pub(super) fn sent_or_received(&self) -> Option<jiff::Timestamp> {
        let sent = self.about.server_date.as_deref();
        sent.and_then(http_date).or(self.received)
    }

    /// The tokens to pay for.
    pub(super) fn paid(&self) -> Usage {
        self.usage.or_reckoned(self.reckoned)
    }
}

/// One lock per call that is being made.
type Flights = HashMap<String, Arc<tokio::sync::Mutex<()>>>;

/// All answered calls of a run.
#[derive(Default)]
pub(super) struct Replies {
    known: Mutex<HashMap<String, Arc<Reply>>>,
    flights: Mutex<Flights>,
    writer: Mutex<Option<mpsc::Sender<Written>>>,
}

/// A line, and the channel to the call that waits for it.
type Written = (Vec<u8>, oneshot::Sender<Result<(), String>>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Replies {
    /// Opens a file, or creates it, and returns its replies in order. A last line without a line feed is cut
    /// off.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written.
    pub(super) fn open(&self, path: &Path) -> Result<Vec<Arc<Reply>>, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
        let torn = whole < bytes.len();
        bytes.truncate(whole);
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        let (mut known, mut all) = (HashMap::new(), Vec::new());
        for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let reply: Reply = serde_json::from_slice(line)
                .map_err(|error| format!("{} line {}: {error}", path.display(), at + 1))?;
            let reply = Arc::new(reply);
            if !reply.key.is_empty() {
                known.insert(reply.key.clone(), reply.clone());
            }
            all.push(reply);
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        let file = options
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        if torn {
            file.set_len(whole as u64).map_err(failed)?;
        }
        *locked(&self.known) = known;
        let (sender, lines) = mpsc::channel();
        let name = path.display().to_string();
        std::thread::spawn(move || write(file, &name, &lines));
        *locked(&self.writer) = Some(sender);
        Ok(all)
    }

    /// The answer to a call, if there is one.
    pub(super) fn get(&self, key: &str) -> Option<Arc<Reply>> {
        locked(&self.known).get(key).cloned()
    }

    /// Waits until no other task makes this call.
    pub(super) async fn lock_call(&self, key: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let flight = locked(&self.flights).entry(key.into()).or_default().clone();
        flight.lock_owned().await
    }

    /// Writes an answer to the disk, and only then makes it known.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub(super) async fn write_down(&self, reply: Reply) -> Result<Arc<Reply>, String> {
        let writer = locked(&self.writer).clone();
        if let Some(writer) = writer {
            let mut line = serde_json::to_vec(&reply).map_err(|error| error.to_string())?;
            line.push(b'\n');
            let (done, written) = oneshot::channel();
            let gone = || "the thread that writes replies has ended".to_owned();
            writer.send((line, done)).map_err(|_| gone())?;
            written.await.map_err(|_| gone())??;
        }
        let reply = Arc::new(reply);
        if !reply.key.is_empty() {
            locked(&self.known).insert(reply.key.clone(), reply.clone());
            locked(&self.flights).remove(&reply.key);
        }
        Ok(reply)
    }
}

/// Appends lines. All lines that wait are written to the disk together.
fn write(mut file: File, name: &str, lines: &mpsc::Receiver<Written>) {
    while let Ok((mut bytes, first)) = lines.recv() {
        let mut waiting = vec![first];
        while let Ok((more, done)) = lines.try_recv() {
            bytes.extend(more);
            waiting.push(done);
        }
        let result = file.write_all(&bytes).and_then(|()| file.sync_data());
        let result = result.map_err(|error| format!("cannot write {name}: {error}"));
        for done in waiting {
            // An interrupted call does not wait any more.
            let _ = done.send(result.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(key: &str) -> Reply {
        Reply {
            key: key.into(),
            role: "judge".into(),
            asked: Some("m".into()),
            model: Some("m-2026-01-01".into()),
            class: Some(Class::Pinned),
            set_aside: None,
            about: Provenance {
                fingerprint: Some("fp_1".into()),
                ..Provenance::default()
            },
            received: None,
            reply: "5\n".into(),
            reasoning: None,
            refusal: None,
            finish_reason: "stop".into(),
            usage: Usage {
                input: Some(7),
                cached: 0,
                output: Some(1),
            },
            reckoned: 0,
            attempts: 1,
            seconds: 0.5,
        }
    }

    #[test]
    fn answers_are_there_again_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own/replies.jsonl");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let replies = Replies::default();
        assert!(replies.open(&path).unwrap().is_empty());
        runtime.block_on(replies.write_down(reply("a"))).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let whole = bytes.len();
        bytes.extend_from_slice(b"{\"key\":\"b\",");
        std::fs::write(&path, bytes).unwrap();

        let again = Replies::default();
        assert_eq!(*again.open(&path).unwrap()[0], reply("a"));
        assert_eq!(*again.get("a").unwrap(), reply("a"));
        assert!(again.get("b").is_none());
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole as u64);
        // A line as earlier versions wrote it.
        let old = r#"{"key":"c","role":"judge","reply":"5","finish_reason":"stop","model":"tiny","usage":{"input":7,"cached":0,"output":1},"attempts":1,"seconds":0.5}"#;
        std::fs::write(&path, format!("{old}\n")).unwrap();
        let before = Replies::default();
        let read = before.open(&path).unwrap();
        assert_eq!(
            (read[0].asked.as_deref(), read[0].model.as_deref()),
            (None, Some("tiny"))
        );
        std::fs::write(&path, "nonsense\n").unwrap();
        assert!(
            Replies::default()
                .open(&path)
                .unwrap_err()
                .contains("line 1")
        );
    }
}
