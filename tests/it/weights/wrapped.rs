//! Weights under a prefix, inside another dictionary, of an adapter, cut, empty or not finite.

use super::*;
use std::io::Write;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn prefixed(prefix: &str) -> Tensors {
    let tensors = good().into_iter();
    tensors
        .map(|(name, tensor)| (format!("{prefix}{name}"), tensor))
        .collect()
}

/// A text of a pickle.
fn word(text: &str) -> Vec<u8> {
    let mut own = vec![b'X'];
    own.extend((text.len() as u32).to_le_bytes());
    own.extend(text.as_bytes());
    own
}

fn number(value: usize) -> Vec<u8> {
    [&[b'J'][..], &(value as i32).to_le_bytes()].concat()
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

fn dictionary(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let own = entries
        .iter()
        .flat_map(|(key, value)| [word(key), value.clone()].concat());
    [b"}(", &own.collect::<Vec<u8>>()[..], b"u"].concat()
}

/// The state dict as `torch.save` pickles it; storages are named by the tensors' places in their order.
fn state(tensors: &Tensors) -> Vec<u8> {
    let entries = tensors
        .iter()
        .enumerate()
        .map(|(at, (name, (_, shape, _)))| {
            let mut stride = 1;
            let mut strides: Vec<Vec<u8>> = Vec::new();
            for side in shape.iter().rev() {
                strides.insert(0, number(stride));
                stride *= side;
            }
            let storage = tuple(&[
                word("storage"),
                b"ctorch\nHalfStorage\n".to_vec(),
                word(&at.to_string()),
                word("cpu"),
                number(stride),
            ]);
            let sides: Vec<Vec<u8>> = shape.iter().map(|side| number(*side)).collect();
            let arguments = tuple(&[
                [&storage[..], b"Q"].concat(),
                number(0),
                tuple(&sides),
                tuple(&strides),
                b"\x89".to_vec(),
                b"ccollections\nOrderedDict\n)R".to_vec(),
            ]);
            let rebuilt = [b"ctorch._utils\n_rebuild_tensor_v2\n", &arguments[..], b"R"].concat();
            (name.as_str(), rebuilt)
        });
    dictionary(&entries.collect::<Vec<_>>())
}

fn pickle(value: &[u8]) -> Vec<u8> {
    [b"\x80\x02", value, b"."].concat()
}

/// A file as `torch.save` writes it since version 1.6.
fn torch_zip(path: &Path, tensors: &Tensors, top: &[u8]) {
    let mut file = ZipWriter::new(fs::File::create(path).unwrap());
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut put = |name: String, bytes: &[u8]| {
        file.start_file(name, plain).unwrap();
        file.write_all(bytes).unwrap();
    };
    put("archive/data.pkl".into(), &pickle(top));
    for (at, (_, _, bytes)) in tensors.values().enumerate() {
        put(format!("archive/data/{at}"), bytes);
    }
    file.finish().unwrap();
}

/// A file as `torch.save` wrote it before.
fn torch_old(path: &Path, tensors: &Tensors, top: &[u8]) {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
    let keys: Vec<Vec<u8>> = (0..tensors.len()).map(|at| word(&at.to_string())).collect();
    let keys = [b"](", &keys.concat()[..], b"e"].concat();
    let mut bytes = magic.to_vec();
    for value in [&number(1001), &b"}".to_vec(), &top.to_vec(), &keys] {
        bytes.extend(pickle(value));
    }
    for (_, shape, own) in tensors.values() {
        bytes.extend((shape.iter().product::<usize>() as u64).to_le_bytes());
        bytes.extend(own);
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_wrapped_a_network_in_training_is_taken_off_its_names() {
    let dir = tempfile::tempdir().unwrap();
    let prefixes = [
        ("parallel", "module."),
        ("compiled", "_orig_mod."),
        ("both", "module._orig_mod."),
        // A trainer's own: all names begin with it, and below it everything fits.
        ("trainer", "net.student."),
    ];
    for (name, prefix) in prefixes {
        stored(dir.path(), name, &prefixed(prefix), nothing());
        fine(dir.path(), name);
    }
    assert_eq!(words(dir.path(), "parallel"), WORDS);
    assert_eq!(words(dir.path(), "trainer"), WORDS);

    // Sharded layers are wrapped one by one.
    let inside = |name: String| name.replace(".self_attn.", "._fsdp_wrapped_module.self_attn.");
    let wrapped: Tensors = good()
        .into_iter()
        .map(|(name, own)| (inside(name), own))
        .collect();
    stored(dir.path(), "sharded", &wrapped, nothing());
    fine(dir.path(), "sharded");
    assert_eq!(words(dir.path(), "sharded"), WORDS);
}

#[test]
fn a_state_dict_inside_another_dictionary_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let tensors = good();
    let epoch = || ("epoch", number(3));
    let loss = ("loss", b"G\x3f\xe0\0\0\0\0\0\0".to_vec());
    let tops = [
        ("plain", state(&tensors)),
        (
            "state-dict",
            dictionary(&[epoch(), ("model_state_dict", state(&tensors))]),
        ),
        (
            "ema",
            dictionary(&[epoch(), loss.clone(), ("ema", state(&tensors))]),
        ),
    ];
    for (name, top) in &tops {
        let place = folder(dir.path(), name, nothing());
        torch_zip(&place.join("pytorch_model.bin"), &tensors, top);
        fine(dir.path(), name);
        let old = format!("old-{name}");
        let place = folder(dir.path(), &old, nothing());
        torch_old(&place.join("pytorch_model.bin"), &tensors, top);
        fine(dir.path(), &old);
    }
    assert_eq!(words(dir.path(), "state-dict"), WORDS);
    assert_eq!(words(dir.path(), "old-ema"), WORDS);

    // Which of two is meant, nobody can know.
    let both = dictionary(&[("model", state(&tensors)), ("ema", state(&tensors))]);
    for (name, write) in [
        ("two", torch_zip as fn(&Path, &Tensors, &[u8])),
        ("old-two", torch_old),
    ] {
        let place = folder(dir.path(), name, nothing());
        write(&place.join("pytorch_model.bin"), &tensors, &both);
        refused(
            dir.path(),
            name,
            &[
                "several networks",
                "`model` (92 tensors)",
                "`ema` (92 tensors)",
            ],
        );
    }
}

#[test]
fn an_adapter_alone_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let lora = "base_model.model.model.layers.0.self_attn.q_proj.lora_";
    let half = |shape: [usize; 2]| (Dtype::F16, shape.to_vec(), vec![0; 2 * 512]);
    let adapter: Tensors = [
        (format!("{lora}A.weight"), half([4, 128])),
        (format!("{lora}B.weight"), half([128, 4])),
    ]
    .into();
    stored(dir.path(), "adapter", &adapter, nothing());
    refused(
        dir.path(),
        "adapter",
        &["adapter", "LoRA", "merge_and_unload"],
    );

    // As PEFT names its files, and not merged: the weights beside it are not those that were trained.
    let place = folder(dir.path(), "peft", nothing());
    write(&place.join("adapter_model.safetensors"), &adapter);
    fs::write(place.join("adapter_config.json"), "{}").unwrap();
    refused(dir.path(), "peft", &["adapter", "LoRA", "merge_and_unload"]);
    write(&place.join("model.safetensors"), &good());
    refused(dir.path(), "peft", &["adapter (LoRA) next to the weights"]);
    let mixed = good().into_iter().chain(adapter).collect();
    stored(dir.path(), "mixed", &mixed, nothing());
    refused(
        dir.path(),
        "mixed",
        &["2 of 94 tensors belong to an adapter"],
    );
}

#[test]
fn another_network_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let other: Tensors = [("head.weight".to_owned(), (Dtype::F16, vec![1], vec![0, 0]))].into();
    stored(dir.path(), "other", &other, nothing());
    refused(
        dir.path(),
        "other",
        &["it contains another network", "`head.weight`"],
    );
    // Under a prefix that only most have, so that nothing says where the rest lies.
    let mut most = prefixed("net.");
    let bytes = most.remove("net.model.norm.weight").unwrap();
    most.insert("net.model.final_norm.weight".into(), bytes);
    stored(dir.path(), "most", &most, nothing());
    refused(
        dir.path(),
        "most",
        &["all 92 names in it begin with `net.`"],
    );
}

#[test]
fn check_says_what_generate_will_say() {
    let dir = tempfile::tempdir().unwrap();
    let whole = stored(dir.path(), "whole", &good(), nothing());
    fine(dir.path(), "whole");
    let bytes = fs::read(whole.join("model.safetensors")).unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let place = folder(dir.path(), name, nothing());
        fs::write(place.join("model.safetensors"), bytes).unwrap();
    };
    put("empty-file", b"");
    refused(dir.path(), "empty-file", &["0 bytes are too few"]);
    put("cut", &bytes[..bytes.len() / 2]);
    refused(dir.path(), "cut", &["truncated"]);
    put("cut-by-one", &bytes[..bytes.len() - 1]);
    refused(dir.path(), "cut-by-one", &["truncated"]);
    put(
        "pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    );
    refused(dir.path(), "pointer", &["Git LFS"]);
    stored(dir.path(), "no-tensors", &Tensors::new(), nothing());
    refused(dir.path(), "no-tensors", &["it contains no tensors"]);
    folder(dir.path(), "no-weights", nothing());
    refused(dir.path(), "no-weights", &["there is no safetensors file"]);

    let mut fewer = good();
    fewer.remove("model.norm.weight");
    stored(dir.path(), "fewer", &fewer, nothing());
    refused(dir.path(), "fewer", &["missing: model.norm.weight [128]"]);
    let mut shape = good();
    shape.get_mut("model.norm.weight").unwrap().1 = vec![64, 2];
    stored(dir.path(), "shape", &shape, nothing());
    refused(
        dir.path(),
        "shape",
        &["shape: model.norm.weight is [64, 2]"],
    );
    let mut integers = good();
    integers.get_mut("model.norm.weight").unwrap().0 = Dtype::I16;
    stored(dir.path(), "integers", &integers, nothing());
    refused(dir.path(), "integers", &["dtype: model.norm.weight is I16"]);

    let mut broken = good();
    // The last number of a bias of the eye: 0x7e00 is not a number.
    let bias = &mut broken.get_mut("visual.merger.mlp.2.bias").unwrap().2;
    let end = bias.len() - 2;
    bias[end..].copy_from_slice(&0x7e00u16.to_le_bytes());
    stored(dir.path(), "not-finite", &broken, nothing());
    refused(
        dir.path(),
        "not-finite",
        &["`visual.merger.mlp.2.bias` contains a value that is not finite"],
    );
    // Who asks for less is told so.
    let quick = check(dir.path(), "not-finite", &["--quick"]);
    assert!(quick.status.success(), "{}", said(&quick));
    assert!(
        said(&quick).contains("the numbers were not read (--quick)"),
        "{}",
        said(&quick)
    );
}
