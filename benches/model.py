"""Seconds by phase: our networks and the Python implementations in turn, same configuration, sizes and threads.

    pip install torch diffusers transformers
    cargo build --config profile.dev.package.unigauge.opt-level=3
    python benches/model.py target/debug/unigauge [--rounds 3] [--json FILE] flux flux-vae siglip qwen2.5-vl qwen3-vl clip \\
        mask2former sd-unet sd3 qwen-image xomni-ar xomni-decoder

Each round runs our program in a process of its own, then Python here (in f32, the median of three after one to warm up);
the ratio is of the medians over all rounds. Weights are random on both sides. The prefill includes the vision tower on
both. Arguments after `--` go to `unigauge bench model`, such as `--size 256x256`.

    python benches/model.py --theirs REPORT.json [--repeats 3]

times Python alone, on the device and in the number format of a report that `unigauge bench model --out` wrote, and prints
the seconds by phase as JSON.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch


def finished():
    """Waits for the GPU, if there is one."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def clock(work, repeats):
    with torch.no_grad():
        work()
        took = []
        for _ in range(repeats):
            finished()
            start = time.perf_counter()
            work()
            finished()
            took.append(time.perf_counter() - start)
    return statistics.median(took)


def flux(config, shapes):
    from diffusers import FluxTransformer2DModel
    model = FluxTransformer2DModel(**config).eval()
    n, t = shapes["image_tokens"], shapes["text_tokens"]
    columns = shapes["width"] // 16
    ids = torch.zeros(n, 3)
    ids[:, 1], ids[:, 2] = torch.arange(n) // columns, torch.arange(n) % columns
    x, text = torch.randn(1, n, config["in_channels"]), torch.randn(1, t, config["joint_attention_dim"])
    pooled = torch.randn(1, config["pooled_projection_dim"])

    def step():
        v = model(hidden_states=x, encoder_hidden_states=text, pooled_projections=pooled, timestep=torch.tensor([0.9]),
                  guidance=torch.tensor([3.5]), img_ids=ids, txt_ids=torch.zeros(t, 3), return_dict=False)[0]
        return x + (0.85 - 0.9) * v

    def picture():
        for _ in range(shapes["steps"]):
            step()

    return {"step": step, "picture": picture} if "steps" in shapes else {"step": step}


def flux_vae(config, shapes):
    from diffusers import AutoencoderKL
    blocks = len(config["block_out_channels"])
    types = {"down_block_types": ["DownEncoderBlock2D"] * blocks, "up_block_types": ["UpDecoderBlock2D"] * blocks}
    model = AutoencoderKL(**{**types, **config}).eval()
    h, w = shapes["latent_height"], shapes["latent_width"]
    z = torch.randn(1, config["latent_channels"], h, w)
    scale = 2 ** (blocks - 1)
    pixels = torch.randn(1, 3, scale * h, scale * w)
    return {"decode": lambda: model.decode(z).sample, "encode": lambda: model.encode(pixels).latent_dist.mean}


def siglip(config, shapes):
    from transformers import SiglipVisionConfig, SiglipVisionModel
    config = config.get("vision_config", config)
    model = SiglipVisionModel(SiglipVisionConfig(**config, vision_use_head=False)).eval()
    side = config["image_size"]
    pixels = torch.randn(shapes.get("batch", 1), 3, side, side)
    return {"forward": lambda: model(pixels).last_hidden_state}


def clip(config, shapes):
    from transformers import CLIPConfig, CLIPModel
    model = CLIPModel(CLIPConfig(**config)).eval()
    side = config["vision_config"]["image_size"]
    batch = shapes.get("batch", 1)
    pixels = torch.randn(batch, 3, side, side)
    ids = torch.ones(batch, config["text_config"]["max_position_embeddings"], dtype=torch.long)
    return {"image": lambda: model.get_image_features(pixels), "text": lambda: model.get_text_features(ids)}


def mask2former(config, shapes):
    from transformers import Mask2FormerConfig, Mask2FormerModel, SwinConfig
    own = {k: v for k, v in config.items() if k not in ("model_type", "backbone_config", "id2label")}
    backbone = {k: v for k, v in config["backbone_config"].items() if k != "model_type"}
    config = Mask2FormerConfig(backbone_config=SwinConfig(**backbone), num_labels=len(config["id2label"]), **own)
    # Mask2FormerForUniversalSegmentation is these two and a loss, for which it wants scipy.
    model, classes = Mask2FormerModel(config).eval(), torch.nn.Linear(config.hidden_dim, config.num_labels + 1)
    pixels = torch.randn(shapes.get("batch", 1), 3, shapes["height"], shapes["width"])

    def forward():
        found = model(pixels, output_hidden_states=True)
        return [classes(state.transpose(0, 1)) for state in found.transformer_decoder_intermediate_states]

    return {"forward": forward}


def sd_unet(config, shapes):
    from diffusers import EulerDiscreteScheduler, UNet2DConditionModel
    model = UNet2DConditionModel.from_config(config).eval()
    h, w = shapes["height"] // 8, shapes["width"] // 8
    x = torch.randn(1, config["in_channels"], h, w)
    text = torch.randn(2, shapes["text_tokens"], config["cross_attention_dim"])
    added = None
    if config.get("addition_embed_type") == "text_time":
        width = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
        sizes = torch.tensor([[8.0 * h, 8.0 * w, 0, 0, 8.0 * h, 8.0 * w]] * 2)
        added = {"text_embeds": torch.randn(2, width), "time_ids": sizes}
    scheduler = EulerDiscreteScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
    scheduler.set_timesteps(50)
    time, sigma, following = scheduler.timesteps[0], scheduler.sigmas[0], scheduler.sigmas[1]

    def step():
        scaled = x / (sigma ** 2 + 1) ** 0.5
        both = model(torch.cat([scaled, scaled]), time, encoder_hidden_states=text, added_cond_kwargs=added).sample
        without, given = both.chunk(2)
        return x + (following - sigma) * (without + 7.5 * (given - without))

    return {"step": step}


def sd3(config, shapes):
    from diffusers import SD3Transformer2DModel
    model = SD3Transformer2DModel.from_config(config).eval()
    h, w = shapes["height"] // 8, shapes["width"] // 8
    x = torch.randn(1, config["in_channels"], h, w)
    text = torch.randn(2, shapes["text_tokens"], config["joint_attention_dim"])
    pooled, time = torch.randn(2, config["pooled_projection_dim"]), torch.tensor([900.0, 900.0])

    def step():
        both = model(hidden_states=torch.cat([x, x]), timestep=time, encoder_hidden_states=text,
                     pooled_projections=pooled, return_dict=False)[0]
        without, given = both.chunk(2)
        return x + (0.85 - 0.9) * (without + 4.5 * (given - without))

    return {"step": step}


def qwen_image(config, shapes):
    from diffusers import QwenImageTransformer2DModel
    model = QwenImageTransformer2DModel.from_config(config).eval()
    n, t = shapes["image_tokens"], shapes["text_tokens"]
    x, text = torch.randn(1, n, config["in_channels"]), torch.randn(1, t, config["joint_attention_dim"])
    time = torch.tensor([0.9])
    places = [[(1, shapes["height"] // 16, shapes["width"] // 16)]]

    def branch():
        return model(hidden_states=x, timestep=time, encoder_hidden_states=text, img_shapes=places, return_dict=False)[0]

    def step():
        given, without = branch(), branch()
        both = without + 4.0 * (given - without)
        both = both * (given.norm(dim=-1, keepdim=True) / both.norm(dim=-1, keepdim=True))
        return x + (0.85 - 0.9) * both

    return {"step": step}


def qwen2_5_vl(config, shapes):
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
    return qwen(Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, config, shapes)


def qwen3_vl(config, shapes):
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration
    return qwen(Qwen3VLConfig, Qwen3VLForConditionalGeneration, config, shapes)


def qwen(read, build, config, shapes):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config))
        model = build(read.from_pretrained(folder)).eval()
    vision = config["vision_config"]
    patches = shapes["image_patches"]
    grid = torch.tensor([[1, shapes["height"] // vision["patch_size"], shapes["width"] // vision["patch_size"]]])
    values = 3 * vision["temporal_patch_size"] * vision["patch_size"] ** 2
    pixels = torch.randn(patches, values)
    merged = patches // vision["spatial_merge_size"] ** 2
    words = shapes["prompt_tokens"] - merged
    ids = torch.tensor([[config["image_token_id"]] * merged + [i % 100 for i in range(words)]])
    model.generation_config.eos_token_id = None

    def answer(most):
        return model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels,
                              image_grid_thw=grid, mm_token_type_ids=(ids == config["image_token_id"]).int(),
                              do_sample=False, max_new_tokens=most, min_new_tokens=most)

    many = shapes["new_tokens"]
    return {"vision": lambda: model.model.visual(pixels, grid_thw=grid), "prefill": lambda: answer(1),
            "all": lambda: answer(many)}


class XOmniAR(torch.nn.Module):
    """Qwen2's decoder layers; in the first and last few only image positions are updated. With a cache."""

    def __init__(self, c):
        super().__init__()
        from transformers import Qwen2Config
        from transformers.models.qwen2 import modeling_qwen2 as q
        fields = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                  "rms_norm_eps")
        own = Qwen2Config(vocab_size=c["vocab_size"], attn_implementation="sdpa", **{name: c[name] for name in fields},
                          rope_parameters={"rope_type": "default", "rope_theta": c["rope_theta"]})
        self.c, self.rotary = c, q.Qwen2RotaryEmbedding(own)
        width = c["hidden_size"]
        self.words = torch.nn.Embedding(c["vocab_size"], width)
        self.images = torch.nn.Embedding(c["mm_vocab_size"], width)
        self.layers = torch.nn.ModuleList(q.Qwen2DecoderLayer(own, i) for i in range(c["num_hidden_layers"]))
        self.lm_norm, self.mm_norm = q.Qwen2RMSNorm(width), q.Qwen2RMSNorm(width)
        self.mm_head = torch.nn.Linear(width, c["image_vocab_size"], bias=False)

    def forward(self, ids, cache):
        c, start, n = self.c, cache.get_seq_length(), ids.shape[1]
        image = (ids >= c["vocab_size"])[..., None]
        x = torch.where(image, self.images((ids - c["vocab_size"]).clamp(min=0)), self.words(ids.clamp(max=c["vocab_size"] - 1)))
        mask = None if n == 1 else torch.full((n, n), float("-inf")).triu(1)[None, None]
        rope = self.rotary(x, torch.arange(start, start + n)[None])
        for i, layer in enumerate(self.layers):
            y = layer(x, attention_mask=mask, position_embeddings=rope, past_key_values=cache)
            language = c["num_mm_adap_layers"] <= i < c["num_hidden_layers"] - c["num_mm_head_layers"]
            x = y if language else torch.where(image, y, x)
        last, image = x[:, -1], image[:, -1]
        return self.mm_head(torch.where(image, self.mm_norm(last), self.lm_norm(last)))


def xomni_ar(config, shapes):
    from transformers import DynamicCache
    model = XOmniAR(config).eval()
    prompt = torch.tensor([[i % 100 for i in range(shapes["prompt_tokens"])]])

    def draw(batch):
        cache = DynamicCache()
        with torch.no_grad():
            state = {"logits": model(prompt.repeat(batch, 1), cache)}

        def steps():
            for _ in range(shapes["new_tokens"]):
                best, where = state["logits"].topk(50)
                p = best.softmax(-1)
                p = torch.where(p < 0.03 * p[:, :1], 0, p)
                ids = where.gather(1, torch.multinomial(p, 1)) + config["vocab_size"]
                state["logits"] = model(ids, cache)
        return steps

    phases = {"prefill": lambda: model(prompt, DynamicCache()), "draw-1": draw(1), "draw-8": draw(8)}
    return {**phases, "draw-batch": draw(shapes["batch"])} if "batch" in shapes else phases


def xomni_decoder(config, shapes):
    from diffusers import FluxTransformer2DModel
    channels = config.get("siglip_channels", 1536)
    # What is left is FLUX.
    config = {key: value for key, value in config.items() if key not in ("siglip_channels", "drop_token_prob")}
    model = FluxTransformer2DModel(**config).eval()
    embed = torch.nn.Linear(channels, model.inner_dim, bias=False)
    n, t = shapes["image_tokens"], shapes["text_tokens"]
    columns = shapes["width"] // 16
    ids = torch.zeros(n, 3)
    ids[:, 1], ids[:, 2] = torch.arange(n) // columns, torch.arange(n) % columns
    x, text = torch.randn(1, n, config["in_channels"]), torch.randn(1, t, config["joint_attention_dim"])
    pooled, features = torch.randn(1, config["pooled_projection_dim"]), torch.randn(1, n, channels)

    def branch(condition):
        delta = embed(condition)
        hook = model.transformer_blocks[-1].register_forward_hook(lambda mod, args, out: (out[0], out[1] + delta))
        v = model(hidden_states=x, encoder_hidden_states=text, pooled_projections=pooled, timestep=torch.tensor([0.9]),
                  guidance=torch.tensor([1.0]), img_ids=ids, txt_ids=torch.zeros(t, 3), return_dict=False)[0]
        hook.remove()
        return v

    def step():
        without = branch(0 * features)
        return x + (0.85 - 0.9) * (without + 1.5 * (branch(features) - without))

    return {"step": step}


BUILD = {"clip": clip, "mask2former": mask2former, "flux": flux, "flux-vae": flux_vae, "siglip": siglip,
         "qwen2.5-vl": qwen2_5_vl, "qwen3-vl": qwen3_vl, "sd-unet": sd_unet, "sd3": sd3, "qwen-image": qwen_image, "xomni-ar": xomni_ar,
         "xomni-decoder": xomni_decoder}


def theirs(report, repeats):
    torch.manual_seed(0)
    phases = {name: clock(work, repeats) for name, work in BUILD[report["network"]](report["config"], report["shapes"]).items()}
    if "all" in phases:
        phases["decode"] = (phases.pop("all") - phases["prefill"]) / (report["shapes"]["new_tokens"] - 1)
    for name in [name for name in phases if name.startswith("draw")]:
        phases[name] /= report["shapes"]["new_tokens"]
    return phases


def theirs_alone(path, repeats):
    report = json.loads(Path(path).read_text())
    torch.set_num_threads(report["threads"])
    torch.set_default_dtype({"f32": torch.float32, "bf16": torch.bfloat16}[report["dtype"]])
    if report["device"].startswith("cuda"):
        torch.set_default_device("cuda")
    phases = theirs(report, repeats)
    print(json.dumps({"network": report["network"], "torch": torch.__version__, "dtype": report["dtype"], "phases": phases}))


def main():
    if "--theirs" in sys.argv[1:]:
        parser = argparse.ArgumentParser()
        parser.add_argument("--theirs", metavar="REPORT")
        parser.add_argument("--repeats", type=int, default=3)
        args = parser.parse_args()
        return theirs_alone(args.theirs, args.repeats)
    own, passed = sys.argv[1:], []
    if "--" in own:
        own, passed = own[:own.index("--")], own[own.index("--") + 1:]
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("networks", nargs="+", choices=sorted(BUILD))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args(own)
    rows = []
    for network in args.networks:
        ours, python = [], []
        for _ in range(args.rounds):
            command = [args.program, "--json", "--quiet", "bench", "model", network, "--device", "cpu", *passed]
            report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            if report["dtype"] != "f32":
                parser.error("Python is timed in f32: leave `--precision` out")
            torch.set_num_threads(report["threads"])
            ours.append({name: phase["median"] for name, phase in report["phases"].items()})
            python.append(theirs(report, 3))
        for phase in ours[0]:
            a, b = (statistics.median(each[phase] for each in side) for side in (ours, python))
            rows.append({"network": network, "phase": phase, "ours": a, "python": b, "ratio": a / b,
                         "shapes": report["shapes"], "threads": report["threads"]})
            print(f"{network:13} {phase:8} ours {a:9.4f} s   python {b:9.4f} s   ratio {a / b:5.2f}", flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
