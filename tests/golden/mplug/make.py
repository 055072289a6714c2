"""Parity cases for mPLUG from modelscope's own class, in the form of tests/golden/parity (component `mplug_vqa`).

    pip install torch
    pip install --target lib --no-deps modelscope==1.9.5 transformers==4.38.2 tokenizers==0.15.2 \\
        huggingface_hub==0.23.4 addict simplejson gast yapf einops sortedcontainers oss2 'setuptools<80'
    PYTHONPATH=lib python make.py [--variant public|other] [--out DIR]

Sizes are tiny, weights random. With `stride_layer` 2 both kinds of fusion layer run, with 9 only one. The end token is
made likely, so that the search ends early for some questions. `vocab.txt` has [CLS] at 101 and [SEP] at 102, as the search
expects.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from modelscope.models.multi_modal.mplug import configuration_mplug
from modelscope.models.multi_modal.mplug.modeling_mplug import MPlugForVisualQuestionAnswering
from safetensors.torch import save_file

torch.set_num_threads(2)
VARIANTS = {
    "public": {
        "mplug_vqa": dict(width=64, layers=2, res=28, hidden=32, heads=4, inner=48, total=4, text=2, fusion=4, decode=2, stride=2, length=7),
        "mplug_vqa_apart": dict(width=64, layers=2, res=42, hidden=64, heads=2, inner=40, total=5, text=3, fusion=3, decode=3, stride=9, length=9),
    },
    "other": {
        "mplug_vqa": dict(width=128, layers=1, res=42, hidden=48, heads=3, inner=56, total=6, text=1, fusion=5, decode=2, stride=3, length=5),
        "mplug_vqa_apart": dict(width=64, layers=3, res=28, hidden=40, heads=5, inner=64, total=3, text=2, fusion=2, decode=4, stride=6, length=11),
    },
}
WORDS = ["yes", "no", "red", "is", "the", "cat", "there", "a", "?", "##s", ".", "two", "in", "picture"]


def vocabulary(path, size):
    words = ["[PAD]"] + [f"[unused{i}]" for i in range(1, size)]
    words[100:104] = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words[104:104 + len(WORDS)] = WORDS
    path.write_text("\n".join(words[:size]) + "\n")


def make(name, v, out):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir(parents=True)
    size = 104 + len(WORDS)
    bert = dict(hidden_size=v["hidden"], num_attention_heads=v["heads"], intermediate_size=v["inner"], hidden_act="gelu",
                layer_norm_eps=1e-12, vocab_size=size, max_position_embeddings=40, type_vocab_size=2,
                num_hidden_layers=v["total"], text_encoder_layers=v["text"], fusion_layers=v["fusion"],
                text_decode_layers=v["decode"], stride_layer=v["stride"], encoder_width=v["hidden"],
                hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, initializer_range=0.02, model_type="bert",
                pad_token_id=0, add_cross_attention=False)
    (checkpoint / "config_bert.json").write_text(json.dumps(bert, indent=1) + "\n")
    vocabulary(checkpoint / "vocab.txt", size)
    yaml = f"""task: visual-question-answering
bert_config: config_bert.json
image_res: {v["res"]}
batch_size_train: 128
vision_width: {v["width"]}
distill: False
clip_name: "ViT-L-14"
optimizer: {{opt: adamW, lr1: 3e-5, lr2: 5e-6, weight_decay: 0.02}}
clip_embed_dim: 16
clip_image_resolution: 28
clip_vision_layers: {v["layers"]}
clip_vision_width: {v["width"]}
clip_vision_patch_size: 14
clip_context_length: 16
clip_vocab_size: 50
clip_transformer_width: 64
clip_transformer_heads: 1
clip_transformer_layers: 1
"""
    (checkpoint / "config.yaml").write_text(yaml)
    config = configuration_mplug.MPlugConfig.from_yaml_file(str(checkpoint / "config.yaml"))
    config.model_dir = str(checkpoint)
    torch.manual_seed(5)
    model = MPlugForVisualQuestionAnswering(config)
    tokens = (v["res"] // 14) ** 2 + 1
    model.visual_encoder.visual.positional_embedding = torch.nn.Parameter(torch.zeros(tokens, v["width"]))
    for key, p in model.named_parameters():
        norm = "LayerNorm" in key or "layer_norm" in key or ".ln_" in key
        torch.nn.init.normal_(p, 1.0 if norm and key.endswith("weight") else 0.0, 0.15 if norm or "bias" in key else 0.45)
    with torch.no_grad():
        # The end token is about as likely as the best word.
        predictions = model.text_decoder.cls.predictions
        predictions.decoder.weight *= 0.6
        predictions.decoder.bias[102] += 3
    model.eval()
    n = 4
    ids = torch.randint(103, size, (n, v["length"]))
    mask = torch.ones_like(ids)
    ids[:, 0] = 101
    for i in range(n):
        end = v["length"] - 1 - i % 3
        ids[i, end], mask[i, end + 1:] = 102, 0
        ids[i, end + 1:] = 0
    image = torch.randn(1, 3, v["res"], v["res"])
    inputs, expected = {"pixel_values": image}, {}
    for i in range(n):
        question = type("Q", (), {"input_ids": ids[i:i + 1], "attention_mask": mask[i:i + 1]})
        with torch.no_grad():
            answers, scores = model(image, question, train=False)
        inputs[f"input_ids.{i}"], inputs[f"attention_mask.{i}"] = ids[i:i + 1].contiguous(), mask[i:i + 1].contiguous()
        expected[f"answer_ids.{i}"] = answers[0][0][None].contiguous()
        expected[f"score.{i}"] = scores[0][0].reshape(1).float().contiguous()
        print(name, answers[0][0].tolist(), round(scores[0][0].item(), 4))
    # As published: some names carry `model.`, and momentum copies lie beside the weights.
    state = {"model." + k: t.clone() for k, t in model.state_dict().items()}
    state["model.visn_layer_norm_m.weight"] = torch.ones(v["hidden"])
    torch.save({"model": state}, checkpoint / "pytorch_model.bin")
    save_file(inputs, folder / "inputs.safetensors")
    save_file(expected, folder / "expected.safetensors")
    case = {"model": "mplug_vqa", "reference": "modelscope 1.9.5 MPlugForVisualQuestionAnswering",
            "notes": "One picture, numbered questions; the ids of the best hypothesis and its score.",
            "tolerance": {"*": 0.0005}}
    (folder / "case.json").write_text(json.dumps(case, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", choices=VARIANTS, default="public")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "../parity")
    args = parser.parse_args()
    for name, v in VARIANTS[args.variant].items():
        make(name, v, args.out)


main()
