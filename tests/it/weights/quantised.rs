//! Quantised checkpoints: FP8 with scales is multiplied out, everything else is refused by name.

use super::*;
use crate::uniworld::checkpoint;
use candle_core::DType;
use unigauge::model::weights::Files;

/// Rows and columns that share a scale.
type Block = [usize; 2];

/// The value of a byte of E4M3 or E5M2, by the formats' definition.
fn value(byte: u8, e5m2: bool) -> Option<f32> {
    let sign = if byte >> 7 == 1 { -1.0 } else { 1.0 };
    let (bits, bias) = if e5m2 { (2, 15) } else { (3, 7) };
    let power = i32::from(byte & 0x7f) >> bits;
    let rest = f32::from(byte & ((1 << bits) - 1)) / f32::from(1u8 << bits);
    let none = if e5m2 {
        byte & 0x7f >= 0x7c
    } else {
        byte & 0x7f == 0x7f
    };
    let size = match power {
        0 => rest * 2f32.powi(1 - bias),
        _ => (1.0 + rest) * 2f32.powi(power - bias),
    };
    (!none).then_some(sign * size)
}

/// A matrix as FP8 with one scale a block, and what these give back.
struct Scaled {
    bytes: Vec<u8>,
    scales: Vec<f32>,
    grid: [usize; 2],
    restored: Vec<f32>,
}

impl Scaled {
    fn new(numbers: &[f32], shape: [usize; 2], block: Block, e5m2: bool) -> Self {
        let [rows, columns] = shape;
        let grid = [rows.div_ceil(block[0]), columns.div_ceil(block[1])];
        let place = |at: usize| (at / columns / block[0]) * grid[1] + at % columns / block[1];
        let mut scales = vec![0f32; grid[0] * grid[1]];
        for (at, number) in numbers.iter().enumerate() {
            let scale = &mut scales[place(at)];
            *scale = scale.max(number.abs() / 448.0);
        }
        let mut table: Vec<(f32, u8)> = (0..=255)
            .filter_map(|byte| Some((value(byte, e5m2)?, byte)))
            .collect();
        table.sort_by(|a, b| a.0.total_cmp(&b.0));
        let nearest = |number: f32| {
            let after = table.partition_point(|(value, _)| *value < number);
            let near = table[after.saturating_sub(1)..].iter().take(2);
            let distance = |(value, _): &&(f32, u8)| (value - number).abs();
            *near
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
                .unwrap()
        };
        let near = |(at, number): (usize, &f32)| {
            let scale = scales[place(at)];
            let (value, byte) = nearest(number / scale.max(f32::MIN_POSITIVE));
            (byte, value * scale)
        };
        let (bytes, restored) = numbers.iter().enumerate().map(near).unzip();
        Self {
            bytes,
            restored,
            scales,
            grid,
        }
    }
}

/// How scales are published.
struct Form {
    name: &'static str,
    /// The name of a weight's scales.
    scale: fn(&str) -> String,
    block: Block,
    /// The shape of the scales, of the grid of blocks.
    shape: fn([usize; 2]) -> Vec<usize>,
    e5m2: bool,
    config: Value,
    more: &'static [&'static str],
}

fn forms() -> Vec<Form> {
    const WHOLE: Block = [1000, 1000];
    let beside = |name: &str| name.replace(".weight", ".weight_scale");
    let inverse = |name: &str| format!("{name}_scale_inv");
    let comfy = |name: &str| name.replace(".weight", ".scale_weight");
    let fp8 = |more: Value| {
        let mut config = json!({"quant_method": "fp8", "activation_scheme": "dynamic"});
        let fields = config.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        json!({ "quantization_config": config })
    };
    let group = |strategy: Value| {
        let mut weights = json!({"num_bits": 8, "type": "float", "symmetric": true});
        let fields = weights.as_object_mut().unwrap();
        fields.extend(strategy.as_object().unwrap().clone());
        json!({"quantization_config": {"quant_method": "compressed-tensors", "format": "float-quantized",
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}})
    };
    vec![
        Form {
            name: "per-tensor",
            scale: inverse,
            block: WHOLE,
            shape: |_| vec![],
            e5m2: false,
            config: fp8(json!({})),
            more: &[],
        },
        // Both sides are cut: 128 = 2 · 48 + 32 rows, 3 · 40 + 8 columns.
        Form {
            name: "ragged-blocks",
            scale: inverse,
            block: [48, 40],
            shape: |grid| grid.into(),
            e5m2: false,
            config: fp8(json!({"weight_block_size": [48, 40]})),
            more: &[],
        },
        // The block that DeepSeek and Qwen publish with, told by the name alone.
        Form {
            name: "usual-blocks",
            scale: inverse,
            block: [128, 128],
            shape: |grid| grid.into(),
            e5m2: false,
            config: fp8(json!({"weight_block_size": null})),
            more: &[],
        },
        Form {
            name: "channels",
            scale: beside,
            block: [1, 1000],
            shape: |grid| vec![grid[0], 1],
            e5m2: false,
            config: group(json!({"strategy": "channel"})),
            more: &["input_scale"],
        },
        Form {
            name: "groups",
            scale: beside,
            block: [1, 32],
            shape: |grid| grid.into(),
            e5m2: false,
            config: group(json!({"strategy": "group", "group_size": 32})),
            more: &[],
        },
        Form {
            name: "comfy",
            scale: comfy,
            block: WHOLE,
            shape: |_| vec![1],
            e5m2: false,
            config: json!({}),
            more: &["scale_input", "scaled_fp8"],
        },
        Form {
            name: "comfy-e5m2",
            scale: comfy,
            block: WHOLE,
            shape: |_| vec![],
            e5m2: true,
            config: json!({}),
            more: &["scaled_fp8", "comfy_quant"],
        },
    ]
}

/// The good checkpoint with its projections scaled in a form, and as the form gives it back, in F32.
fn both(form: &Form) -> (Tensors, Tensors) {
    let (mut scaled, mut restored) = (Tensors::new(), Tensors::new());
    let kind = if form.e5m2 {
        Dtype::F8_E5M2
    } else {
        Dtype::F8_E4M3
    };
    for (name, (dtype, shape, bytes)) in good() {
        let numbers = halves(&bytes);
        let own = match shape[..] {
            [rows, columns] if name.ends_with("proj.weight") => {
                let own = Scaled::new(&numbers, [rows, columns], form.block, form.e5m2);
                let scales = ((form.shape)(own.grid), floats(&own.scales));
                scaled.insert((form.scale)(&name), (Dtype::F32, scales.0, scales.1));
                for more in form.more.iter().filter(|more| **more != "scaled_fp8") {
                    let beside = name.replace(".weight", &format!(".{more}"));
                    let own = match *more {
                        "comfy_quant" => text("{\"format\": \"float8_e5m2\"}"),
                        _ => (Dtype::F32, vec![], floats(&[0.25])),
                    };
                    scaled.insert(beside, own);
                }
                scaled.insert(name.clone(), (kind, shape.clone(), own.bytes));
                own.restored
            }
            _ => {
                scaled.insert(name.clone(), (dtype, shape.clone(), bytes));
                numbers
            }
        };
        restored.insert(name, (Dtype::F32, shape, floats(&own)));
    }
    if form.more.contains(&"scaled_fp8") {
        scaled.insert("scaled_fp8".into(), (kind, vec![2], vec![0, 0]));
    }
    (scaled, restored)
}

#[test]
fn scales_are_multiplied_in() {
    for form in forms() {
        let dir = tempfile::tempdir().unwrap();
        let (scaled, restored) = both(&form);
        let place = stored(dir.path(), form.name, &scaled, form.config.clone());
        let files = Files::open(&place).unwrap();
        assert_eq!(files.tensors().len(), restored.len(), "{}", form.name);
        let mut differ = 0;
        for (name, (_, _, bytes)) in &restored {
            let tensor = files.tensor(name).unwrap().flatten_all().unwrap();
            let numbers: Vec<f32> = tensor.to_dtype(DType::F32).unwrap().to_vec1().unwrap();
            assert!(floats(&numbers) == *bytes, "{}: {name}", form.name);
            differ += usize::from(scaled[name].0 != Dtype::F16);
        }
        // q, k, v, o, gate, up, down of the language model's layers, and the projections of the eye.
        assert!(differ >= 14, "{}: {differ}", form.name);
    }
}

#[test]
fn a_scaled_checkpoint_says_what_the_restored_one_says() {
    for form in forms().into_iter().step_by(5) {
        let dir = tempfile::tempdir().unwrap();
        let (scaled, restored) = both(&form);
        stored(dir.path(), form.name, &scaled, form.config.clone());
        stored(dir.path(), "restored", &restored, nothing());
        assert_eq!(words(dir.path(), "restored"), WORDS, "{}", form.name);
        assert_eq!(words(dir.path(), form.name), WORDS, "{}", form.name);
        fine(dir.path(), form.name);
    }
}

/// The scaled checkpoint, changed.
fn changed(dir: &Path, name: &str, change: impl Fn(&mut Tensors)) {
    let form = &forms()[0];
    let (mut scaled, _) = both(form);
    change(&mut scaled);
    stored(dir, name, &scaled, form.config.clone());
}

const Q: &str = "model.layers.0.self_attn.q_proj";

#[test]
fn a_scale_that_is_not_read_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let weight = format!("{Q}.weight");
    let scale = format!("{Q}.weight_scale_inv");
    let one = || (Dtype::F32, vec![], floats(&[0.5]));
    let quantised = "quantised in an unsupported way";

    changed(dir, "lost", |tensors| drop(tensors.remove(&scale)));
    refused(dir, "lost", &[quantised, &weight, "has no scale", "`fp8`"]);

    changed(dir, "shape", |tensors| {
        tensors.insert(scale.clone(), (Dtype::F32, vec![3, 2], floats(&[1.0; 6])));
    });
    refused(dir, "shape", &[quantised, &scale, "[3, 2]", "[128, 128]"]);

    // Another format's scale, under a name that nobody here reads.
    changed(dir, "other", |tensors| {
        drop(tensors.remove(&scale));
        tensors.insert(format!("{Q}.scale"), one());
    });
    refused(
        dir,
        "other",
        &[
            quantised,
            &format!("{Q}.scale"),
            "does not belong to a known quantisation",
        ],
    );

    changed(dir, "twice", |tensors| {
        tensors.insert(format!("{Q}.scale_weight"), one());
    });
    refused(dir, "twice", &[quantised, "both scale", &weight]);

    changed(dir, "integers", |tensors| {
        tensors.get_mut(&weight).unwrap().0 = Dtype::I8;
    });
    refused(dir, "integers", &[quantised, &weight, "I8 instead of FP8"]);

    // Plain weights with a scale beside them.
    let mut plain = good();
    plain.insert(format!("{Q}.weight_scale"), one());
    stored(dir, "plain", &plain, nothing());
    refused(dir, "plain", &[quantised, "F16 instead of FP8"]);
}

#[test]
fn other_packings_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let packed: [(&str, &[&str], &str); 9] = [
        ("gptq", &["qweight", "qzeros", "scales", "g_idx"], "GPTQ"),
        ("awq", &["qweight", "qzeros", "scales"], "AWQ"),
        (
            "bnb4",
            &["weight.absmax", "weight.quant_map"],
            "bitsandbytes",
        ),
        (
            "bnb-state",
            &["weight.quant_state.bitsandbytes__nf4"],
            "bitsandbytes",
        ),
        ("bnb8", &["SCB"], "bitsandbytes"),
        (
            "packed",
            &["weight_packed", "weight_shape"],
            "compressed-tensors",
        ),
        ("mxfp4", &["weight_blocks", "weight_scales"], "MXFP4"),
        ("nvfp4", &["weight_scale_2"], "NVFP4"),
        ("quanto", &["weight._data", "weight._scale"], "Quanto"),
    ];
    for (name, leaves, method) in packed {
        let mut tensors = good();
        let (_, shape, _) = tensors.remove(&format!("{Q}.weight")).unwrap();
        for leaf in leaves {
            let own = (Dtype::U8, shape.clone(), vec![1; shape.iter().product()]);
            tensors.insert(format!("{Q}.{leaf}"), own);
        }
        let place = stored(dir.path(), name, &tensors, nothing());
        let error = Files::open(&place).err().unwrap().to_string();
        assert!(
            error.contains("quantised") && error.contains(method),
            "{name}: {error}"
        );
    }
    refused(dir.path(), "gptq", &["quantised", "GPTQ"]);
    refused(dir.path(), "bnb4", &["quantised", "bitsandbytes"]);
}

#[test]
fn methods_that_nobody_here_knows_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let place = stored(dir.path(), "told", &good(), nothing());
    let own = place.join("config.json");
    let plain: Value = serde_json::from_slice(&fs::read(&own).unwrap()).unwrap();
    let told = |told: Value| {
        let mut config = plain.clone();
        let fields = config.as_object_mut().unwrap();
        fields.extend(told.as_object().unwrap().clone());
        fs::write(&own, config.to_string()).unwrap();
        Files::open(&place).err().map(|error| error.to_string())
    };
    let method = |method: &str| json!({"quantization_config": {"quant_method": method}});
    for name in ["gptq", "awq", "bitsandbytes", "torchao", "hqq", "brand-new"] {
        let error = told(method(name)).unwrap();
        assert!(
            error.contains(name) && error.contains("config.json"),
            "{error}"
        );
    }
    let of = |json: Value| json!({ "quantization_config": json });
    // Of one part of the model, and of integers.
    assert!(told(json!({"text_config": of(json!({"quant_method": "gptq"}))})).is_some());
    let integers = json!({"quant_method": "compressed-tensors",
        "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "int", "strategy": "channel"}}}});
    assert!(told(of(integers)).unwrap().contains("int"));
    let nvfp4 = json!({"quant_method": "modelopt", "quant_algo": "NVFP4"});
    assert!(told(of(nvfp4)).unwrap().contains("nvfp4"));
    // Plain weights may say so, or say nothing.
    assert_eq!(told(method("fp8")), None);
    assert_eq!(told(of(json!({}))), None);
    assert_eq!(told(of(Value::Null)), None);
    fs::write(
        place.join("quantize_config.json"),
        r#"{"bits": 4, "group_size": 128}"#,
    )
    .unwrap();
    assert!(told(json!({})).unwrap().contains("gptq"));

    told(method("gptq"));
    fs::remove_file(place.join("quantize_config.json")).unwrap();
    refused(dir.path(), "told", &["quantised", "gptq"]);
}

#[test]
fn a_gguf_file_is_named_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let alone = folder(dir.path(), "alone", nothing());
    fs::write(alone.join("model-q4_k_m.gguf"), b"GGUF\x03\0\0\0").unwrap();
    refused(dir.path(), "alone", &["GGUF"]);
    let renamed = folder(dir.path(), "renamed", nothing());
    fs::write(renamed.join("model.safetensors"), b"GGUF\x03\0\0\0\0\0\0\0").unwrap();
    refused(dir.path(), "renamed", &["GGUF"]);
}

/// Scales that belong to a network, and a cast to FP8 without any scale.
#[test]
fn scales_of_a_network_and_plain_casts_are_read() {
    for network in [
        "siglip_vision",
        "clip",
        "dinov2",
        "open_clip",
        "radio_layer_scale",
    ] {
        let place = root()
            .join("tests/golden/parity")
            .join(network)
            .join("checkpoint");
        let files = Files::open(&place).unwrap_or_else(|error| panic!("{network}: {error}"));
        let dir = tempfile::tempdir().unwrap();
        let mut cast = Tensors::new();
        for (name, shape) in files.tensors() {
            // 1.5 in E4M3 is 0x3c: sign 0, exponent 7, fraction 4 of 8.
            let count = shape.iter().product();
            cast.insert(
                name.clone(),
                (Dtype::F8_E4M3, shape.clone(), vec![0x3c; count]),
            );
        }
        write(&dir.path().join("model.safetensors"), &cast);
        let files = Files::open(dir.path()).unwrap_or_else(|error| panic!("{network}: {error}"));
        assert_eq!(files.tensors().len(), cast.len());
        for name in cast.keys() {
            let numbers = files.tensor(name).unwrap().flatten_all().unwrap();
            let numbers: Vec<f32> = numbers.to_dtype(DType::F32).unwrap().to_vec1().unwrap();
            assert!(
                numbers.iter().all(|number| *number == 1.5),
                "{network}: {name}"
            );
        }
    }
}

/// The observers' networks are opened by the same door.
#[test]
fn observers_and_the_plan_of_a_suite_refuse_them_too() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let own = dir.path().join("tiny/uniworld/config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&own).unwrap()).unwrap();
    config["quantization_config"] = json!({"quant_method": "gptq", "bits": 4});
    fs::write(&own, config.to_string()).unwrap();
    let item = json!({"id": "i0", "prompt": "a sign", "texts": ["Open daily"], "language": "en"});
    fs::write(dir.path().join("items.jsonl"), format!("{item}\n")).unwrap();
    fs::write(
        dir.path().join("own.toml"),
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"qwen-ocr\"]\n\n\
         [items]\nfile = \"items.jsonl\"\n\n[items.map]\nexpect = [\"texts\", \"language\"]\n\n\
         [grade]\nrule = \"longtext\"\n\n[observe.qwen-ocr]\ncheckpoint = \"tiny/uniworld\"\n",
    )
    .unwrap();
    fs::create_dir(dir.path().join("images")).unwrap();
    let picture = image::RgbImage::from_pixel(56, 56, image::Rgb([9, 99, 200]));
    picture.save(dir.path().join("images/i0.png")).unwrap();
    let observe = unigauge(dir.path())
        .args([
            "observe", "--device", "cpu", "--suite", "own.toml", "--images", "images",
        ])
        .output()
        .unwrap();
    let plan = unigauge(dir.path())
        .args([
            "--offline",
            "check",
            "own.toml",
            "--model",
            "typeset",
            "--device",
            "cpu",
        ])
        .output()
        .unwrap();
    for output in [observe, plan] {
        let text = said(&output);
        assert_eq!(output.status.code(), Some(6), "{text}");
        assert!(
            text.contains("quantised") && text.contains("gptq"),
            "{text}"
        );
    }
}
