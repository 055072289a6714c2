//! From a generator's answer to a durable file and its record.

use super::asked::Asked;
use super::chain::{Inputs, Slot};
use super::error::RunError;
use super::fingerprint::Fingerprints;
use super::folder::RunFolder;
use crate::files::{sha256_hex, write_durable};
use crate::generate::{Answer, Generated};
use crate::layout::Layout;
use crate::record::{Failure, Item, Output, OutputKind, Task, add_note};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// What notes call the picture of an output.
pub(super) const OUTPUT_PICTURE: &str = "the picture";

/// What a generator made of one slot.
pub(super) struct Made {
    /// Which output.
    pub slot: Slot,
    /// The answer, or why there is none.
    pub result: Result<Generated, Failure>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Writes answers into the run folder.
pub(super) struct OutputWriter<'a> {
    /// Where the files go.
    pub folder: &'a RunFolder,
    /// How they are named.
    pub layout: Layout,
    /// The outputs asked for.
    pub asked: &'a Asked<'a>,
    /// The fingerprints of their records.
    pub prints: Option<&'a Fingerprints>,
    /// The outputs that others start from.
    pub inputs: &'a Inputs,
}

impl OutputWriter<'_> {
    /// Encodes the answer, writes it durably and hashes it. Returns the record and the decoded picture.
    ///
    /// # Errors
    /// Fails if the disk refuses. An answer that should be a picture and is none becomes a failure in the
    /// record.
    pub(super) fn write(&self, made: Made) -> Result<(Output, Option<image::RgbImage>), RunError> {
        let (item, repeat) = self.asked.item_and_repeat(made.slot);
        let kind = if item.task == Task::Understand {
            OutputKind::Text
        } else {
            OutputKind::Image
        };
        let mut output = Output {
            item: item.item.clone(),
            repeat,
            seed: self.asked.seed(made.slot),
            kind,
            file: None,
            sha256: None,
            width: None,
            height: None,
            text: None,
            timings: Default::default(),
            fingerprint: self
                .prints
                .map(|prints| prints.output(self.asked, made.slot, self.inputs))
                .unwrap_or_default(),
            error: None,
            extra: Default::default(),
        };
        let mut timings = BTreeMap::from([("generate".to_owned(), made.seconds)]);
        let generated = match made.result {
            Ok(generated) => generated,
            Err(failure) => {
                output.error = Some(Box::new(failure));
                output.timings = timings.into();
                return Ok((output, None));
            }
        };
        timings.extend(generated.timings);
        output.timings = timings.into();
        output.extra = generated.extra;
        if let Some(before) = self.asked.before(made.slot)
            && let Ok(input) = self.inputs.get(before)
        {
            let from =
                json!({"item": self.asked.item_and_repeat(before).0.item, "sha256": input.sha256});
            output.extra.insert("input".into(), from);
        }
        let (bytes, extension, pixels) = match generated.answer {
            Answer::Text(text) => {
                output.kind = OutputKind::Text;
                output.text = Some(text);
                return Ok((output, None));
            }
            Answer::Pixels(pixels) => match crate::image::encode_png(&pixels) {
                Ok(bytes) => (bytes, "png", pixels),
                Err(error) => {
                    output.error = Some(Box::new(image_failure(error.to_string())));
                    return Ok((output, None));
                }
            },
            Answer::Encoded { bytes, extension } => {
                match crate::image::decode_bytes(&bytes, &item.item) {
                    Ok(decoded) => {
                        for change in decoded.changes {
                            add_note(&mut output.extra, &change.note(OUTPUT_PICTURE));
                        }
                        (bytes, extension, decoded.rgb)
                    }
                    Err(error) => {
                        output.error = Some(Box::new(image_failure(error.to_string())));
                        return Ok((output, None));
                    }
                }
            }
        };
        let relative = Path::new("outputs").join(self.layout.path(item, repeat, extension));
        write_durable(&self.folder.root().join(&relative), &bytes)?;
        for (path, text) in self.layout.sidecars(item) {
            let path = self.folder.outputs().join(path);
            if repeat == 0 || !path.exists() {
                write_durable(&path, text.as_bytes())?;
            }
        }
        if repeat == 0 {
            self.source(item)?;
        }
        output.kind = OutputKind::Image;
        output.file = Some(relative.to_string_lossy().replace('\\', "/"));
        output.sha256 = Some(sha256_hex(&bytes));
        (output.width, output.height) = (Some(pixels.width()), Some(pixels.height()));
        Ok((output, Some(pixels)))
    }
}

impl OutputWriter<'_> {
    /// Writes the picture that the benchmark's own script compares the output with. It skips what is not a
    /// picture, which the observers report.
    fn source(&self, item: &Item) -> Result<(), RunError> {
        let Some((path, source)) = self.layout.source(item) else {
            return Ok(());
        };
        let path = self.folder.outputs().join(path);
        let Ok(bytes) = crate::image::read_file(&self.asked.base.join(source)) else {
            return Ok(());
        };
        if crate::image::sniff(&bytes) == Some("png") {
            return Ok(write_durable(&path, &bytes)?);
        }
        let decoded = crate::image::decode_bytes(&bytes, source).ok();
        match decoded.and_then(|decoded| crate::image::encode_png(&decoded.rgb).ok()) {
            Some(bytes) => Ok(write_durable(&path, &bytes)?),
            None => Ok(()),
        }
    }
}

fn image_failure(message: String) -> Failure {
    Failure {
        stage: "generate".into(),
        kind: "image".into(),
        message,
    }
}
