"""The quantizer of X-Omni's tokenizer while it learns (index backpropagation), in torch, with its gradients.

    python ibq.py > ibq.json

Written after the formulas: d = |z|^2 + |e|^2 - 2 z e with z and e of length one, logits -d / tau, a straight-through
one-hot over the raw codebook, three squared distances, and samples that are not quantized. The gradients are those of the
loss plus the sum of the rows that are decoded times fixed numbers.
"""

import json
import sys

import torch
import torch.nn.functional as F

TAU, BETA = 2.0, 0.25
BATCH, LENGTH, WIDTH, DIM, CODES = 3, 4, 6, 5, 7

torch.manual_seed(11)
features = torch.randn(BATCH, LENGTH, WIDTH)
weight = torch.nn.Parameter(torch.randn(DIM, WIDTH) * 0.5)
bias = torch.nn.Parameter(torch.randn(DIM) * 0.1)
embedding = torch.nn.Parameter(torch.randn(CODES, DIM))
skipped = [False, True, False]
factors = torch.randn(BATCH, LENGTH, DIM)

first = {"weight": weight.detach().clone(), "bias": bias.detach().clone(), "embedding": embedding.detach().clone()}
z = F.normalize(features.reshape(-1, WIDTH) @ weight.T + bias, dim=-1)
e = F.normalize(embedding, dim=-1)
d = z.pow(2).sum(1, keepdim=True) + e.pow(2).sum(1) - 2 * z @ e.T
soft = torch.softmax(-d / TAU, dim=-1)
codes = d.argmin(dim=-1)
hard = F.one_hot(codes, CODES).float()
one_hot = hard - soft.detach() + soft
z_q = one_hot @ embedding
z_q2 = hard @ embedding
parts = [
    (z_q - z).pow(2).mean(),
    (z_q2.detach() - z).pow(2).mean(),
    BETA * (z_q2 - z.detach()).pow(2).mean(),
]
loss = sum(parts)
skip = torch.tensor(skipped).reshape(BATCH, 1, 1)
rows = torch.where(skip, z.reshape(BATCH, LENGTH, DIM), z_q.reshape(BATCH, LENGTH, DIM))
(loss + (rows * factors).sum()).backward()


def flat(tensor):
    return tensor.detach().flatten().tolist()


json.dump(
    {
        "sizes": {"batch": BATCH, "length": LENGTH, "width": WIDTH, "dim": DIM, "codes": CODES},
        "temperature": TAU,
        "commitment": BETA,
        "skipped": skipped,
        "features": flat(features),
        "factors": flat(factors),
        "first": {name: flat(tensor) for name, tensor in first.items()},
        "loss": loss.item(),
        "parts": [part.item() for part in parts],
        "codes": codes.tolist(),
        "rows": flat(rows),
        "gradients": {"weight": flat(weight.grad), "bias": flat(bias.grad), "embedding": flat(embedding.grad)},
    },
    sys.stdout,
    indent=1,
)
print()
