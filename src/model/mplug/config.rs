//! `config.yaml` and `config_bert.json` of an mPLUG for questions about pictures.

use crate::model::clip::ClipVisionConfig;
use crate::model::nn::Activation;
use crate::model::{ModelError, Result, read_config};
use serde::Deserialize;
use std::path::Path;

/// Both files. Missing fields of `config.yaml` have the defaults of modelscope's class.
#[derive(Debug, Clone)]
pub struct MplugConfig {
    /// The vision tower.
    pub vision: ClipVisionConfig,
    /// The text encoder, the fusion and the decoder.
    pub bert: BertConfig,
    /// The search for an answer.
    pub beam: BeamConfig,
}

/// The fields of `config.yaml` that matter here.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Yaml {
    image_res: usize,
    vision_width: usize,
    bert_config: String,
    clip_vision_layers: usize,
    clip_vision_width: usize,
    clip_vision_patch_size: usize,
    beam_size: usize,
    min_length: usize,
    max_length: usize,
}

impl Default for Yaml {
    fn default() -> Self {
        Self {
            image_res: 504,
            vision_width: 1024,
            bert_config: "config_bert.json".into(),
            clip_vision_layers: 24,
            clip_vision_width: 1024,
            clip_vision_patch_size: 14,
            beam_size: 5,
            min_length: 1,
            max_length: 10,
        }
    }
}

/// `config_bert.json`: text encoder, fusion and decoder.
#[derive(Debug, Clone, Deserialize)]
pub struct BertConfig {
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Activation of the feed-forward.
    #[serde(default = "gelu")]
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
    /// Number of tokens of the vocabulary.
    pub vocab_size: usize,
    /// Length of the longest text, in tokens.
    pub max_position_embeddings: usize,
    /// Number of token types.
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of layers of the text encoder.
    pub text_encoder_layers: usize,
    /// Number of layers of the fusion.
    pub fusion_layers: usize,
    /// Number of layers of the decoder.
    pub text_decode_layers: usize,
    /// After this number of fusion layers, picture and text attend to each other in one sequence.
    #[serde(default = "never")]
    pub stride_layer: usize,
    /// Width of the states to which the cross-attention attends.
    pub encoder_width: usize,
}

/// How an answer is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeamConfig {
    /// Number of beams.
    pub size: usize,
    /// Number of tokens before the end token is allowed.
    pub min_length: usize,
    /// The largest number of tokens of an answer.
    pub max_length: usize,
}

fn gelu() -> Activation {
    Activation::Gelu
}

fn default_eps() -> f64 {
    1e-12
}

fn two() -> usize {
    2
}

fn never() -> usize {
    100
}

/// The released towers have heads of this width.
const HEAD_WIDTH: usize = 64;

impl MplugConfig {
    /// Reads a folder.
    ///
    /// # Errors
    /// Fails if a file is absent, or a value is missing or impossible.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::read(&folder.join("config.yaml"), None)
    }

    /// Reads `config.yaml`, and the other file from `bert` or else from the same folder.
    ///
    /// # Errors
    /// Fails if a file is absent, or a value is missing or impossible.
    pub fn read(path: &Path, bert: Option<&Path>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| ModelError::io(path, &error))?;
        let yaml: Yaml = serde_saphyr::from_str(&text)
            .map_err(|error| ModelError::config(path, error.to_string()))?;
        let beside = path.with_file_name(&yaml.bert_config);
        let bert_path = bert.unwrap_or(&beside);
        let bert: BertConfig = read_config(bert_path)?;
        let heads = bert.num_attention_heads;
        if heads == 0 || !bert.hidden_size.is_multiple_of(heads) || bert.stride_layer == 0 {
            return Err(ModelError::config(
                bert_path,
                "`num_attention_heads` must divide `hidden_size`, and `stride_layer` must be 1 or more",
            ));
        }
        if yaml.clip_vision_patch_size == 0 || !yaml.clip_vision_width.is_multiple_of(HEAD_WIDTH) {
            return Err(ModelError::config(
                path,
                "`clip_vision_patch_size` must be 1 or more and `clip_vision_width` a multiple of 64",
            ));
        }
        if yaml.beam_size == 0 || yaml.max_length == 0 {
            return Err(ModelError::config(
                path,
                "`beam_size` and `max_length` must be 1 or more",
            ));
        }
        if yaml.vision_width != yaml.clip_vision_width {
            return Err(ModelError::config(
                path,
                "`vision_width` must be `clip_vision_width`",
            ));
        }
        Ok(Self {
            vision: ClipVisionConfig {
                hidden_size: yaml.clip_vision_width,
                intermediate_size: 4 * yaml.clip_vision_width,
                num_hidden_layers: yaml.clip_vision_layers,
                num_attention_heads: yaml.clip_vision_width / HEAD_WIDTH,
                image_size: yaml.image_res,
                patch_size: yaml.clip_vision_patch_size,
                num_channels: 3,
                hidden_act: Activation::QuickGelu,
                layer_norm_eps: 1e-5,
            },
            bert,
            beam: BeamConfig {
                size: yaml.beam_size,
                min_length: yaml.min_length,
                max_length: yaml.max_length,
            },
        })
    }
}
