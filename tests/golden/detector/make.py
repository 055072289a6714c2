"""Tiny random checkpoints for the observer geneval-detector, pictures, and what it must see in them.

    pip install torch transformers pillow numpy torchvision
    python make.py

The networks are transformers' own; the steps around them are written here after mmdetection 2.28.2's test pipeline and
MaskFormerFusionHead.instance_postprocess, and GenEval's evaluate_images.py (af4902f) with open_clip's transform. The
resize is OpenCV's fixed-point bilinear one, written out (tests/golden/ppocr compares our own with OpenCV itself).
"""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torchvision import transforms
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer, Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

HERE = Path(__file__).parent
RELEASED = json.loads((HERE / "../../../configs/released/mask2former-swin-s.json").read_text())
COLORS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white"]
RENAMED = {"mouse": "computer mouse", "remote": "tv remote", "keyboard": "computer keyboard"}
torch.manual_seed(7)
torch.set_num_threads(2)


def randomise(model, std):
    for name, p in model.named_parameters():
        if p.dim() == 1 and "norm" in name and name.endswith("weight"):
            torch.nn.init.normal_(p, 1, 0.1)
        else:
            torch.nn.init.normal_(p, 0, std)
    return model.eval()


def detector():
    config = dict(RELEASED)
    config["backbone_config"] = dict(config["backbone_config"], embed_dim=8, depths=[1, 1, 2, 1], num_heads=[1, 2, 2, 4])
    config.update(feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=24, dim_feedforward=24,
                  encoder_layers=1, decoder_layers=4, num_attention_heads=4, num_queries=12)
    backbone = {k: v for k, v in config["backbone_config"].items() if k != "model_type"}
    own = {k: v for k, v in config.items() if k not in ("model_type", "backbone_config", "id2label")}
    model = randomise(Mask2FormerForUniversalSegmentation(
        Mask2FormerConfig(backbone_config=SwinConfig(**backbone), num_labels=80, **own)), 0.12)
    with torch.no_grad():
        # Queries, classes and masks that differ from each other.
        tuned = dict(model.named_parameters())
        model.class_predictor.weight.mul_(12)
        for name in ("queries_features", "queries_embedder"):
            tuned[f"model.transformer_module.{name}.weight"].mul_(12)
        tuned["model.pixel_level_module.decoder.mask_projection.weight"].mul_(6)
        tuned["model.transformer_module.decoder.mask_predictor.mask_embedder.2.0.weight"].mul_(6)
    model.save_pretrained(HERE / "mask2former")
    (HERE / "mask2former/config.json").write_text(json.dumps(config, indent=1) + "\n")
    return model, config


def clip():
    folder = HERE / "clip"
    folder.mkdir(exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(HERE / "../tokenizer/clip" / name, folder / name)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    vocabulary = len(json.loads((folder / "vocab.json").read_text()))
    tower = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, hidden_act="quick_gelu")
    config = CLIPConfig(projection_dim=12, vision_config=dict(tower, image_size=42, patch_size=14),
                        text_config=dict(tower, vocab_size=vocabulary, max_position_embeddings=77, eos_token_id=2))
    model = randomise(CLIPModel(config), 0.4)
    model.save_pretrained(folder)
    return model, tokenizer


def cv2_linear(image, width, height):
    h, w, _ = image.shape

    def taps(n_in, n_out, columns):
        d = np.arange(n_out)
        f = ((d + 0.5) * (1 / (n_out / n_in)) - 0.5).astype(np.float32)
        s = np.floor(f).astype(int)
        f = (f - s).astype(np.float32)
        if columns:
            low, high = s < 0, s >= n_in - 1
            s, f = np.where(low, 0, np.where(high, n_in - 1, s)), np.where(low | high, np.float32(0), f)
        a0, a1 = np.rint((1 - f) * np.float32(2048)).astype(int), np.rint(f * np.float32(2048)).astype(int)
        return np.clip(s, 0, n_in - 1), np.clip(s + 1, 0, n_in - 1), a0, a1

    x0, x1, a0, a1 = taps(w, width, True)
    y0, y1, b0, b1 = taps(h, height, False)
    rows = image[:, x0].astype(int) * a0[None, :, None] + image[:, x1].astype(int) * a1[None, :, None]
    upper, lower = rows[y0] >> 4, rows[y1] >> 4
    out = ((b0[:, None, None] * upper) >> 16) + ((b1[:, None, None] * lower) >> 16)
    return np.clip((out + 2) >> 2, 0, 255).astype(np.uint8)


def detect(model, image):
    """mmdetection's result as (label, query, score, box) and the masks at the picture's size."""
    h, w, _ = image.shape
    scale = min(1333 / max(h, w), 800 / min(h, w))
    rw, rh = int(w * scale + 0.5), int(h * scale + 0.5)
    resized = cv2_linear(image, rw, rh)
    ph, pw = math.ceil(rh / 32) * 32, math.ceil(rw / 32) * 32
    padded = np.full((ph, pw, 3), 128, np.uint8)
    padded[:rh, :rw] = resized
    mean, std = np.float32([123.675, 116.28, 103.53]), np.float64([58.395, 57.12, 57.375])
    x = ((padded.astype(np.float32) - mean) * (1 / std).astype(np.float32)).astype(np.float32)
    with torch.no_grad():
        out = model(torch.from_numpy(x).permute(2, 0, 1)[None])
    masks = F.interpolate(out.masks_queries_logits, size=(ph, pw), mode="bilinear", align_corners=False)[:, :, :rh, :rw]
    masks = F.interpolate(masks, size=(h, w), mode="bilinear", align_corners=False)[0]
    scores, index = out.class_queries_logits[0].softmax(-1)[:, :80].flatten().topk(100)
    found = []
    for score, i in zip(scores, index):
        query, label = i.item() // 80, i.item() % 80
        binary = (masks[query] > 0).float()
        score = score * (masks[query].sigmoid() * binary).sum() / (binary.sum() + 1e-6)
        if binary.sum() > 0 and score > 0.05:
            ys, xs = torch.where(binary > 0)
            box = [xs.min().item(), ys.min().item(), xs.max().item() + 1, ys.max().item() + 1]
            found.append((label, query, score.item(), box))
    return sorted(found, key=lambda f: -f[2]), masks > 0


def color(model, tokenizer, name, image, mask, box, crop=True, background=(153, 153, 153)):
    unit = lambda v: v / v.norm(dim=-1, keepdim=True)
    with torch.no_grad():
        texts = [[f"a photo of a {c} {name}", f"a photo of a {c}-colored {name}", f"a photo of a {c} object"] for c in COLORS]
        w = torch.stack([unit(unit(model.get_text_features(**tokenizer(t, padding="max_length", max_length=77,
                        return_tensors="pt")).pooler_output).mean(0)) for t in texts])
        alone = Image.composite(image, Image.new("RGB", image.size, background), Image.fromarray(mask.numpy()))
        alone = alone.crop(box) if crop else alone
        side = model.config.vision_config.image_size
        transform = transforms.Compose([
            transforms.Resize(side, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(side), transforms.ToTensor(),
            transforms.Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))])
        seen = unit(model.get_image_features(pixel_values=transform(alone)[None]).pooler_output)
        return (100 * seen @ w.T)[0]


def pictures():
    rng = np.random.default_rng(3)
    for number, (w, h) in enumerate([(96, 72), (61, 90), (128, 128), (150, 40)]):
        base = np.stack([np.linspace(a, b, w)[None].repeat(h, 0) for a, b in rng.integers(20, 235, (3, 2))], -1)
        image = Image.fromarray(np.clip(base + rng.normal(0, 12, base.shape), 0, 255).astype(np.uint8))
        draw = ImageDraw.Draw(image)
        draw.ellipse([w // 8, h // 6, w // 2, h - h // 4], fill=tuple(map(int, rng.integers(0, 255, 3))))
        draw.rectangle([w * 5 // 8, h // 3, w - w // 8, h - h // 8], fill=tuple(map(int, rng.integers(0, 255, 3))))
        yield number, image


def main():
    model, config = detector()
    encoder, tokenizer = clip()
    folder = HERE / "images"
    folder.mkdir(exist_ok=True)
    lines = []
    for number, image in pictures():
        image.save(folder / f"{number}.png")
        found, masks = detect(model, np.asarray(image))
        names = [config["id2label"][str(label)] for label, *_ in found]
        names = [RENAMED.get(name, name) for name in names]
        assert found, f"picture {number}: nothing found"
        margins = [abs(f[2] - 0.05) for f in found]
        assert min(margins) > 1e-3, margins
        wanted = names[0]
        detections = []
        for (label, query, score, box), name in zip(found, names):
            one = {"class": name, "score": score, "box": box}
            if name == wanted:
                scores = color(encoder, tokenizer, name, image, masks[query], box)
                one["color"] = COLORS[scores.argmax().item()]
                one["color_scores"] = dict(zip(COLORS, scores.tolist()))
            detections.append(one)
        lines.append({"picture": f"{number}.png", "color_of": wanted, "width": image.width, "height": image.height,
                      "detections": detections})
        print(number, image.size, len(detections), [(d["class"], round(d["score"], 3), d["box"], d.get("color")) for d in detections][:4])
    (HERE / "expected.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


main()
