//! Tests of names, layouts and errors.

use super::*;
use crate::model::weights::{Asked, Files, audit, load};
use candle_core::Device;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

fn asked_tensors(config: &FluxConfig) -> Vec<Asked> {
    audit(None, |weights| FluxTransformer::new(config, weights)).unwrap()
}

fn released() -> FluxConfig {
    let json = r#"{"_class_name": "FluxTransformer2DModel", "attention_head_dim": 128, "guidance_embeds": true,
        "in_channels": 64, "joint_attention_dim": 4096, "num_attention_heads": 24, "num_layers": 19,
        "num_single_layers": 38, "patch_size": 1, "pooled_projection_dim": 768}"#;
    serde_json::from_str(json).unwrap()
}

fn tiny() -> FluxConfig {
    FluxConfig {
        in_channels: 8,
        num_layers: 2,
        num_single_layers: 2,
        attention_head_dim: 8,
        num_attention_heads: 2,
        joint_attention_dim: 6,
        pooled_projection_dim: 5,
        guidance_embeds: true,
        axes_dims_rope: vec![4, 2, 2],
        ..FluxConfig::default()
    }
}

#[test]
fn the_released_network_has_1160_tensors_and_780_in_bfl_files() {
    let asked = asked_tensors(&released());
    let mut names: Vec<&str> = asked.iter().map(|tensor| tensor.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 1160);
    let size = |tensor: &Asked| tensor.shape.iter().product::<usize>();
    assert_eq!(asked.iter().map(size).sum::<usize>(), 11_901_408_320);
    assert_eq!(bfl::tests::stored(&asked), 780);
}

#[test]
fn sizes_that_cannot_be_are_named() {
    let axes = FluxConfig {
        axes_dims_rope: vec![4, 4, 4],
        ..tiny()
    };
    let none = FluxConfig {
        num_attention_heads: 0,
        ..tiny()
    };
    for (config, field) in [(axes, "axes_dims_rope"), (none, "num_attention_heads")] {
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

/// Random weights under the names of diffusers.
fn weights(config: &FluxConfig) -> HashMap<String, Tensor> {
    let random = |tensor: Asked| {
        let values = Tensor::randn(0f32, 0.3, tensor.shape, &Device::Cpu).unwrap();
        (tensor.name, values)
    };
    asked_tensors(config).into_iter().map(random).collect()
}

/// The same weights in the layout of Black Forest Labs.
fn bfl_weights(config: &FluxConfig, from: &HashMap<String, Tensor>) -> HashMap<String, Tensor> {
    let mut to = HashMap::new();
    let mut put = |name: &str, parts: &[&str]| {
        for kind in ["weight", "bias"] {
            let parts = parts.iter().map(|part| from.get(&format!("{part}.{kind}")));
            if let Some(parts) = parts.collect::<Option<Vec<_>>>() {
                let kind = if name.ends_with("_norm") {
                    "scale"
                } else {
                    kind
                };
                to.insert(format!("{name}.{kind}"), Tensor::cat(&parts, 0).unwrap());
            }
        }
    };
    put("img_in", &["x_embedder"]);
    put("txt_in", &["context_embedder"]);
    put("final_layer.linear", &["proj_out"]);
    for (to, from) in [
        ("time_in", "timestep"),
        ("guidance_in", "guidance"),
        ("vector_in", "text"),
    ] {
        for (layer, number) in [("in_layer", 1), ("out_layer", 2)] {
            let from = format!("time_text_embed.{from}_embedder.linear_{number}");
            put(&format!("{to}.{layer}"), &[&from]);
        }
    }
    let mut block = |to: String, from: String, pairs: &[(&str, &[&str])]| {
        for (name, parts) in pairs {
            let parts: Vec<String> = parts.iter().map(|part| format!("{from}.{part}")).collect();
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            put(&format!("{to}.{name}"), &parts);
        }
    };
    for i in 0..config.num_layers {
        let pairs: [(&str, &[&str]); 14] = [
            ("img_mod.lin", &["norm1.linear"]),
            ("txt_mod.lin", &["norm1_context.linear"]),
            ("img_attn.qkv", &["attn.to_q", "attn.to_k", "attn.to_v"]),
            (
                "txt_attn.qkv",
                &["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"],
            ),
            ("img_attn.proj", &["attn.to_out.0"]),
            ("txt_attn.proj", &["attn.to_add_out"]),
            ("img_attn.norm.query_norm", &["attn.norm_q"]),
            ("img_attn.norm.key_norm", &["attn.norm_k"]),
            ("txt_attn.norm.query_norm", &["attn.norm_added_q"]),
            ("txt_attn.norm.key_norm", &["attn.norm_added_k"]),
            ("img_mlp.0", &["ff.net.0.proj"]),
            ("img_mlp.2", &["ff.net.2"]),
            ("txt_mlp.0", &["ff_context.net.0.proj"]),
            ("txt_mlp.2", &["ff_context.net.2"]),
        ];
        let from = format!("transformer_blocks.{i}");
        block(format!("double_blocks.{i}"), from, &pairs);
    }
    for i in 0..config.num_single_layers {
        let pairs: [(&str, &[&str]); 5] = [
            ("modulation.lin", &["norm.linear"]),
            (
                "linear1",
                &["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"],
            ),
            ("linear2", &["proj_out"]),
            ("norm.query_norm", &["attn.norm_q"]),
            ("norm.key_norm", &["attn.norm_k"]),
        ];
        let from = format!("single_transformer_blocks.{i}");
        block(format!("single_blocks.{i}"), from, &pairs);
    }
    for kind in ["weight", "bias"] {
        let halves = from[&format!("norm_out.linear.{kind}")]
            .chunk(2, 0)
            .unwrap();
        let swapped = Tensor::cat(&[&halves[1], &halves[0]], 0).unwrap();
        to.insert(format!("final_layer.adaLN_modulation.1.{kind}"), swapped);
    }
    to
}

fn save(path: &Path, tensors: &HashMap<String, Tensor>) -> Arc<Files> {
    candle_core::safetensors::save(tensors, path).unwrap();
    Arc::new(Files::open_file(path).unwrap())
}

/// Velocity of fixed inputs for a batch of two with one prompt.
fn velocity(model: &FluxTransformer) -> Vec<f32> {
    let ramp = |shape: &[usize], step: f32| {
        let count = shape.iter().product::<usize>() as u32;
        let ramp = Tensor::arange(0u32, count, &Device::Cpu).unwrap();
        let ramp = ramp.to_dtype(DType::F32).unwrap().affine(step.into(), -0.5);
        ramp.unwrap().reshape(shape).unwrap()
    };
    let scale = Tensor::new(&[3.5f32], &Device::Cpu).unwrap();
    let image = latents::image_ids(2, 3, &Device::Cpu).unwrap();
    let text = latents::text_ids(4, &Device::Cpu).unwrap();
    let (prompt, pooled) = (ramp(&[1, 4, 6], 0.05), ramp(&[1, 5], 0.2));
    assert!(
        model
            .prepare(&prompt, &pooled, None, &image, &text)
            .is_err()
    );
    let one = model.prepare(&prompt, &pooled, Some(&scale), &image, &text);
    let one = one.unwrap();
    let two = one.repeat(2).unwrap();
    assert!(two.repeat(2).is_err());
    let sigma = Tensor::new(&[0.8f32, 0.3], &Device::Cpu).unwrap();
    let x = ramp(&[2, 6, 8], 0.01);
    assert!(model.forward(&x, &one, &sigma, None).is_err());
    let all = model.forward(&x, &two, &sigma, None).unwrap();
    // A sample is independent of its neighbours.
    let (x, sigma) = (x.narrow(0, 1, 1).unwrap(), sigma.narrow(0, 1, 1).unwrap());
    let alone = model.forward(&x, &one, &sigma, None).unwrap();
    let flat = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let all = flat(&all);
    let pairs = flat(&alone).into_iter().zip(&all[6 * 8..]);
    assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-4));
    all
}

#[test]
fn both_layouts_give_the_same_network() {
    let config = tiny();
    let folder = tempfile::tempdir().unwrap();
    let tensors = weights(&config);
    let plain = save(&folder.path().join("diffusers.safetensors"), &tensors);
    let fused = bfl_weights(&config, &tensors);
    let fused = save(&folder.path().join("bfl.safetensors"), &fused);
    assert_eq!((bfl::is_bfl(&plain), bfl::is_bfl(&fused)), (false, true));
    let build = |weights: &Weights| FluxTransformer::new(&config, weights);
    let plain = load(&plain, DType::F32, &Device::Cpu, build).unwrap();
    let from_bfl = bfl::load(&fused, DType::F32, &Device::Cpu, build).unwrap();
    assert_eq!(velocity(&plain), velocity(&from_bfl));

    let deeper = FluxConfig {
        num_layers: 3,
        ..tiny()
    };
    let build = |weights: &Weights| FluxTransformer::new(&deeper, weights);
    let error = bfl::load(&fused, DType::F32, &Device::Cpu, build).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("double_blocks.2.img_attn.qkv.weight")
    );
}
