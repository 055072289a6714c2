"""Steps of torch's AdamW under clip_grad_norm_, with a warm-up, a half cosine and diffusers' moving average of the weights.

    python make.py > adamw.json

The gradients are those of sum(scale * w**2 / 2 + shift * w), so that they depend on the weights.
"""

import json
import math

import torch

STEPS, WARMUP, RATE, FINAL, EMA = 12, 4, 0.05, 0.1, 0.9


def rate(step):
    if step <= WARMUP:
        return RATE * step / WARMUP
    way = min((step - WARMUP) / max(STEPS - WARMUP, 1), 1.0)
    return RATE * (FINAL + (1 - FINAL) * 0.5 * (1 + math.cos(math.pi * way)))


torch.manual_seed(3)
shapes = {"a.weight": (3, 4), "b.bias": (5,)}
weights = {name: torch.nn.Parameter(torch.randn(shape)) for name, shape in shapes.items()}
scales = {name: torch.rand(shape) * 3 for name, shape in shapes.items()}
shifts = {name: torch.randn(shape) for name, shape in shapes.items()}
first = {name: weight.detach().flatten().tolist() for name, weight in weights.items()}
averages = {name: weight.detach().clone() for name, weight in weights.items()}
optimizer = torch.optim.AdamW(weights.values(), lr=RATE, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3)
steps = []
for step in range(1, STEPS + 1):
    for group in optimizer.param_groups:
        group["lr"] = rate(step)
    optimizer.zero_grad()
    loss = sum((scales[n] * w**2 / 2 + shifts[n] * w).sum() for n, w in weights.items())
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(weights.values(), 1.5)
    optimizer.step()
    keep = min(EMA, (1 + step) / (10 + step))
    for name, weight in weights.items():
        averages[name] = keep * averages[name] + (1 - keep) * weight.detach()
    steps.append({"learning_rate": rate(step), "gradient": norm.item()})


def flat(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


json.dump(
    {
        "shapes": shapes,
        "first": first,
        "scales": flat(scales),
        "shifts": flat(shifts),
        "steps": steps,
        "weights": flat(weights),
        "averages": flat(averages),
    },
    __import__("sys").stdout,
    indent=1,
)
print()
