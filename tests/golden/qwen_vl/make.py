"""Greedy answers with a repetition penalty, of the parity case qwen2_5_vl, by transformers.

    python make.py        # needs torch, transformers, safetensors; writes expected.json
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

here = Path(__file__).parent
case = here.parent / "parity" / "qwen2_5_vl"
inputs = load_file(case / "inputs.safetensors")
model = transformers.Qwen2_5_VLForConditionalGeneration.from_pretrained(case / "checkpoint", dtype=torch.float32).eval()
ids = inputs["input_ids"].long().reshape(1, -1)
image_token = model.config.image_token_id
rows = {}
for penalty in [1.0, 1.05, 1.3, 2.0]:
    with torch.no_grad():
        out = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=inputs["pixel_values"],
            image_grid_thw=inputs["image_grid_thw"].long(), mm_token_type_ids=(ids == image_token).int(),
            do_sample=False, max_new_tokens=12, eos_token_id=None, repetition_penalty=penalty,
        )
    rows[str(penalty)] = out[0, ids.shape[1]:].tolist()
text = {"reference": f"transformers {transformers.__version__}", "greedy_ids": rows}
(here / "expected.json").write_text(json.dumps(text, indent=1) + "\n")
