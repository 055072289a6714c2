"""What clip-score and hpsv2 must say of the pictures here: scores.json, and a tiny open_clip checkpoint for hpsv2.

    pip install torch transformers open_clip_torch pillow torchvision safetensors
    python scores.py                # after make.py

clip-score: transformers' CLIPModel behind torchvision's transform on Pillow pictures. hpsv2: open_clip's CLIP behind the
authors' transform (to tensor, bicubic resize of the tensor, centre crop), with and without antialiasing.
"""

import json
import shutil
from pathlib import Path

import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision import transforms as T
from torchvision.transforms import functional as TF
from transformers import CLIPModel, CLIPTokenizer

HERE = Path(__file__).parent
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
PROMPTS = ["a photo of a red cat", "the cat's 12 cats!", "?", "two blue bars on the wall " * 6]
torch.manual_seed(11)


def tiny():
    folder = HERE / "hpsv2"
    folder.mkdir(exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(HERE / "clip" / name, folder / name)
    vocabulary = len(json.loads((folder / "vocab.json").read_text()))
    config = {"embed_dim": 12, "vision_cfg": {"image_size": 28, "layers": 2, "width": 24, "head_width": 8, "patch_size": 14},
              "text_cfg": {"context_length": 77, "vocab_size": vocabulary, "width": 16, "heads": 2, "layers": 2}}
    model = open_clip.model.CLIP(config["embed_dim"], config["vision_cfg"], config["text_cfg"]).eval()
    for name, p in model.named_parameters():
        norm = ".ln_" in name or name.startswith("ln_")
        torch.nn.init.normal_(p, 1 if norm and name.endswith("weight") else 0, 0.3)
    state = {k: v.contiguous() for k, v in model.state_dict().items() if k != "attn_mask"}
    save_file(state, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}) + "\n")
    return model


def main():
    clip, own = CLIPModel.from_pretrained(HERE / "clip").eval(), tiny()
    tokenizer = CLIPTokenizer.from_pretrained(HERE / "clip")
    unit = lambda v: v / v.norm(dim=-1, keepdim=True)
    items = []
    for number, prompt in enumerate(PROMPTS):
        image = Image.open(HERE / f"images/{number}.png").convert("RGB")
        ids = tokenizer(prompt, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids
        item = {"id": str(number), "prompt": prompt}
        with torch.no_grad():
            side = clip.config.vision_config.image_size
            transform = T.Compose([T.Resize(side, T.InterpolationMode.BICUBIC), T.CenterCrop(side), T.ToTensor(), T.Normalize(MEAN, STD)])
            seen = unit(clip.get_image_features(pixel_values=transform(image)[None]).pooler_output)
            item["clip_t"] = (seen @ unit(clip.get_text_features(input_ids=ids).pooler_output).T).item()
            for key, antialias in (("hpsv2", True), ("hpsv2_plain", False)):
                x = TF.to_tensor(image)
                h, w = x.shape[1:]
                size = (28, int(28 * w / h)) if h <= w else (int(28 * h / w), 28)
                x = torch.nn.functional.interpolate(x[None], size, mode="bicubic", align_corners=False, antialias=antialias)[0]
                x = TF.normalize(TF.center_crop(x, 28), MEAN, STD)
                seen = unit(own.encode_image(x[None]))
                item[key] = (seen @ unit(own.encode_text(ids)).T).item()
        items.append(item)
        print(item)
    (HERE / "scores.json").write_text(json.dumps({"items": items}, indent=1) + "\n")


main()
