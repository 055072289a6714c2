//! The places of the tensors of [`super::Mask2Former`] in mmdetection's files, versions 2.x and 3.x.

use crate::model::weights::{Files, Held, Piece};

/// The naming of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mmdet {
    V2,
    V3,
}

/// The version of mmdetection whose names a file uses, if it uses any.
pub(super) fn version(files: &Files) -> Option<Mmdet> {
    let has = |name: &str| files.tensors().contains_key(name);
    if !has("panoptic_head.query_feat.weight") {
        return None;
    }
    let third = "panoptic_head.pixel_decoder.encoder.layers.0.norms.0.weight";
    let attention = "panoptic_head.pixel_decoder.encoder.layers.0.self_attn.value_proj.weight";
    Some(if has(third) && has(attention) {
        Mmdet::V3
    } else {
        Mmdet::V2
    })
}

impl Mmdet {
    /// The place of a tensor.
    pub(super) fn stored_place(self, name: &str) -> Option<Held> {
        if let Some(rest) = name.strip_prefix("model.pixel_level_module.encoder.") {
            return backbone(rest);
        }
        let head = |rest: String| Held::whole(format!("panoptic_head.{rest}"));
        if let Some(rest) = name.strip_prefix("model.pixel_level_module.decoder.") {
            return Some(head(format!("pixel_decoder.{}", self.pixel_decoder(rest)?)));
        }
        if let Some(rest) = name.strip_prefix("model.transformer_module.decoder.layers.") {
            let held = self.decoder_layer(rest)?;
            return Some(Held {
                name: format!("panoptic_head.transformer_decoder.layers.{}", held.name),
                ..held
            });
        }
        let (module, leaf) = name.rsplit_once('.')?;
        Some(head(match module {
            "class_predictor" => format!("cls_embed.{leaf}"),
            "model.transformer_module.queries_embedder" => format!("query_embed.{leaf}"),
            "model.transformer_module.queries_features" => format!("query_feat.{leaf}"),
            "model.transformer_module.level_embed" => format!("level_embed.{leaf}"),
            "model.transformer_module.decoder.layernorm" => {
                format!("transformer_decoder.post_norm.{leaf}")
            }
            _ => {
                let rest =
                    module.strip_prefix("model.transformer_module.decoder.mask_predictor.")?;
                let number = rest
                    .strip_prefix("mask_embedder.")?
                    .strip_suffix(".0")?
                    .parse::<usize>()
                    .ok()?;
                format!("mask_embed.{}.{leaf}", 2 * number)
            }
        }))
    }

    fn pixel_decoder(self, name: &str) -> Option<String> {
        if name == "level_embed" {
            return Some("level_encoding.weight".into());
        }
        if let Some(rest) = name.strip_prefix("encoder.layers.") {
            let (number, rest) = rest.split_once('.')?;
            let (module, leaf) = rest.split_once('.')?;
            let module = match (module, self) {
                ("self_attn", Self::V2) => "attentions.0",
                ("self_attn", Self::V3) => "self_attn",
                ("self_attn_layer_norm", _) => "norms.0",
                ("final_layer_norm", _) => "norms.1",
                (module, _) => self.feed_forward(module)?,
            };
            return Some(format!("encoder.layers.{number}.{module}.{leaf}"));
        }
        let (module, leaf) = name.rsplit_once('.')?;
        let part = |number: &str| match number {
            "0" => Some("conv"),
            "1" => Some("gn"),
            _ => None,
        };
        if module == "mask_projection" {
            return Some(format!("mask_feature.{leaf}"));
        }
        let (module, number) = module.rsplit_once('.')?;
        let part = part(number)?;
        Some(match module {
            "adapter_1" => format!("lateral_convs.0.{part}.{leaf}"),
            "layer_1" => format!("output_convs.0.{part}.{leaf}"),
            _ => {
                let level = module.strip_prefix("input_projections.")?;
                format!("input_convs.{level}.{part}.{leaf}")
            }
        })
    }

    fn decoder_layer(self, name: &str) -> Option<Held> {
        let (number, rest) = name.split_once('.')?;
        let (cross, own) = match self {
            Self::V2 => ("attentions.0.attn", "attentions.1.attn"),
            Self::V3 => ("cross_attn.attn", "self_attn.attn"),
        };
        if let Some(rest) = rest.strip_prefix("cross_attn.") {
            return Some(Held::whole(format!("{number}.{cross}.{rest}")));
        }
        if let Some(rest) = rest.strip_prefix("self_attn.") {
            let (module, leaf) = rest.split_once('.')?;
            let part = ["q_proj", "k_proj", "v_proj"]
                .iter()
                .position(|part| *part == module);
            return Some(match part {
                Some(part) => Held::rows(format!("{number}.{own}.in_proj_{leaf}"), part, 3),
                None => Held::whole(format!("{number}.{own}.{rest}")),
            });
        }
        let (module, leaf) = rest.split_once('.')?;
        let module = match module {
            "cross_attn_layer_norm" => "norms.0",
            "self_attn_layer_norm" => "norms.1",
            "final_layer_norm" => "norms.2",
            module => self.feed_forward(module)?,
        };
        Some(Held::whole(format!("{number}.{module}.{leaf}")))
    }

    fn feed_forward(self, module: &str) -> Option<&'static str> {
        match (module, self) {
            ("fc1", Self::V2) => Some("ffns.0.layers.0.0"),
            ("fc2", Self::V2) => Some("ffns.0.layers.1"),
            ("fc1", Self::V3) => Some("ffn.layers.0.0"),
            ("fc2", Self::V3) => Some("ffn.layers.1"),
            _ => None,
        }
    }
}

fn backbone(name: &str) -> Option<Held> {
    let whole = |rest: String| Some(Held::whole(format!("backbone.{rest}")));
    if let Some(rest) = name.strip_prefix("embeddings.patch_embeddings.") {
        return whole(format!("patch_embed.{rest}"));
    }
    if let Some(rest) = name.strip_prefix("embeddings.norm.") {
        return whole(format!("patch_embed.norm.{rest}"));
    }
    if let Some(rest) = name.strip_prefix("hidden_states_norms.stage") {
        let (stage, leaf) = rest.split_once('.')?;
        let stage = stage.parse::<usize>().ok()?.checked_sub(1)?;
        return whole(format!("norm{stage}.{leaf}"));
    }
    let (stage, rest) = name.strip_prefix("encoder.layers.")?.split_once('.')?;
    let at = |rest: String| format!("backbone.stages.{stage}.{rest}");
    if let Some(rest) = rest.strip_prefix("downsample.") {
        return Some(Held {
            name: at(format!("downsample.{rest}")),
            piece: Piece::ChannelMajor,
        });
    }
    let (block, rest) = rest.strip_prefix("blocks.")?.split_once('.')?;
    let at = |rest: String| at(format!("blocks.{block}.{rest}"));
    if let Some(rest) = rest.strip_prefix("attention.self.") {
        let Some((module, leaf)) = rest.split_once('.') else {
            return Some(Held::whole(at(format!("attn.w_msa.{rest}"))));
        };
        let part = ["query", "key", "value"]
            .iter()
            .position(|part| *part == module)?;
        return Some(Held::rows(at(format!("attn.w_msa.qkv.{leaf}")), part, 3));
    }
    let (module, leaf) = rest.rsplit_once('.')?;
    let module = match module {
        "layernorm_before" => "norm1",
        "layernorm_after" => "norm2",
        "attention.output.dense" => "attn.w_msa.proj",
        "intermediate.dense" => "ffn.layers.0.0",
        "output.dense" => "ffn.layers.1",
        _ => return None,
    };
    Some(Held::whole(at(format!("{module}.{leaf}"))))
}
