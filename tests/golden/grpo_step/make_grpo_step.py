#!/usr/bin/env python3
"""Steps of the task `xomni-grpo` in torch: given codes and rewards -> loss, gradient of every weight, and the weights after
AdamW.

    make_grpo_step.py --out DIR

writes `case.json`, `policy.safetensors` and `expected.safetensors`. It needs torch and transformers 4.45.

- The networks: the checkpoint of the parity case `xomni_ar` is the reference. The policy is the same with other values in a
  few matrices, which are in `policy.safetensors`. Both are layers of transformers, put together as in parity/make.py; each
  sequence is read alone.
- The drawings are in `case.json`: prompts as ids, codes, rewards (`null` is a reward that is missing). The codes are drawn
  from the policy.
- The objective: `compute` of parity/make_grpo.py gives loss, advantages, ratios and the gradient of the scores of the codes;
  torch takes that gradient on to the weights. A group without differences is left out before.
- The settings: those of configs/training/mini-xomni-grpo.toml but for the keys that TRAININGS names.

`case.json` has the numbers of each step, the drawings that count (group, member, advantage), the length of the whole gradient
after it is clipped, and of each tensor's gradient, before that, the length and the largest value. `expected.safetensors` has
log p, log p under the reference, and the ratio to the policy that drew, of the drawings that count (ordered by the length of
their prompt, then as given). Of the gradient, before it is clipped, and of the weights, after the step, it has of every tensor
with n values those at i * n // 127 for i below 127, or all if there are fewer.

All is computed in float64 but for the angles of the positions, which are float32 in every implementation. Before anything is
written it must pass: the networks give what the case `xomni_ar` expects; float32 gives nearly the same; the gradient agrees
with finite differences along random directions; every branch of the clipping is taken and no ratio lies near a bound.
"""
import argparse
import copy
import json
import math
import re
import sys
import tomllib
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import Qwen2Config
from transformers.models.qwen2 import modeling_qwen2 as qwen2

HERE = Path(__file__).resolve().parent
PARITY = HERE.parent / "parity"
sys.path.insert(0, str(PARITY))
import make_grpo  # noqa: E402

torch.set_num_threads(1)

SEED = 6
CODES = 9           # of a drawing
VALUES = 127        # of a tensor that are written; a prime, so that they lie in all rows and columns
NOTHING = 1e-6      # a smaller difference of rewards is none
MARGIN = 2e-4       # of a ratio to a bound
# What the test allows; float32 in torch is within half of it.
TOLERANCE = dict(
    number=1e-5,    # of the number, and as much of 0.01, since advantages of 1 are rounded
    score=2e-5,     # of log p and of a ratio
    gradient=2e-5,  # of the largest of its tensor
    weight=4e-7)    # of the weight, and what the gradient allows, as `allowed` says
# Of a layer for image tokens before, a layer for all tokens, and one for image tokens behind.
OTHER_VALUES = ("model.layers.0.mlp.down_proj.weight", "model.layers.3.self_attn.q_proj.weight",
                "model.layers.6.self_attn.o_proj.weight", "model.mm_norm.weight")
# What each training changes of the definition, and the rewards of its groups, anew for each drawing of all groups.
_ = None
TRAININGS = (
    dict(name="once", set={"settings.group": 4, "settings.max_missing": 0.25},
         rounds=(dict(words=(5, 3, 3, 4, 3), rewards=((0.2, _, 0.9, 0.45), (1.0, 0.0, 0.0, 0.25), (0.5, 0.5, 0.5, 1.0),
                                                      (0.7, 0.7, 0.7, 0.7), (_, 0.3, _, _))),
                 dict(words=(3, 6, 3), rewards=((0.0, 1.0, 1.0, 0.0), (0.3, 0.1, 0.8, _), (0.25, 0.25, 0.25, 0.25))))),
    dict(name="twice", set={"settings.group": 4, "settings.max_missing": 0.25, "settings.inner": 2,
                            "optimizer.learning_rate": 4e-4},
         # The second of a pair is the first with another last code, and hardly worth anything else than the mean: it goes
         # where the first goes, beyond the bound that is not its own.
         rounds=(dict(words=(6, 3, 4), rewards=((0.1, 0.4, _, 0.9), (1.0, 0.45, 0.0, 0.55), (0.7, 0.7, 0.7, 0.7)),
                      pairs=(1,)),)),
)


# ------------------------------------------------------------------------------------------------- the network

class Wide:
    """torch for the layers of transformers, which compute norms and softmax in float32: here that means float64."""
    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


class XOmniAR(nn.Module):
    """As in parity/make.py, for another version of transformers."""

    def __init__(self, cfg):
        super().__init__()
        c = Qwen2Config(vocab_size=cfg["vocab_size"], hidden_size=cfg["hidden_size"],
                        intermediate_size=cfg["intermediate_size"], num_hidden_layers=cfg["num_hidden_layers"],
                        num_attention_heads=cfg["num_attention_heads"], num_key_value_heads=cfg["num_key_value_heads"],
                        rms_norm_eps=cfg["rms_norm_eps"], rope_theta=cfg["rope_theta"], attn_implementation="eager")
        self.cfg, width, n = cfg, cfg["hidden_size"], cfg["num_hidden_layers"]
        norm = lambda: qwen2.Qwen2RMSNorm(width, eps=cfg["rms_norm_eps"])
        self.model = nn.ModuleDict(dict(
            lm_embed_tokens=nn.Embedding(cfg["vocab_size"], width), mm_embed_tokens=nn.Embedding(cfg["mm_vocab_size"], width),
            layers=nn.ModuleList(qwen2.Qwen2DecoderLayer(c, i) for i in range(n)), lm_norm=norm(), mm_norm=norm()))
        self.lm_head = nn.Linear(width, cfg["vocab_size"], bias=False)
        self.mm_head = nn.Linear(width, cfg["mm_vocab_size"], bias=False)
        self.rotary = qwen2.Qwen2RotaryEmbedding(config=c)

    def is_lm(self, i):
        return self.cfg["num_mm_adap_layers"] <= i < self.cfg["num_hidden_layers"] - self.cfg["num_mm_head_layers"]

    def rope(self, x):
        """Angles in float32, as the library has them; their sines in the type of x."""
        places = torch.arange(x.shape[1])
        angles = places.float()[:, None] * self.rotary.inv_freq.float()
        angles = torch.cat([angles, angles], 1)[None].to(x.dtype)
        cos, sin = angles.cos(), angles.sin()
        for own, theirs in zip((cos, sin), self.rotary(x, places[None]), strict=True):
            assert (own - theirs).abs().max() < 2e-6
        return cos, sin

    def forward(self, ids):
        vocab, n, m = self.cfg["vocab_size"], ids.shape[1], self.model
        image = (ids >= vocab)[..., None]
        x = torch.where(image, m["mm_embed_tokens"]((ids - vocab).clamp(min=0)), m["lm_embed_tokens"](ids.clamp(max=vocab - 1)))
        causal = torch.full((n, n), torch.finfo(x.dtype).min, dtype=x.dtype).triu(1)[None, None]
        rope = self.rope(x)
        qwen2.torch = Wide() if x.dtype == torch.float64 else torch
        for i, layer in enumerate(m["layers"]):
            y = layer(x, attention_mask=causal, position_embeddings=rope)[0]
            x = y if self.is_lm(i) else torch.where(image, y, x)
        x = torch.where(image, m["mm_norm"](x), m["lm_norm"](x))
        qwen2.torch = torch
        return x

    def scores(self, hidden):
        return self.mm_head(hidden)[..., :self.cfg["image_vocab_size"]]

    def scores_of(self, prompt, codes):
        """Scores of the codes at each of their places, [N, V]."""
        vocab = self.cfg["vocab_size"]
        ids = torch.tensor([[*prompt, *(vocab + code for code in codes)]])
        return self.scores(self(ids))[0, len(prompt) - 1:-1]


def network(cfg, weights, dtype):
    model = XOmniAR(cfg)
    model.load_state_dict(weights)
    return model.to(dtype).eval()


def check_network(model):
    """The networks are those of the parity case."""
    folder = PARITY / "xomni_ar"
    given, want = load_file(folder / "inputs.safetensors"), load_file(folder / "expected.safetensors")
    with torch.no_grad():
        hidden = model(given["input_ids"])
        assert (hidden - want["hidden"]).abs().max() < 2e-5
        assert (model.scores(hidden[:, -3:]) - want["image_logits"]).abs().max() < 4e-5


# ------------------------------------------------------------------------------------------------ what is given

def other_values(weights):
    g = torch.Generator().manual_seed(SEED)
    made = {}
    for name in OTHER_VALUES:
        weight = weights[name]
        made[name] = weight + 0.35 * weight.std() * torch.randn(weight.shape, generator=g)
    return made


def drawn(policy, prompt, g):
    """Codes that the policy draws."""
    codes = []
    with torch.no_grad():
        for _ in range(CODES):
            # The last of the codes is not read for its own scores.
            p = policy.scores_of(prompt, [*codes, 0])[-1].softmax(-1)
            codes.append(torch.multinomial(p, 1, generator=g).item())
    return codes


def drawings(policy, around, g):
    """A round: prompts with the codes of their drawings and their rewards."""
    cfg = policy.cfg
    # Special tokens are behind the codes.
    som, _, image = (cfg["vocab_size"] + cfg["image_vocab_size"] + i for i in range(3))
    word = lambda n: torch.randint(2, cfg["vocab_size"] - 8, (n,), generator=g).tolist()
    groups = []
    for k, (words, rewards) in enumerate(zip(around["words"], around["rewards"], strict=True)):
        prompt = [*word(words), som, *word(3), image]
        codes = [drawn(policy, prompt, g) for _ in rewards]
        if k in around.get("pairs", ()):
            for member in range(1, len(codes), 2):
                codes[member] = [*codes[member - 1][:-1], (codes[member - 1][-1] + 1) % cfg["image_vocab_size"]]
        groups.append(dict(prompt=prompt, codes=codes, rewards=list(rewards)))
    return groups


def changed(definition, changes):
    definition = copy.deepcopy(definition)
    for key, value in changes.items():
        section, key = key.split(".")
        definition[section][key] = value
    return definition


# ------------------------------------------------------------------------------------------------- what follows

def variant(settings, on_policy):
    assert settings["method"] == "grpo" and settings["sampling"] == dict(temperature=1.0, top_k=0, min_p=0.0)
    return make_grpo.variant("step", weights=(1.0,), combine="sum", scale=settings["advantage"]["scale"],
                             eps=settings["advantage"]["eps"], missing="drop", on_policy=on_policy, ratio="token",
                             clip=settings["clip"], loss=settings["loss"], kl=settings["kl"]["estimator"],
                             beta=settings["kl"]["beta"])


def learning_rate(optimizer, steps, step):
    if step <= optimizer["warmup"]:
        return optimizer["learning_rate"] * step / optimizer["warmup"]
    way = min((step - optimizer["warmup"]) / max(steps - optimizer["warmup"], 1), 1.0)
    left = optimizer["final_rate"]
    return optimizer["learning_rate"] * (left + (1 - left) * 0.5 * (1 + math.cos(math.pi * way)))


def with_differences(groups):
    known = [[reward for reward in group["rewards"] if reward is not None] for group in groups]
    return [k for k, rewards in enumerate(known) if len(rewards) >= 2 and max(rewards) - min(rewards) >= NOTHING]


class Round:
    """Drawings of groups with differences, and what the networks say of them."""

    def __init__(self, groups, policy, reference):
        self.rows = [(k, member) for k in with_differences(groups) for member in range(len(groups[k]["codes"]))]
        self.groups = groups
        self.dtype = policy.mm_head.weight.dtype
        reward = lambda k, member: math.nan if groups[k]["rewards"][member] is None else groups[k]["rewards"][member]
        self.given = dict(
            ids=torch.tensor([groups[k]["codes"][member] for k, member in self.rows]),
            mask=torch.ones(len(self.rows), CODES, dtype=torch.long), group=torch.tensor([k for k, _ in self.rows]),
            rewards=torch.tensor([[reward(*row)] for row in self.rows], dtype=torch.float64))
        with torch.no_grad():
            self.reference, self.old = self.scores(reference), self.scores(policy)

    def scores(self, model):
        each = [model.scores_of(self.groups[k]["prompt"], self.groups[k]["codes"][member]) for k, member in self.rows]
        return torch.stack(each)

    def computed(self, settings, scores, first, kl=None):
        """What parity/make_grpo.py says."""
        v = variant(settings, first) | ({} if kl is None else {"kl": kl})
        x = dict(self.given, logits=scores.detach(), old_logits=self.old, ref_logits=self.reference)
        return v, make_grpo.compute(v, x)

    def counted(self):
        """Places of the drawings that count, by the length of their prompts."""
        known = [at for at in range(len(self.rows)) if not self.given["rewards"][at].isnan()]
        return sorted(known, key=lambda at: len(self.groups[self.rows[at][0]]["prompt"]))


def update(round_, settings, policy, first):
    """The numbers and tensors of an update. Gradients are left at the weights."""
    scores = round_.scores(policy)
    v, made = round_.computed(settings, scores, first)
    scores.backward(made["gradient"])
    counted = round_.counted()
    ids = round_.given["ids"]
    own, entropy = (t.detach()[counted] for t in make_grpo.log_probs(scores, ids, 1.0))
    reference = make_grpo.log_probs(round_.reference, ids, 1.0)[0][counted]
    ratio, advantages = made["ratio"][counted], made["advantages"][counted]
    low, high = 1 - v["clip"][0], 1 + v["clip"][1]
    weight = advantages[:, None].expand_as(ratio)
    branches = {
        "clip_low": (ratio < low) & (weight < 0), "clip_high": (ratio > high) & (weight > 0),
        "low, kept": (ratio < low) & (weight > 0), "high, kept": (ratio > high) & (weight < 0)}
    shares = {name: taken.double().mean().item() for name, taken in branches.items()}
    assert abs(shares["clip_low"] + shares["clip_high"] - made["clip_fraction"].item()) < 1e-6
    numbers = {
        "loss": made["loss"].item(),
        "kl": make_grpo.divergence("k3", own, reference).sum(1).mean().item(), "entropy": entropy.mean().item(),
        "clip_low": shares["clip_low"], "clip_high": shares["clip_high"], "ratio_max": ratio.max().item()}
    chosen = [[*round_.rows[at], made["advantages"][at].item()] for at in counted]
    near = min((ratio - bound).abs().min().item() for bound in (low, high))
    return dict(numbers=numbers, chosen=chosen, log_p=own, reference=reference, ratio=ratio), shares, near


def train(cfg, weights, own, definition, rounds, dtype, check):
    policy, reference = network(cfg, weights | own, dtype), network(cfg, weights, dtype)
    settings, section = definition["settings"], definition["optimizer"]
    names = dict(policy.named_parameters())
    optimizer = torch.optim.AdamW(names.values(), lr=section["learning_rate"], betas=section["betas"], eps=1e-8, weight_decay=0.0)
    steps = []
    for step in range(1, 3):
        first = (step - 1) % settings["inner"] == 0
        if first:
            round_ = Round(rounds[(step - 1) // settings["inner"]], policy, reference)
        optimizer.zero_grad()
        made, shares, near = update(round_, settings, policy, first)
        if check:
            assert near > MARGIN, f"a ratio is {near:.1e} from a bound"
            assert first or min(shares.values()) > 0, f"a branch is not taken: {shares}"
            check_gradient(round_, settings, policy, first)
        zero = lambda weight: torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
        made["gradient"] = {name: zero(weight) for name, weight in names.items()}
        made["numbers"]["gradient"] = torch.nn.utils.clip_grad_norm_(names.values(), section["clip"]).item()
        made["numbers"]["learning_rate"] = learning_rate(section, definition["steps"], step)
        made["clipped"] = math.sqrt(sum(w.grad.double().square().sum().item() for w in names.values() if w.grad is not None))
        optimizer.param_groups[0]["lr"] = made["numbers"]["learning_rate"]
        optimizer.step()
        made["weight"] = {name: weight.detach().clone() for name, weight in names.items()}
        steps.append(made)
    return steps


def check_gradient(round_, settings, policy, first):
    """The gradient that was left at the weights, beside finite differences. The value of k3+ does not follow its gradient:
    that is the one of k2."""
    assert settings["kl"]["estimator"] == "k3+"
    names = dict(policy.named_parameters())
    kept = {name: weight.detach().clone() for name, weight in names.items()}
    g = torch.Generator().manual_seed(SEED)
    # The old scores are given even where the policy that draws learns: it alone moves here.
    for _ in range(3):
        way = {name: torch.randn(weight.shape, generator=g, dtype=weight.dtype) for name, weight in names.items()}
        values = []
        for length in (-1e-6, 1e-6):
            with torch.no_grad():
                for name, weight in names.items():
                    weight.copy_(kept[name] + length * way[name])
            with torch.no_grad():
                scores = round_.scores(policy)
            values.append(round_.computed(settings, scores, False, "k2")[1]["loss"].item())
        slope = (values[1] - values[0]) / 2e-6
        told = sum((way[name] * weight.grad).sum().item() for name, weight in names.items() if weight.grad is not None)
        assert abs(slope - told) < 1e-5 * max(abs(told), 1.0), f"gradient {told} and differences {slope}"
    with torch.no_grad():
        for name, weight in names.items():
            weight.copy_(kept[name])


def allowed(steps):
    """How far each weight may be after the last of these steps. A step moves a weight by the learning rate times g / |g|, so
    what a gradient may be off counts beside its size: the root of the mean square of this step's and earlier ones."""
    bounds = {}
    for name, weight in steps[-1]["weight"].items():
        bound, squares = TOLERANCE["weight"] * weight.abs(), torch.zeros_like(weight)
        for number, made in enumerate(steps, 1):
            gradient = made["gradient"][name]
            squares = squares + gradient.square()
            off = 3 * TOLERANCE["gradient"] * gradient.abs().max() / (squares / number).sqrt()
            # Where there was no gradient, nothing moves.
            off = torch.where(squares > 0, off.clamp(max=2.0), 0.0)
            bound = bound + made["numbers"]["learning_rate"] * off
        bounds[name] = bound
    return bounds


def check_single(single, double):
    """float32 is within half of what the test allows. Returns the largest parts of it, by what they are of."""
    worst = {}

    def note(kind, off, bound):
        off, bound = torch.as_tensor(off, dtype=torch.float64), torch.as_tensor(bound, dtype=torch.float64)
        assert ((off == 0) | (off < bound / 2)).all(), f"{kind}: float32 is off by {off.max().item():.1e}"
        worst[kind] = max(worst.get(kind, 0.0), torch.nan_to_num(off / bound, nan=0.0).max().item())

    for number, (one, two) in enumerate(zip(single, double, strict=True), 1):
        assert [row[:2] for row in one["chosen"]] == [row[:2] for row in two["chosen"]]
        for name, value in two["numbers"].items():
            note("number", abs(value - one["numbers"][name]), TOLERANCE["number"] * (abs(value) + 0.01))
        for name in ("log_p", "reference", "ratio"):
            note("score", (one[name] - two[name]).abs(), TOLERANCE["score"])
        bounds = allowed(double[:number])
        for name, gradient in two["gradient"].items():
            note("gradient", (one["gradient"][name] - gradient).abs(), TOLERANCE["gradient"] * gradient.abs().max())
            note("weight", (one["weight"][name] - two["weight"][name]).abs(), bounds[name])
    return worst


# ------------------------------------------------------------------------------------------------- the files

def shown(tensor):
    flat = tensor.flatten()
    count = min(len(flat), VALUES)
    return flat[[i * len(flat) // count for i in range(count)]].float()


def text(case):
    """JSON in which lists of numbers have a line each."""
    return re.sub(r"\[[^\[\]{}\"]*\]", lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"),
                  json.dumps(case, indent=1)) + "\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--out", type=Path, required=True)
    out = ap.parse_args().out
    folder = PARITY / "xomni_ar/checkpoint"
    cfg, weights = json.loads((folder / "config.json").read_text()), load_file(folder / "model.safetensors")
    check_network(network(cfg, weights, torch.float32))
    toml = tomllib.loads((HERE.parents[2] / "configs/training/mini-xomni-grpo.toml").read_text())
    definition = {key: toml[key] for key in ("steps", "optimizer", "settings")}
    own = other_values(weights)
    policy = network(cfg, weights | own, torch.float32)
    g = torch.Generator().manual_seed(SEED)
    trainings, tensors = [], {}
    for training in TRAININGS:
        rounds = [drawings(policy, around, g) for around in training["rounds"]]
        own_definition = changed(definition, training["set"])
        arguments = (cfg, weights, own, own_definition, rounds)
        double = train(*arguments, torch.float64, check=True)
        worst = check_single(train(*arguments, torch.float32, check=False), double)
        steps = []
        for number, made in enumerate(double, 1):
            place = f"{training['name']}.{number}"
            for part in ("log_p", "reference", "ratio"):
                tensors[f"{place}.{part}"] = made[part].float()
            for part in ("gradient", "weight"):
                tensors |= {f"{place}.{part}.{name}": shown(tensor) for name, tensor in made[part].items()}
            gradients = {name: [gradient.norm().item(), gradient.abs().max().item()]
                         for name, gradient in sorted(made["gradient"].items())}
            steps.append(dict(numbers=made["numbers"], clipped=made["clipped"], chosen=made["chosen"], gradients=gradients))
            print(place, {name: round(number, 6) for name, number in made["numbers"].items()}, f"clipped {made['clipped']:.4f}",
                  "no gradient:", [name for name, (length, _) in gradients.items() if length == 0])
        print(training["name"], "float32, of what is allowed:", {name: f"{value:.2f}" for name, value in worst.items()})
        trainings.append(dict(name=training["name"], definition=own_definition, rounds=rounds, steps=steps))
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in own.items()}, out / "policy.safetensors")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out / "expected.safetensors")
    (out / "case.json").write_text(text(dict(values=VALUES, tolerance=TOLERANCE, trainings=trainings)))
    for file in ("policy.safetensors", "expected.safetensors", "case.json"):
        print(file, (out / file).stat().st_size)


if __name__ == "__main__":
    main()
