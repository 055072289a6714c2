//! The networks of the observer, and where their weights come from.

use super::dino::{Dino, Structure};
use crate::hub::Hub;
use crate::model::lpips::{Lpips, LpipsNet};
use crate::observe::BuildError;
use crate::observe::clip::ClipEncoder;
use crate::observe::source::Checkpoint;
use candle_core::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// A kind of measure that the observer can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Cosines of the vectors of CLIP.
    Clip,
    /// Cosines of the vectors of DINO.
    Dino,
    /// Distances by LPIPS.
    Lpips,
    /// PIE-Bench's structure distance.
    Structure,
}

/// A released CLIP of OpenAI.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum ClipModel {
    /// ViT-B/32.
    #[default]
    #[serde(rename = "vit-b-32")]
    VitB32,
    /// ViT-L/14.
    #[serde(rename = "vit-l-14")]
    VitL14,
}

/// Settings of the observer `edit-similarity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EditSimilaritySettings {
    /// What is measured: `clip`, `dino`, `lpips`, `structure` (default: the first three).
    pub measures: Vec<Measure>,
    /// OpenAI's `vit-b-32`, which MagicBrush and Emu Edit use, or `vit-l-14`, which PIE-Bench uses.
    pub clip_model: ClipModel,
    /// A folder with another CLIP, in the layout of transformers or of open_clip.
    pub clip: Option<PathBuf>,
    /// A folder with another DINO: a `ViTModel` (the first version) or a `Dinov2Model` of transformers
    /// (default: DINO ViT-S/16).
    pub dino: Option<PathBuf>,
    /// The network of LPIPS: `alex` (default), `vgg`, or `squeeze`, which PIE-Bench uses.
    pub lpips_net: LpipsNet,
    /// A file with the weights of that network, under torchvision's names.
    pub lpips_trunk: Option<PathBuf>,
    /// A file with the weights of its channels, under the names of the package lpips.
    pub lpips_linear: Option<PathBuf>,
    /// A folder with the network of the structure distance, a `ViTModel` of transformers (default: DINO
    /// ViT-B/8).
    pub structure: Option<PathBuf>,
}

impl Default for EditSimilaritySettings {
    fn default() -> Self {
        Self {
            measures: vec![Measure::Clip, Measure::Dino, Measure::Lpips],
            clip_model: ClipModel::default(),
            clip: None,
            dino: None,
            lpips_net: LpipsNet::default(),
            lpips_trunk: None,
            lpips_linear: None,
            structure: None,
        }
    }
}

/// The networks that were asked for.
pub(super) struct Networks {
    pub clip: Option<ClipEncoder>,
    pub dino: Option<Dino>,
    pub lpips: Option<Lpips>,
    pub structure: Option<Structure>,
    /// The measures that were asked for but have no network, each with the reason.
    pub absent: Map<String, Value>,
    /// Hashes of all weights.
    pub identity: Value,
}

impl Networks {
    pub(super) fn open(
        settings: &EditSimilaritySettings,
        hub: &Hub,
        device: &Device,
    ) -> Result<Self, BuildError> {
        let wanted = |measure| settings.measures.contains(&measure);
        let mut networks = Self {
            clip: None,
            dino: None,
            lpips: None,
            structure: None,
            absent: Map::new(),
            identity: json!({"lpips_net": settings.lpips_net}),
        };
        if wanted(Measure::Clip) {
            let [weights, config, tokenizer] = match settings.clip_model {
                ClipModel::VitB32 => [
                    "clip-vit-b-32",
                    "clip-vit-b-32-config",
                    "clip-vit-b-32-tokenizer",
                ],
                ClipModel::VitL14 => crate::observe::clip_score::ASSETS,
            };
            let checkpoint = match &settings.clip {
                Some(path) => Checkpoint::named(path, &["open_clip_config.json", "config.json"])?,
                None => Checkpoint::asset(hub, weights, Some(config), Some(tokenizer))?,
            };
            networks.identity["clip"] = checkpoint.fingerprint()?.into();
            networks.clip = Some(ClipEncoder::open(&checkpoint, device)?);
        }
        let dino = |path: &Option<PathBuf>, weights: &str, config: &str| match path {
            Some(path) => Ok::<_, BuildError>(Checkpoint::named(path, &["config.json"])?),
            None => Ok(Checkpoint::asset(hub, weights, Some(config), None)?),
        };
        if wanted(Measure::Dino) {
            let checkpoint = dino(&settings.dino, "dino-vits16", "dino-vits16-config")?;
            networks.identity["dino"] = checkpoint.fingerprint()?.into();
            networks.dino = Some(Dino::open(&checkpoint, device)?);
        }
        if wanted(Measure::Structure) {
            let checkpoint = dino(&settings.structure, "dino-vitb8", "dino-vitb8-config")?;
            networks.identity["structure"] = checkpoint.fingerprint()?.into();
            networks.structure = Some(Structure::open(&checkpoint, device)?);
        }
        if wanted(Measure::Lpips) {
            networks.open_lpips(settings, hub, device)?;
        }
        Ok(networks)
    }

    /// Opens LPIPS if the settings name its weights, or if the weights were fetched before. This does not
    /// fetch them.
    fn open_lpips(
        &mut self,
        settings: &EditSimilaritySettings,
        hub: &Hub,
        device: &Device,
    ) -> Result<(), BuildError> {
        let net = settings.lpips_net;
        let file = |named: &Option<PathBuf>, part: &str| match named {
            Some(path) => Ok(path.clone()),
            None => hub.path(&format!("lpips-{}-{part}", net.name())),
        };
        let files = file(&settings.lpips_trunk, "trunk")
            .and_then(|trunk| Ok((trunk, file(&settings.lpips_linear, "linear")?)));
        match files {
            Ok((trunk, linear)) => {
                for (part, path) in [("lpips_trunk", &trunk), ("lpips_linear", &linear)] {
                    let checkpoint = Checkpoint::named(path, &[])?;
                    self.identity[part] = checkpoint.fingerprint()?.into();
                }
                self.lpips = Some(Lpips::open(net, &trunk, &linear, device)?);
            }
            Err(error) => {
                let why = format!("{error}; get the weights with `unigauge fetch lpips`");
                self.absent.insert("lpips".into(), why.into());
            }
        }
        Ok(())
    }
}
