"""Makes sampling.json and text_only.json with torch 2.15 and transformers 5.23.

sampling.json: what transformers' processors leave of random scores, in the order in which `generate` applies them.
text_only.json: scores of the plain Qwen2 that the inner layers of the parity case `xomni_ar` make, for words alone.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.generation.logits_process import (
    MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

HERE = Path(__file__).parent


def sampling():
    draw = np.random.default_rng(3)
    cases = []
    for number in range(48):
        count = int(draw.integers(1, 24))
        scores = (draw.normal(size=count) * 2).astype(np.float32)
        if number % 5 == 0 and count > 4:
            scores[1::2] = scores[1]  # ties at the border of top-k
        case = {"scores": scores.tolist(), "temperature": [1.0, 0.7, 1.6][number % 3],
                "top_k": int([0, 1, 3, 50][number % 4]), "top_p": [1.0, 0.9, 0.35][number % 7 % 3],
                "min_p": [0.0, 0.03, 0.3][number % 11 % 3], "without": None, "scale": 1.0}
        x = torch.tensor(scores)[None]
        if number % 6 == 1:
            other = (draw.normal(size=count) * 2).astype(np.float32)
            case |= {"without": other.tolist(), "scale": 2.5}
            with_, without = x.log_softmax(-1), torch.tensor(other)[None].log_softmax(-1)
            x = case["scale"] * (with_ - without) + without
        if case["temperature"] != 1.0:
            x = TemperatureLogitsWarper(case["temperature"])(None, x)
        if case["top_k"]:
            x = TopKLogitsWarper(case["top_k"])(None, x)
        if case["top_p"] < 1.0:
            x = TopPLogitsWarper(case["top_p"])(None, x)
        if case["min_p"]:
            x = MinPLogitsWarper(case["min_p"])(None, x)
        cases.append(case | {"probabilities": x.softmax(-1)[0].tolist()})
    (HERE / "sampling.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


def text_only():
    folder = HERE.parent / "parity/xomni_ar/checkpoint"
    cfg = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "model.safetensors")
    kept = range(cfg["num_mm_adap_layers"], cfg["num_hidden_layers"] - cfg["num_mm_head_layers"])
    fields = ("vocab_size", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads", "rms_norm_eps")
    plain = Qwen2ForCausalLM(Qwen2Config(
        **{name: cfg[name] for name in fields}, num_hidden_layers=len(kept), tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": cfg["rope_theta"]})).eval()
    state = {"model.embed_tokens.weight": weights["model.lm_embed_tokens.weight"],
             "model.norm.weight": weights["model.lm_norm.weight"], "lm_head.weight": weights["lm_head.weight"]}
    for new, old in enumerate(kept):
        mark = f"model.layers.{old}."
        state |= {f"model.layers.{new}." + k.removeprefix(mark): v for k, v in weights.items() if k.startswith(mark)}
    plain.load_state_dict(state)
    ids = np.random.default_rng(4).integers(0, cfg["vocab_size"], 11)
    with torch.no_grad():
        logits = plain(torch.tensor(ids)[None]).logits[0]
        new, seen = [], torch.tensor(ids)[None]
        for _ in range(7):
            new.append(int(plain(seen).logits[0, -1].argmax()))
            seen = torch.cat([seen, torch.tensor([[new[-1]]])], 1)
    text = json.dumps({"ids": ids.tolist(), "logits": logits.tolist(), "greedy_ids": new})
    (HERE / "text_only.json").write_text(text + "\n")


if __name__ == "__main__":
    sampling()
    text_only()
