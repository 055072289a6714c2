"""What `edit-similarity` must say of the pictures of ../detector: similarity.json.

    python similarity.py

with torch, torchvision, transformers, pillow and safetensors. CLIP: transformers' CLIPModel on ../detector/clip; DINO:
transformers' ViTModel on ../parity/vit/checkpoint; LPIPS: the composition of ../lpips/make.py, which is held against the
package lpips there; structure: the keys of the ViT's last layer, as PIE-Bench's script compares them.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms as T
from torchvision.transforms import functional as TF
from transformers import CLIPModel, CLIPTokenizer, ViTModel

HERE = Path(__file__).parent
GOLDEN = HERE.parent
BICUBIC = T.InterpolationMode.BICUBIC
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAPTIONS = {"input_caption": "a photo of a red cat", "output_caption": "two blue bars on the wall"}
# Left, top, right, bottom of the region to be edited.
BOX = (10, 8, 50, 40)


def module(path):
    spec = importlib.util.spec_from_file_location("lpips_make", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


clip = CLIPModel.from_pretrained(GOLDEN / "detector/clip").eval()
tokenizer = CLIPTokenizer.from_pretrained(GOLDEN / "detector/clip")
vit = ViTModel.from_pretrained(GOLDEN / "parity/vit/checkpoint", add_pooling_layer=False).eval()
lpips = module(GOLDEN / "lpips/make.py")
ALEX = GOLDEN / "parity/lpips_alex/checkpoint"
weights = [load_file(ALEX / "trunk.safetensors"), torch.load(ALEX / "linear.pth")]
keys = []
key = next(m for n, m in list(vit.named_modules())[::-1] if n.split(".")[-1] in ("key", "k_proj"))
key.register_forward_hook(lambda _, __, output: keys.append(output))


def cos(a, b):
    return torch.nn.functional.cosine_similarity(a, b, dim=-1).item()


def seen(image):
    side = clip.config.vision_config.image_size
    transform = T.Compose([T.Resize(side, BICUBIC), T.CenterCrop(side), T.ToTensor(), T.Normalize(CLIP_MEAN, CLIP_STD)])
    v = clip.get_image_features(pixel_values=transform(image)[None]).pooler_output
    return v / v.norm()


def said(text):
    ids = tokenizer(text, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids
    v = clip.get_text_features(input_ids=ids).pooler_output
    return v / v.norm()


def state(image):
    transform = T.Compose([T.Resize(256, BICUBIC), T.CenterCrop(224), T.ToTensor(), T.Normalize(MEAN, STD)])
    return vit(transform(image)[None], interpolate_pos_encoding=True).last_hidden_state[:, 0]


def distance(a, b):
    a, b = (torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1 for image in (a, b))
    return lpips.distance("alex", *weights, a, b).item()


def alike(image):
    x = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
    h, w = x.shape[-2:]
    size = (224, int(224 * w / h)) if h <= w else (int(224 * h / w), 224)
    x = torch.nn.functional.interpolate(x, size, mode="bilinear", align_corners=False)
    vit(TF.normalize(x, MEAN, STD), interpolate_pos_encoding=True)
    k = keys[-1][0]
    return torch.nn.functional.cosine_similarity(k[:, None], k[None], dim=-1)


@torch.no_grad()
def main():
    source, target, output = (Image.open(GOLDEN / f"detector/images/{n}.png").convert("RGB") for n in (0, 1, 2))
    fitted, wanted = output.resize(source.size, Image.BICUBIC), output.resize(target.size, Image.BICUBIC)
    inside = Image.new("RGB", source.size)
    inside.paste(fitted.crop(BOX), BOX[:2])
    outside = [image.copy() for image in (fitted, source)]
    for image in outside:
        image.paste((0, 0, 0), BOX)
    before, after = said(CAPTIONS["input_caption"]), said(CAPTIONS["output_caption"])
    expected = {
        "clip_i": cos(seen(output), seen(source)),
        "clip_i_target": cos(seen(output), seen(target)),
        "clip_t": cos(seen(output), after),
        "clip_dir": cos(seen(output) - seen(source), after - before),
        "clip_t_inside": cos(seen(inside), after),
        "dino": cos(state(output), state(source)),
        "dino_target": cos(state(output), state(target)),
        "lpips": distance(fitted, source),
        "lpips_target": distance(wanted, target),
        "lpips_zeroed": distance(*outside),
        "structure": (alike(fitted) - alike(source)).square().mean().item(),
    }
    text = json.dumps({"captions": CAPTIONS, "box": BOX, "expected": expected}, indent=1)
    (HERE / "similarity.json").write_text(text + "\n")
    print(text, source.size, target.size, output.size)


main()
