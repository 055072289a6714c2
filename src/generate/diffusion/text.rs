//! The phase `text`: T5's states and CLIP's pooled vector for a prompt.

use super::names::{NEGATIVE_POOLED, NEGATIVE_T5, POOLED, T5};
use super::settings::TextSettings;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::model::ModelError;
use crate::model::clip::{ClipText, ClipTextConfig};
use crate::model::t5::{T5Config, T5Encoder};
use crate::model::tokenizer::Tokenizer;
use crate::record::{Object, Task};
use candle_core::{Device, Tensor};
use serde_json::json;

/// A text encoder with its tokenizer.
struct Encoder<T> {
    network: Network<T>,
    tokenizer: Tokenizer,
    /// Number of tokens, to which a text is padded or cut.
    length: usize,
}

/// The text encoders of FLUX.
struct Text {
    t5: Option<Encoder<T5Encoder>>,
    clip: Encoder<ClipText>,
    settings: TextSettings,
    device: Device,
    dtype: &'static str,
}

/// The text encoders of a folder with the layout of FLUX.1.
///
/// # Errors
/// Fails if a configuration is absent or wrong.
pub(crate) fn text_phase(
    flux: &CheckpointFolder,
    settings: TextSettings,
) -> Result<Phase, GenerateError> {
    let t5 = settings.t5_length.map(|_| t5_encoder(flux)).transpose()?;
    let (clip, clip_length) = clip_text(flux)?;
    let networks = t5.iter().map(Network::any).chain([clip.any()]).collect();
    let flux = flux.clone();
    Ok(Phase::new("text", networks, move |device| {
        let tokenizer = |name| Tokenizer::open(&flux.path().join(name)).map_err(fatal);
        if settings.t5_length == Some(0) {
            return Err(GenerateError::fatal(
                "`max_sequence_length` = 0: T5 needs room for its end token",
                "the published evaluations use 256 or 512",
            ));
        }
        let clip = Encoder {
            network: clip,
            tokenizer: tokenizer("tokenizer")?,
            length: clip_length,
        };
        let t5 = t5.zip(settings.t5_length).map(|(network, length)| {
            Ok::<_, GenerateError>(Encoder {
                network,
                tokenizer: tokenizer("tokenizer_2")?,
                length,
            })
        });
        Ok(Text {
            t5: t5.transpose()?,
            clip,
            settings,
            device: device.clone(),
            dtype: flux.dtype().as_str(),
        })
    }))
}

fn t5_encoder(flux: &CheckpointFolder) -> Result<Network<T5Encoder>, GenerateError> {
    let config: T5Config = flux.config("text_encoder_2/config.json")?;
    let info = NetworkInfo::new(
        "T5 encoder",
        flux.location_of("text_encoder_2"),
        flux.dtype(),
    );
    Ok(Network::new(info, move |weights| {
        T5Encoder::new(&config, weights)
    }))
}

/// CLIP's text encoder, and the number of tokens that it reads.
fn clip_text(flux: &CheckpointFolder) -> Result<(Network<ClipText>, usize), GenerateError> {
    let config: ClipTextConfig = flux.config("text_encoder/config.json")?;
    let length = config.max_position_embeddings;
    let info = NetworkInfo::new(
        "CLIP text encoder",
        flux.location_of("text_encoder"),
        flux.dtype(),
    );
    let network = Network::new(info, move |weights| ClipText::new(&config, weights));
    Ok((network, length))
}

impl Text {
    fn prompt<'a>(&self, request: &Request<'a>) -> &'a str {
        if self.t5.is_some() {
            &request.item.prompt
        } else {
            ""
        }
    }
}

impl Stage for Text {
    fn wants(&self, request: &Request<'_>) -> bool {
        request.item.task != Task::Understand
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let TextSettings {
            t5_length,
            negative,
        } = self.settings;
        let shape = json!([
            "text",
            t5_length,
            negative,
            self.dtype,
            self.prompt(request)
        ]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let prompt = self.prompt(request);
        let (mut tensors, cut) = self.encode(prompt, [T5, POOLED])?;
        if self.settings.negative {
            tensors.extend(self.encode("", [NEGATIVE_T5, NEGATIVE_POOLED])?.0);
        }
        let mut extra = Object::new();
        if !cut.is_empty() {
            extra.insert("prompt_truncated_for".into(), cut.into());
        }
        Ok(Step {
            made: Made::Tensors(tensors),
            extra,
        })
    }
}

impl Text {
    /// The states of a text with the given names, and the encoders for which the text was too long.
    fn encode(
        &self,
        text: &str,
        [t5_name, pooled_name]: [&str; 2],
    ) -> Result<(Named, Vec<&'static str>), GenerateError> {
        let wrong = running("text");
        let mut tensors = Named::new();
        let mut cut = Vec::new();
        let tensor =
            |ids: &[u32]| Ok::<_, ModelError>(Tensor::new(ids, &self.device)?.unsqueeze(0)?);
        if let Some(t5) = &self.t5 {
            let padded = t5.tokenizer.t5_ids(text, t5.length).map_err(&wrong)?;
            let encoder = t5.network.get()?;
            let states = tensor(&padded.ids)
                .and_then(|ids| encoder.forward(&ids))
                .map_err(&wrong)?;
            tensors.insert(t5_name.into(), states);
            if padded.truncated {
                cut.push("t5");
            }
        }
        let clip = &self.clip;
        let padded = clip.tokenizer.clip_ids(text, clip.length).map_err(&wrong)?;
        let encoder = clip.network.get()?;
        let states = tensor(&padded.ids)
            .and_then(|ids| encoder.forward(&ids))
            .map_err(&wrong)?;
        tensors.insert(pooled_name.into(), states.pooled);
        if padded.truncated {
            cut.push("clip");
        }
        Ok((tensors, cut))
    }
}
