//! One output to score, whoever asked; and what observers are shown of it.

use super::known::KnownItems;
use super::lane::Key;
use super::picture::{Encoded, Picture};
use crate::files::{sha256_hex, write_whole};
use crate::grade::reward::{Fault, FaultKind};
use crate::image::sniff;
use crate::record::{Failure, Item, Object, Output, OutputKind, Tags, Task};
use crate::reward::{Eye, OpenReward, Seen, Shown};
use image::RgbImage;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// One output to score.
#[derive(Default)]
pub(super) struct Question {
    /// The client's name for it.
    pub id: Option<String>,
    /// What the model was asked.
    pub prompt: String,
    /// The picture that the model made.
    pub picture: Option<Picture>,
    /// The pictures that an edit started from.
    pub sources: Vec<Encoded>,
    /// The words that the model said.
    pub text: Option<String>,
    /// What it thought before.
    pub thought: Option<String>,
    /// What the prompt's item expects, where the client says so.
    pub expect: Option<Object>,
    /// The item's tags, where the client says some.
    pub tags: Tags,
    /// Outputs with the same name are ranked among each other.
    pub group: Option<String>,
    /// Why this output cannot be scored.
    pub fault: Option<Fault>,
    /// The rewards that are asked for.
    pub rewards: Vec<Arc<OpenReward>>,
}

/// An output with its item, as observers are shown it.
pub(super) struct Sight {
    /// What was asked.
    pub item: Item,
    /// The record of the output.
    pub output: Output,
    base: PathBuf,
    image: Option<RgbImage>,
    file: Option<PathBuf>,
    /// The hash of the picture and the words.
    content: String,
    /// The hashes of the sources that the client sent, in place of their paths.
    sources: Vec<String>,
    /// The client named the picture's hash and sent no picture.
    pub seen_before: bool,
    /// The item was given by the operator: its files may be opened.
    trusted: bool,
    /// Holds the pictures that observers open by their paths.
    folder: Option<TempDir>,
}

impl Question {
    /// Takes a picture as it was read, or the reason why it cannot be used.
    pub(super) fn take_picture(&mut self, read: Result<Picture, String>) {
        match read {
            Ok(picture) => self.picture = Some(picture),
            Err(why) => self.fault = Some(Fault::new(FaultKind::Picture, why)),
        }
    }

    /// Takes a picture that an edit started from.
    pub(super) fn take_source(&mut self, read: Result<Encoded, String>) {
        match read {
            Ok(source) => self.sources.push(source),
            Err(why) => {
                let why = format!("a source of the edit: {why}");
                self.fault = Some(Fault::new(FaultKind::Picture, why));
            }
        }
    }

    /// Takes the metadata of a prompt: `thought` and `class` are the output's and the prompt's, and all
    /// others are what the item expects. Without others, the operator's item with this prompt counts.
    pub(super) fn take_metadata(&mut self, mut metadata: Object) {
        // GenEval's metadata repeat the prompt, and UniRL's clients put the number of the policy among them.
        for key in ["prompt", "policy_version"] {
            metadata.shift_remove(key);
        }
        let mut text = |key: &str| match metadata.shift_remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        self.thought = text("thought");
        let class = text("class").map(|class| ("class".to_owned(), class));
        let tag = metadata.get("tag").and_then(Value::as_str);
        let tag = tag.map(|tag| ("tag".to_owned(), tag.to_owned()));
        self.tags = class.into_iter().chain(tag).collect();
        if !metadata.is_empty() {
            self.expect = Some(metadata);
        }
    }

    /// Bytes that its pictures have, encoded and decoded.
    pub(super) fn bytes(&self) -> u64 {
        let sources = self.sources.iter().map(|source| source.bytes.len() as u64);
        self.decoded() + sources.sum::<u64>()
    }

    /// Bytes that its picture has when it is decoded.
    pub(super) fn decoded(&self) -> u64 {
        match &self.picture {
            Some(Picture::File(encoded)) => encoded.decoded(),
            _ => 0,
        }
    }

    /// Decodes the picture and finds the item. `number` is the output's place in its request; `in_file` says
    /// whether some observer opens the output by its path.
    ///
    /// # Errors
    /// Says why the output cannot be looked at.
    pub(super) fn sight(
        mut self,
        known: &KnownItems,
        number: usize,
        in_file: bool,
    ) -> Result<Sight, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let (mut item, base, trusted) = self.item(known, number);
        let opened = in_file && matches!(self.picture, Some(Picture::File(_)));
        let folder = (opened || !self.sources.is_empty()).then(TempDir::new);
        let folder = folder.transpose().map_err(disk)?;
        if let Some(folder) = folder.as_ref().filter(|_| !self.sources.is_empty()) {
            let sources = self.sources.iter().enumerate();
            let written = sources.map(|(at, source)| keep(folder, &format!("source-{at}"), source));
            item.images = written.collect::<Result<_, _>>()?;
        }
        let mut output = self.output(&item);
        let (mut image, mut file, mut seen_before) = (None, None, false);
        let mut content = sha256_hex(self.text.as_deref().unwrap_or_default());
        if let Some(picture) = &self.picture {
            let hash = picture.sha256().to_owned();
            content = match &self.text {
                None => hash.clone(),
                Some(_) => format!("{hash} {content}"),
            };
            output.sha256 = Some(hash);
            match picture {
                Picture::Before(_) => seen_before = true,
                Picture::File(encoded) => {
                    let pixels = encoded.pixels()?;
                    output.width = Some(pixels.width());
                    output.height = Some(pixels.height());
                    image = Some(pixels);
                    if let Some(folder) = folder.as_ref().filter(|_| opened) {
                        file = Some(PathBuf::from(keep(folder, "output", encoded)?));
                    }
                }
            }
        }
        Ok(Sight {
            item,
            output,
            base,
            image,
            file,
            content,
            sources: (self.sources.into_iter())
                .map(|source| source.sha256)
                .collect(),
            seen_before,
            trusted,
            folder,
        })
    }

    /// The item: what the client says of it, or else the operator's item with this prompt. Also the folder of
    /// its pictures, and whether the operator gave it.
    fn item(&self, known: &KnownItems, number: usize) -> (Item, PathBuf, bool) {
        let given = known.get(&self.prompt).filter(|_| self.expect.is_none());
        let (mut item, base) = match given {
            Some(known) => (known.item.clone(), known.base.clone()),
            None => {
                let id = self
                    .id
                    .clone()
                    .unwrap_or_else(|| format!("request-{number}"));
                let task = match (&self.picture, &self.text, self.sources.is_empty()) {
                    (_, _, false) => Task::Edit,
                    (None, Some(_), true) => Task::Understand,
                    _ => Task::TextToImage,
                };
                let item = Item {
                    item: id,
                    task,
                    prompt: self.prompt.clone(),
                    images: Vec::new(),
                    expect: self.expect.clone().unwrap_or_default(),
                    tags: Tags::default(),
                    extra: Object::new(),
                };
                (item, PathBuf::new())
            }
        };
        if !self.tags.is_empty() {
            let own = item.tags.iter().chain(self.tags.iter());
            item.tags = own
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
        }
        (item, base, given.is_some())
    }

    fn output(&self, item: &Item) -> Output {
        let mut extra = Object::new();
        if let Some(thought) = &self.thought {
            extra.insert("thought".into(), thought.clone().into());
        }
        let words = self.text.is_some() || self.thought.is_some();
        let kind = if self.picture.is_none() && words {
            OutputKind::Text
        } else {
            OutputKind::Image
        };
        let absent = || Failure {
            stage: "generate".into(),
            kind: "missing".into(),
            message: "the request has neither a picture nor words".into(),
        };
        Output {
            item: item.item.clone(),
            repeat: 0,
            seed: 0,
            kind,
            file: None,
            sha256: None,
            width: None,
            height: None,
            text: self.text.clone(),
            timings: Default::default(),
            fingerprint: String::new(),
            error: (self.picture.is_none() && !words).then(|| Box::new(absent())),
            extra,
        }
    }
}

/// Writes a picture as it was sent, for observers that open it by its path.
fn keep(folder: &TempDir, name: &str, picture: &Encoded) -> Result<String, Fault> {
    let extension = sniff(&picture.bytes).unwrap_or("png");
    let path = folder.path().join(format!("{name}.{extension}"));
    let written = write_whole(&path, &picture.bytes);
    written.map_err(|error| disk(std::io::Error::other(error.to_string())))?;
    Ok(path.to_string_lossy().into_owned())
}

/// A disk that is full is the server's fault; its paths are nobody else's concern.
fn disk(error: std::io::Error) -> Fault {
    tracing::error!("a picture cannot be kept: {error}");
    Fault::new(
        FaultKind::Observer,
        "the server cannot keep the picture on its disk",
    )
}

impl Sight {
    /// As observers are shown it.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown {
            item: &self.item,
            base: &self.base,
            output: &self.output,
            image: self.image.as_ref(),
            file: self.file.as_deref(),
        }
    }

    /// Whether there is something to look at.
    pub(super) fn is_there(&self) -> bool {
        self.output.error.is_none()
    }

    /// What an observer's look at it depends on.
    ///
    /// # Errors
    /// Says which file the client named that is not its own.
    pub(super) fn key(&self, eye: &Eye) -> Result<Key, Fault> {
        let foreign = |file: &String| !self.trusted && !self.item.images.contains(file);
        if let Some(file) = eye.files(&self.item).iter().find(|file| foreign(file)) {
            let why = format!("`{file}` names a file of the server; send pictures as base64");
            return Err(Fault::new(FaultKind::Metadata, why));
        }
        if self.sources.is_empty() {
            return Ok(eye.key(&self.item, &self.base, &self.content));
        }
        // The paths of sources differ from request to request, and their content counts.
        let mut item = self.item.clone();
        item.images.clone_from(&self.sources);
        Ok(eye.key(&item, &self.base, &self.content))
    }

    /// Takes the server's folders out of what an observer says of this output.
    pub(super) fn conceal_in(&self, seen: &mut Seen) {
        let failed = seen.evidence.as_mut().err();
        let told = failed.map(|failure| &mut failure.message);
        let own = self.folder.as_ref().map(TempDir::path);
        let folders = own.into_iter().chain([self.base.as_path()]);
        let folders: Vec<String> = folders
            .filter(|folder| folder.is_absolute())
            .map(|folder| format!("{}/", folder.display()))
            .collect();
        for message in told.into_iter().chain(&mut seen.notes) {
            for folder in &folders {
                *message = message.replace(folder, "");
            }
        }
    }
}
