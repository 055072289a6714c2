"""The chance that Qwen2.5-VL's answer begins with "Yes", of the parity case qwen2_5_vl, by transformers.

    python vqascore.py        # needs torch, transformers, safetensors, pillow; writes vqascore.json

The tokenizer is that of the test beside the observer: a token for each character from " " on, the newline after them, and
special tokens at given ids. "Y" is thus the first token of "Yes".
"""

import json
import re
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image

here = Path(__file__).parent
SPECIAL = {"<|im_start|>": 199, "<|im_end|>": 200, "<|vision_start|>": 201, "<|vision_end|>": 202, "<|image_pad|>": 204}
PROMPTS = ["two red cats", "a house; no \"door\""]
SIZES = [(84, 56), (56, 140)]


def ids_of(text):
    ids = []
    for part in re.split(r"(<\|\w+\|>)", text):
        if part in SPECIAL:
            ids.append(SPECIAL[part])
        else:
            ids += [95 if c == "\n" else ord(c) - 32 for c in part]
    return ids


def picture(number):
    width, height = SIZES[number]
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 5 + number * 40) % 256, (y * 7 + x) % 256, (x * y + 31 * number) % 256]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


model = transformers.Qwen2_5_VLForConditionalGeneration.from_pretrained(
    here.parent / "parity/qwen2_5_vl/checkpoint", dtype=torch.float32).eval()
processor = transformers.Qwen2VLImageProcessorPil(patch_size=14, temporal_patch_size=2, merge_size=2)
rows = []
for number, prompt in enumerate(PROMPTS):
    # Sides are multiples of 28: nothing is resized.
    made = processor(images=[picture(number)], return_tensors="pt")
    tokens = int(made["image_grid_thw"].prod()) // 4
    question = f'Does this figure show "{prompt}"? Please answer yes or no.'
    ids = torch.tensor([ids_of(
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|>"
        + "<|image_pad|>" * tokens + f"<|vision_end|>{question}<|im_end|>\n<|im_start|>assistant\n")])
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=made["pixel_values"],
                       image_grid_thw=made["image_grid_thw"], mm_token_type_ids=(ids == 204).int()).logits[0, -1]
    chance = torch.softmax(logits.double(), -1)[ids_of("Y")[0]].item()
    rows.append({"prompt": prompt, "size": SIZES[number], "score": chance})
    print(prompt, chance)
text = {"reference": f"transformers {transformers.__version__}", "pictures": rows}
(here / "vqascore.json").write_text(json.dumps(text, indent=1) + "\n")
