//! The releases of Qwen-Image, which `model_index.json` tells apart.

use crate::generate::error::GenerateError;
use crate::generate::pipeline::CheckpointFolder;
use serde::Deserialize;

/// The file that names the pipeline.
const INDEX: &str = "model_index.json";

/// What the language model is asked before a prompt.
const DESCRIBE: &str = "Describe the image by detailing the color, shape, size, texture, quantity, text, spatial \
                        relationships of the objects and background:";

/// What the language model is asked before an instruction.
const EDIT: &str = "Describe the key features of the input image (color, shape, size, texture, objects, background), \
                    then explain how the user's text instruction should alter or modify the image. Generate a new \
                    image that meets the user's requirements while maintaining consistency with the original input \
                    where appropriate.";

/// A release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// Qwen-Image and Qwen-Image-2512: pictures from prompts.
    Image,
    /// Qwen-Image-Edit: edits of one picture, which the language model and the autoencoder see at one size.
    Edit,
    /// Qwen-Image-Edit-2509 and -2511: edits of one or several pictures, which the language model sees small.
    EditPlus,
}

#[derive(Deserialize)]
struct Index {
    #[serde(rename = "_class_name")]
    class_name: String,
}

impl Release {
    /// The release of a checkpoint's folder.
    ///
    /// # Errors
    /// Fails if `model_index.json` is absent or names another pipeline.
    pub(super) fn of(folder: &CheckpointFolder) -> Result<Self, GenerateError> {
        let index: Index = folder.config(INDEX)?;
        match index.class_name.as_str() {
            "QwenImagePipeline" => Ok(Self::Image),
            "QwenImageEditPipeline" => Ok(Self::Edit),
            "QwenImageEditPlusPipeline" => Ok(Self::EditPlus),
            other => Err(GenerateError::fatal(
                format!(
                    "{}: `_class_name` is {other}, which is not a pipeline of Qwen-Image",
                    folder.path().join(INDEX).display()
                ),
                "supported: QwenImagePipeline, QwenImageEditPipeline, QwenImageEditPlusPipeline",
            )),
        }
    }

    /// Whether it edits pictures. Otherwise it makes them from prompts alone.
    pub(super) fn edits(self) -> bool {
        self != Self::Image
    }

    /// The system turn with which it was trained.
    pub(super) fn system(self) -> &'static str {
        if self.edits() { EDIT } else { DESCRIBE }
    }

    /// The words before the picture with this number, which counts from 1.
    pub(super) fn label(self, number: usize) -> Option<String> {
        (self == Self::EditPlus).then(|| format!("Picture {number}: "))
    }

    /// The area, in pixels, at which the language model sees a picture, if it is not that for the
    /// autoencoder.
    pub(super) fn vision_pixels(self) -> Option<u64> {
        (self == Self::EditPlus).then_some(384 * 384)
    }
}
