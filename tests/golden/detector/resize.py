"""PyTorch's bicubic resizes of a made picture: resize.json. Run: python resize.py"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

x, y, c = torch.meshgrid(torch.arange(7), torch.arange(5), torch.arange(3), indexing="ij")
image = ((x * 37 + y * 91 + c * 53) % 256).permute(2, 1, 0)[None].float() / 255
cases = []
for w, h in [(3, 4), (7, 3), (10, 9)]:
    for antialias in (False, True):
        out = F.interpolate(image, (h, w), mode="bicubic", align_corners=False, antialias=antialias)
        cases.append({"width": w, "height": h, "antialias": antialias, "values": [round(v, 7) for v in out.flatten().tolist()]})
(Path(__file__).parent / "resize.json").write_text(json.dumps(cases) + "\n")
