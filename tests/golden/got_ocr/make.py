"""What transformers' GOT-OCR2.0 reads in small pictures, with random weights and a tokenizer of ASCII characters.

    python make.py        # needs torch, transformers, tokenizers, pillow, numpy; writes checkpoint/, images/, expected.json

The prompt is written out here, the pictures are prepared by Pillow, and tiles are cut by transformers' own functions for
the grid. Random weights babble and say the same phrase for ever, which is what the ban of repeated n-grams is for.
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GotOcr2Config, GotOcr2ForConditionalGeneration
from transformers.models.got_ocr2.image_processing_got_ocr2 import get_optimal_tiled_canvas

here = Path(__file__).parent
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<imgpad>"]
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
SYSTEM = ("<|im_start|>system\nYou should follow the instructions carefully and explain your answers in detail.<|im_end|>"
          "<|im_start|>user\n<img>")
SIDE, TOKENS, NEW = 64, 4, 24
BAN = 4  # the observer's no_repeat_ngram_size


def tokenizer():
    # ASCII and the line feed, as the byte-level form writes them.
    alphabet = [chr(c) for c in range(33, 127)] + ["Ġ", "Ċ"]
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(SPECIAL)
    return made


def network(tokens):
    torch.manual_seed(3)
    config = GotOcr2Config(
        vision_config={"hidden_size": 24, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 3,
                       "image_size": SIDE, "patch_size": 8, "mlp_dim": 40, "window_size": 3, "global_attn_indexes": [1]},
        text_config={"model_type": "qwen2", "vocab_size": tokens.get_vocab_size(), "hidden_size": 32,
                     "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4,
                     "tie_word_embeddings": True},
        image_token_index=tokens.token_to_id("<imgpad>"), image_seq_length=TOKENS)
    model = GotOcr2ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.copy_(torch.randn(weight.shape) * (0.5 if "pos" in name else 0.25))
    return model


def picture(seed, width, height):
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), "uint8")
    return Image.fromarray(noise).resize((width, height), Image.NEAREST)


def pixels(image):
    values = np.asarray(image.resize((SIDE, SIDE), Image.BICUBIC), np.float32) / 255
    return torch.tensor((values - np.float32(MEAN)) / np.float32(STD)).permute(2, 0, 1).float()


def tiles(image, most):
    columns, rows = get_optimal_tiled_canvas((image.height, image.width), (SIDE, SIDE), 1, most)
    whole = image.resize((SIDE * columns, SIDE * rows), Image.BICUBIC)
    cut = [whole.crop((x * SIDE, y * SIDE, (x + 1) * SIDE, (y + 1) * SIDE)) for y in range(rows) for x in range(columns)]
    return cut + ([image] if len(cut) > 1 else [])


def read(model, tokens, images, question):
    text = SYSTEM + "<imgpad>" * TOKENS * len(images) + f"</img>\n{question}<|im_end|><|im_start|>assistant\n"
    ids = torch.tensor([tokens.encode(text).ids])
    with torch.no_grad():
        out = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=torch.stack([pixels(i) for i in images]),
            do_sample=False, max_new_tokens=NEW, no_repeat_ngram_size=BAN, eos_token_id=tokens.token_to_id("<|im_end|>"),
            pad_token_id=tokens.token_to_id("<|endoftext|>"))
    new = out[0, ids.shape[1]:].tolist()
    end = tokens.token_to_id("<|im_end|>")
    cut = new[:new.index(end)] if end in new else new
    return {"text": tokens.decode(cut, skip_special_tokens=True).strip(), "tiles": len(images), "truncated": len(cut) == NEW}


def main():
    tokens = tokenizer()
    model = network(tokens)
    model.save_pretrained(here / "checkpoint")
    for spare in ("generation_config.json",):
        (here / "checkpoint" / spare).unlink(missing_ok=True)
    tokens.save(str(here / "checkpoint" / "tokenizer.json"))
    (here / "images").mkdir(exist_ok=True)
    rows = {}
    for name, seed, width, height in [("page", 1, 96, 64), ("strip", 2, 200, 48), ("square", 3, 72, 72)]:
        image = picture(seed, width, height)
        image.save(here / "images" / f"{name}.png")
        rows[name] = {
            "plain": read(model, tokens, [image], " OCR: "),
            "format, as the authors ask": read(model, tokens, [image], "OCR with format: "),
            "tiles": read(model, tokens, tiles(image, 6), " OCR upon the patch reference: "),
        }
    report = {"reference": f"transformers {transformers.__version__}", "readings": rows}
    (here / "expected.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
