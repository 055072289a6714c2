"""The parity cases `radio` and `radio_layer_scale`: timm's ViT block around the patch generator of RADIO.

    python make.py        # needs torch, timm, safetensors; writes ../parity/radio and ../parity/radio_layer_scale

The repository of RADIO is on no package index; the patch generator (linear patches, positions interpolated bilinearly to
the longer side and cropped, tokens of the teachers in front) is written here after its description.
"""

import json
from pathlib import Path

import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from timm.models.vision_transformer import Block

HERE = Path(__file__).parent


def case(name, seed, width, heads, depth, hidden, patch, side, rows, sizes, layer_scale, extras):
    rng = torch.Generator().manual_seed(seed)
    rand = lambda *shape, scale=1.0: torch.randn(*shape, generator=rng) * scale
    blocks = [Block(width, heads, mlp_ratio=hidden / width, qkv_bias=True, init_values=1.0 if layer_scale else None,
                    norm_layer=lambda d, **kw: torch.nn.LayerNorm(d, eps=1e-6)).eval() for _ in range(depth)]
    state = {}
    for i, block in enumerate(blocks):
        for key, value in block.state_dict().items():
            value.copy_(rand(*value.shape, scale=0.3) + (1.0 if "norm" in key and key.endswith("weight") else 0.0))
            # Some published architectures call the layer scale so.
            key = key.replace("ls1.gamma", "ls1.grandma").replace("ls2.gamma", "ls2.grandma") if i == 0 else key
            state[f"radio_model.model.blocks.{i}.{key}"] = value.clone()
    embedder, table, tokens = rand(width, 3 * patch * patch, scale=0.1), rand(1, side * side, width), rand(rows, width)
    mean, std = torch.tensor([0.48, 0.46, 0.41]).view(3, 1, 1), torch.tensor([0.27, 0.26, 0.28]).view(3, 1, 1)
    generator = "radio_model.model.patch_generator."
    state |= {generator + "embedder.weight": embedder, generator + "pos_embed": table,
              generator + "cls_token.token": tokens, "radio_model.input_conditioner.norm_mean": mean,
              "radio_model.input_conditioner.norm_std": std, "radio_model.summary_idxs": torch.tensor([0, 1])}
    norm = normalizer = None
    if extras:
        norm, normalizer = (1 + rand(width, scale=0.2), rand(width, scale=0.2)), (rand(width), rand(width, width, scale=0.3))
        state |= {"radio_model.model.norm.weight": norm[0], "radio_model.model.norm.bias": norm[1],
                  "radio_model._feature_normalizer.mean": normalizer[0], "radio_model._feature_normalizer.tx": normalizer[1]}
    inputs, expected = {}, {}
    for number, (b, h, w) in enumerate(sizes):
        x = torch.rand(b, 3, h, w, generator=rng)
        inputs[f"pixel_values.{number}"] = x
        x = (x - mean) / std
        r, c = h // patch, w // patch
        x = x.reshape(b, 3, r, patch, c, patch).permute(0, 2, 4, 1, 3, 5).reshape(b, r * c, -1) @ embedder.T
        pos = table.reshape(1, side, side, width).permute(0, 3, 1, 2)
        if (r, c) != (side, side):
            m = max(r, c)
            pos = F.interpolate(pos, size=(m, m), mode="bilinear", align_corners=False)[..., :r, :c]
        x = x + pos.flatten(2).transpose(1, 2)
        x = torch.cat([tokens.expand(b, -1, -1), x], 1)
        with torch.no_grad():
            for block in blocks:
                x = block(x)
        if norm:
            x = F.layer_norm(x, (width,), *norm, eps=1e-6)
        x = x[:, rows:]
        expected[f"features.{number}"] = ((x - normalizer[0]) @ normalizer[1].T if normalizer else x).contiguous()
    folder = HERE.parent / "parity" / name
    (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
    save_file(state, folder / "checkpoint/model.safetensors")
    (folder / "checkpoint/config.json").write_text(json.dumps({"num_attention_heads": heads}) + "\n")
    save_file(inputs, folder / "inputs.safetensors")
    save_file(expected, folder / "expected.safetensors")
    (folder / "case.json").write_text(json.dumps({
        "model": "radio", "reference": f"timm {timm.__version__} Block, patch generator of its own",
        "notes": "Keys of the published safetensors. Sizes: native, smaller, not square.",
        "tolerance": {"*": 1e-4}}, indent=2) + "\n")


case("radio", 7, 32, 2, 2, 128, 4, 6, 5, [(1, 24, 24), (2, 16, 8), (1, 12, 20)], False, False)
case("radio_layer_scale", 8, 36, 3, 3, 80, 6, 5, 3, [(1, 30, 12), (1, 18, 24)], True, True)
