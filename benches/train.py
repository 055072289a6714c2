"""Training steps a second: `unigauge train` and the same networks in PyTorch in turn, same sizes, batch, threads and precision.

    pip install torch diffusers transformers
    cargo build
    python benches/train.py target/debug/unigauge [--rounds 3] [--steps 60] [--json FILE] mini-vae mini-flux

Each round runs our training for so many steps in a process of its own, then Python here (after five steps to warm up): forward
and backward pass, clipping, AdamW, moving average. Ours draws and encodes its pictures in that time; PyTorch is handed random
numbers, which is to its advantage. The ratio is ours to PyTorch's, of the medians over all rounds.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import torch

WARM = 5


def vae(training):
    from diffusers import AutoencoderKL
    network, batch = training["network"], training["batch"]
    blocks = len(network["block_out_channels"])
    model = AutoencoderKL(**network, use_quant_conv=False, use_post_quant_conv=False,
                          down_block_types=["DownEncoderBlock2D"] * blocks, up_block_types=["UpDecoderBlock2D"] * blocks)
    weight = training["settings"]

    def loss():
        x = torch.rand(batch, 3, 32, 32) * 2 - 1
        posterior = model.encode(x).latent_dist
        error = model.decode(posterior.sample()).sample - x
        return (weight["l1"] * error.abs().mean() + weight["l2"] * error.square().mean()
                + weight["kl"] * posterior.kl().mean() / posterior.mean[0].numel())

    return model, loss


class Flux(torch.nn.Module):
    def __init__(self, network):
        from diffusers import FluxTransformer2DModel
        from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel
        super().__init__()
        self.transformer = FluxTransformer2DModel(patch_size=1, **network["transformer"])
        self.clip = CLIPTextModel(CLIPTextConfig(**network["text_encoder"]))
        self.t5 = T5EncoderModel(T5Config(dropout_rate=0.0, **network["text_encoder_2"]))


def flux(training):
    network, batch = training["network"], training["batch"]
    model = Flux(network)
    words, length = network["text_encoder_2"]["vocab_size"], training["settings"]["max_sequence_length"]
    eos, pooled_length = network["text_encoder"]["eos_token_id"], network["text_encoder"]["max_position_embeddings"]
    ids = torch.zeros(16, 3)
    ids[:, 1], ids[:, 2] = torch.arange(16) // 4, torch.arange(16) % 4

    def loss():
        x = torch.randn(batch, 16, network["transformer"]["in_channels"])
        noise, sigma = torch.randn_like(x), torch.rand(batch)
        states = model.t5(input_ids=torch.randint(1, words, (batch, length))).last_hidden_state
        clip_ids = torch.randint(1, words - 2, (batch, pooled_length))
        clip_ids[:, -1] = eos
        pooled = model.clip(clip_ids).pooler_output
        spread = sigma[:, None, None]
        predicted = model.transformer(
            hidden_states=(1 - spread) * x + spread * noise, encoder_hidden_states=states, pooled_projections=pooled,
            timestep=sigma, img_ids=ids, txt_ids=torch.zeros(length, 3), return_dict=False)[0]
        return (predicted - (noise - x)).square().mean()

    return model, loss


BUILD = {"vae": vae, "flux": flux}


def theirs(training, steps):
    torch.manual_seed(0)
    model, loss = BUILD[training["task"]](training)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=training["optimizer"]["learning_rate"])
    averages = [p.detach().clone() for p in parameters]
    start = None
    for step in range(WARM + steps):
        if step == WARM:
            start = time.perf_counter()
        optimizer.zero_grad()
        loss().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, parameters, 0.001)
    return steps / (time.perf_counter() - start), sum(p.numel() for p in parameters)


def ours(program, name, steps):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "train", name, "--set", f"steps={steps}", "--out", f"{folder}/out", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        record = json.loads((Path(folder) / "out/training.json").read_text())
    return record["steps"] / record["seconds"], record["parameters"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("trainings", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    configs = Path(__file__).parent.parent / "configs/training"
    report = {}
    for name in args.trainings:
        training = tomllib.loads((configs / f"{name}.toml").read_text())
        if training["task"] not in BUILD:
            sys.exit(f"{name}: there is no PyTorch twin of the task `{training['task']}`; there are: {', '.join(BUILD)}")
        speeds = {"unigauge": [], "pytorch": []}
        for _ in range(args.rounds):
            speed, own = ours(args.program, name, args.steps)
            speeds["unigauge"].append(speed)
            speed, other = theirs(training, args.steps)
            speeds["pytorch"].append(speed)
        medians = {who: statistics.median(all) for who, all in speeds.items()}
        ratio = medians["unigauge"] / medians["pytorch"]
        report[name] = {**speeds, "ratio": ratio, "parameters": {"unigauge": own, "pytorch": other}}
        print(f"{name}: unigauge {medians['unigauge']:.2f} steps/s ({own:,} parameters), PyTorch {torch.__version__} "
              f"{medians['pytorch']:.2f} ({other:,}), ratio {ratio:.2f}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
