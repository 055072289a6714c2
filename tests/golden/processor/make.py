"""Makes picture.png and expected.safetensors with Pillow and transformers (torch, numpy, safetensors needed).

    python make.py
"""

from pathlib import Path

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import Qwen2VLImageProcessor, SiglipImageProcessor

here = Path(__file__).parent
y, x = numpy.mgrid[0:45, 0:70]
random = numpy.random.default_rng(5).integers(0, 60, (45, 70, 3))
picture = numpy.stack([x * 2.7, y * 4.2, (x * y) % 190], -1) + random
picture = Image.fromarray(picture.clip(0, 255).astype("uint8"))
picture.save(here / "picture.png")

# smart_resize(45, 70, 28, 3136, 3136) is 56 x 56: 2.5 rounds to 2.
fetched = picture.resize((56, 56), Image.Resampling.BICUBIC)
qwen = Qwen2VLImageProcessor()(images=[fetched], do_resize=False, return_tensors="pt")

squashed = picture.resize((32, 32), Image.Resampling.BILINEAR)
processor = SiglipImageProcessor(image_mean=[0.5] * 3, image_std=[0.5] * 3)
siglip = processor(images=squashed, do_resize=False, return_tensors="pt")["pixel_values"][0]

dino = torch.tensor(numpy.array(picture.resize((28, 28), Image.Resampling.BICUBIC))).permute(2, 0, 1) / 255
mean, std = (torch.tensor(v)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))

save_file(
    {
        "pixel_values": qwen["pixel_values"].float().contiguous(),
        "grid": qwen["image_grid_thw"][0].contiguous(),
        "siglip": siglip.float().contiguous(),
        "dinov2": ((dino - mean) / std).contiguous(),
    },
    here / "expected.safetensors",
)
