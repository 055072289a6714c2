"""The parity case `vit`: a tiny ViTModel of transformers with random weights; DINO's checkpoints have this layout.

    python make.py ../parity
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import ViTConfig, ViTModel

torch.manual_seed(11)
folder = pathlib.Path(sys.argv[1]) / "vit"
config = ViTConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, image_size=32,
                   patch_size=8)
model = ViTModel(config, add_pooling_layer=False).eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.normal_(0, 0.2)
model.save_pretrained(folder / "checkpoint")
seen = []
attention = model.layers[-1].attention if hasattr(model, "layers") else model.encoder.layer[-1].attention
key = next(module for name, module in attention.named_modules() if name.split(".")[-1] in ("key", "k_proj"))
key.register_forward_hook(lambda module, inputs, output: seen.append(output))
inputs, expected = {}, {}
for number, (height, width) in enumerate([(32, 32), (40, 24)]):
    pixels = torch.randn(1, 3, height, width)
    inputs[f"pixel_values.{number}"] = pixels
    with torch.no_grad():
        states = model(pixels, interpolate_pos_encoding=True).last_hidden_state
    expected[f"last_hidden_state.{number}"] = states.contiguous()
    expected[f"keys.{number}"] = seen.pop().contiguous()
save_file(inputs, folder / "inputs.safetensors")
save_file(expected, folder / "expected.safetensors")
(folder / "case.json").write_text(json.dumps({
    "model": "vit",
    "reference": f"transformers {transformers.__version__} ViTModel",
    "notes": "Position rows of the patches are resampled to the grid by bicubic (a = -0.75), align_corners false, no antialiasing.",
    "tolerance": {"*": 1e-4},
}, indent=2) + "\n")
