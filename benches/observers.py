"""Pictures by second: our observers and the Python implementations on the same random weights and pictures, in turn.

    pip install torch torchvision transformers open_clip_torch pillow
    cargo build --config profile.dev.package.unigauge.opt-level=3
    python benches/observers.py target/debug/unigauge [--rounds 3] [--pictures 4] [--device cpu] geneval-detector clip-score hpsv2

Python makes released-size checkpoints with random weights and pictures of 512x512. Ours looks at them through
`unigauge observe`, once at a fourth and once at all of the pictures: the difference leaves out start and loading. Python
does the same steps (decode, prepare, networks, instances) in f32, one picture at a time. `geneval-detector` is compared
without colours, which need words of the items. mPLUG has no implementation in transformers and is not compared.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "configs" / "released"


def tokenizer(folder):
    """One token a character: the words' meaning does not matter for time."""
    folder.mkdir(parents=True, exist_ok=True)
    vocab = {chr(c): i for i, c in enumerate(range(32, 127))}
    vocab |= {chr(c) + "</w>": 200 + i for i, c in enumerate(range(32, 127))}
    vocab |= {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    added = [{"id": vocab[t], "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for t in ("<|startoftext|>", "<|endoftext|>")]
    model = {"type": "BPE", "dropout": None, "unk_token": "<|endoftext|>", "continuing_subword_prefix": None,
             "end_of_word_suffix": "</w>", "fuse_unk": False, "byte_fallback": False, "vocab": vocab, "merges": []}
    (folder / "tokenizer.json").write_text(json.dumps(
        {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
         "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}))


def clip(folder):
    from transformers import CLIPConfig, CLIPModel
    model = CLIPModel(CLIPConfig(**json.loads((RELEASED / "clip-vit-l-14.json").read_text()))).eval()
    model.save_pretrained(folder)
    tokenizer(folder)
    return model


def open_clip(folder):
    import open_clip as library
    config = json.loads((RELEASED / "open-clip-vit-h-14.json").read_text())
    own = config.get("model_cfg", config)
    model = library.CLIP(**own).eval()
    folder.mkdir(parents=True)
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    tokenizer(folder)
    return model


def mask2former(folder):
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig
    config = json.loads((RELEASED / "mask2former-swin-s.json").read_text())
    own = {k: v for k, v in config.items() if k not in ("model_type", "backbone_config")}
    backbone = {k: v for k, v in config["backbone_config"].items() if k != "model_type"}
    own["id2label"] = {int(k): v for k, v in own["id2label"].items()}
    model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(backbone_config=SwinConfig(**backbone), **own)).eval()
    model.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config))
    return model


CLIP = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def pixels(path, size, norm, device):
    from torchvision.transforms import functional as f
    image = f.resize(Image.open(path).convert("RGB"), size, f.InterpolationMode.BICUBIC)
    return f.normalize(f.to_tensor(image), norm["mean"], norm["std"])[None].to(device)


def python_of(name, model, device):
    model = model.to(device)
    # As many tokens as our tokenizer makes of the prompt.
    ids = torch.ones(1, 77, dtype=torch.long, device=device)
    if name == "clip-score":
        def look(path):
            seen = model.get_image_features(pixels(path, 224, CLIP, device))
            return seen, model.get_text_features(ids)
    elif name == "hpsv2":
        def look(path):
            return model.encode_image(pixels(path, 224, CLIP, device)), model.encode_text(ids)
    else:
        from transformers import Mask2FormerImageProcessor
        after = Mask2FormerImageProcessor()

        def look(path):
            # mmdetection's short side of 800 pixels.
            out = model(pixels(path, 800, IMAGENET, device))
            return after.post_process_instance_segmentation(out, threshold=0.05, target_sizes=[(512, 512)])
    return look


SETTING = {"geneval-detector": "detector", "clip-score": "clip", "hpsv2": "checkpoint"}
MAKE = {"geneval-detector": mask2former, "clip-score": clip, "hpsv2": open_clip}


def ours(program, folder, name, count, device):
    lines = [json.dumps({"id": f"i{i}", "prompt": "a photo of a bench", "tag": "single_object",
                         "include": [{"class": "bench", "count": 1}]}) for i in range(count)]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    settings = f'{SETTING[name]} = "{folder / name}"\n'
    if name == "geneval-detector":
        settings += f'clip = "{folder / "clip-score"}"\n'
    rule = "geneval" if name == "geneval-detector" else "measure"
    option = "" if name == "geneval-detector" else ('options = { key = "clip_t" }\n' if name == "clip-score" else 'options = { key = "hpsv2" }\n')
    (folder / "own.toml").write_text(
        f'name = "own"\nversion = "1"\ntitle = "Own"\ntask = "text-to-image"\nobservers = ["{name}"]\n\n[items]\n'
        f'file = "items.jsonl"\n\n[items.map]\nexpect = "*"\n\n[grade]\nrule = "{rule}"\n{option}\n[observe.{name}]\n{settings}')
    images = folder / f"images{count}"
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        done = subprocess.run([program, "observe", "--suite", folder / "own.toml", "--images", images, "--device", device,
                               "--out", out], capture_output=True, text=True)
        took = time.perf_counter() - start
        seen = sum(1 for path in Path(out).rglob("evidence.jsonl") for line in open(path) if '"evidence"' in line)
    if seen != count:
        raise SystemExit(f"{name}: {seen} of {count} pictures observed\n{done.stderr}")
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("observers", nargs="+", choices=list(MAKE))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=4, help="all of them; a fourth is the shorter run")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()
    few, many = max(1, args.pictures // 4), max(2, args.pictures)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        folder = Path(folder)
        generator = numpy.random.default_rng(0)
        for count in (few, many):
            (folder / f"images{count}").mkdir()
            for i in range(count):
                Image.fromarray(generator.integers(0, 256, (512, 512, 3), "uint8")).save(folder / f"images{count}/i{i}.png")
        for name in args.observers:
            if name == "geneval-detector" and not (folder / "clip-score").exists():
                clip(folder / "clip-score")
            look = python_of(name, MAKE[name](folder / name), args.device)
            look(folder / f"images{many}/i0.png")
            rates = {"ours": [], "python": []}
            for _ in range(args.rounds):
                took = ours(args.program, folder, name, many, args.device) - ours(args.program, folder, name, few, args.device)
                rates["ours"].append((many - few) / took)
                start = time.perf_counter()
                for i in range(many - few):
                    look(folder / f"images{many}/i{i}.png")
                if args.device == "cuda":
                    torch.cuda.synchronize()
                rates["python"].append((many - few) / (time.perf_counter() - start))
            ours_rate, python_rate = (statistics.median(rates[side]) for side in ("ours", "python"))
            print(f"{name}: ours {ours_rate:.3f}, Python {python_rate:.3f} pictures/s, ratio {ours_rate / python_rate:.2f} "
                  f"({args.device}, median of {args.rounds})", flush=True)


if __name__ == "__main__":
    main()
