"""Parity cases `clip_flan_t5` and `t5` in the form of tests/golden/parity, and `expected.json` beside this file: VQAScores of
pictures, from transformers' T5ForConditionalGeneration and CLIPVisionModel put together as the authors' program does
(github.com/linzhiqiu/t2v_metrics, models/vqascore_models/clip_t5_model.py and mm_utils.py as of commit 1bec390).

    pip install torch==2.15.0 transformers==5.23.0 sentencepiece==0.2.3 pillow==13.0.0 safetensors
    python make.py [--variant public|other] [--seed N] [--out DIR] [--expected FILE]

Sizes are tiny, weights random, stored in bf16 in pickles that an index joins, as the release is. The tokenizer is a
sentencepiece model with T5's settings, trained on the sentences below; the reference tokenizes with sentencepiece itself,
the checkpoint has its vocabulary as `tokenizer.json` without its rules for white space. The table of tokens has more rows
than the tokenizer has tokens: the authors' program cuts them off (`resize_token_embeddings`).

Before anything is written, double precision must give the same numbers, and likely mistakes other ones: another layer of the
vision tower, its class token kept, all rows of the table in the softmax, no padding to a square, no position bias.
"""

import argparse
import copy
import io
import json
import math
import shutil
from pathlib import Path

import numpy as np
import sentencepiece
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel, T5Config, T5ForConditionalGeneration

torch.set_num_threads(2)
torch.set_grad_enabled(False)
IMAGE, TOLERANCE = -200, 1e-4
SYSTEM = ("A chat between a curious user and an artificial intelligence assistant. "
          "The assistant gives helpful, detailed, and polite answers to the user's questions.")
QUESTION = 'Does this figure show "{}"? Please answer yes or no.'
PROMPTS = ["two red cats and a  dog", "a house, without windows", "ten lamps; none is lit"]
PICTURES = [(40, 24), (20, 33), (28, 28)]
VARIANTS = {
    "public": dict(
        t5=dict(d_model=20, d_kv=6, d_ff=24, num_layers=3, num_decoder_layers=2, num_heads=2,
                relative_attention_num_buckets=8, relative_attention_max_distance=20),
        vision=dict(hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, image_size=28,
                    patch_size=7),
        projector="mlp2x_gelu", layer=-2, feature="patch", spare=9),
    "other": dict(
        t5=dict(d_model=40, d_kv=12, d_ff=56, num_layers=3, num_decoder_layers=2, num_heads=3,
                relative_attention_num_buckets=32, relative_attention_max_distance=128),
        vision=dict(hidden_size=24, intermediate_size=40, num_hidden_layers=4, num_attention_heads=3, image_size=30,
                    patch_size=6),
        projector="mlp3x_gelu", layer=2, feature="cls_patch", spare=3),
}


def tokenizer(folder):
    """T5's settings: no start, pad 0, end 1, unknown 2; four of T5's hundred extra tokens follow the pieces."""
    texts = [SYSTEM, QUESTION, "USER: ASSISTANT: Yes No \" ; , .", *PROMPTS, "abcdefghijklmnopqrstuvwxyz"]
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts * 3), model_writer=made, vocab_size=96, character_coverage=1.0, pad_id=0, eos_id=1,
        unk_id=2, bos_id=-1, hard_vocab_limit=False, minloglevel=2)
    sp = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    pieces = [[sp.id_to_piece(i), sp.get_score(i)] for i in range(sp.get_piece_size())]
    pieces += [[f"<extra_id_{i}>", 0.0] for i in reversed(range(4))]
    special = [i for i, (piece, _) in enumerate(pieces) if piece in ("<pad>", "</s>", "<unk>") or piece.startswith("<extra")]
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    written = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": pieces[i][0], "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i in special],
        "normalizer": None, "pre_tokenizer": space, "post_processor": None, "decoder": space,
        "model": {"type": "Unigram", "unk_id": 2, "vocab": pieces, "byte_fallback": False},
    }
    (folder / "tokenizer.json").write_text(json.dumps(written, ensure_ascii=False) + "\n")
    return sp, len(pieces)


def ids_of(sp, text):
    """Chunk by chunk, each with its end token."""
    chunks = [sp.encode(chunk) + [1] for chunk in text.split("<image>")]
    return [id for chunk in chunks[:-1] for id in chunk + [IMAGE]] + chunks[-1]


def randomise(module, g):
    for name, p in sorted(module.named_parameters()):
        p.requires_grad_(False)
        if p.dim() == 1:
            norm = not name.endswith("bias")
            new = torch.randn(p.shape, generator=g) * 0.2 + (1.0 if norm else 0.0)
        elif "relative_attention_bias" in name or "embedding" in name or "shared" in name:
            new = torch.randn(p.shape, generator=g) * 0.8
        else:
            new = torch.randn(p.shape, generator=g) / math.sqrt(p[0].numel())
            new *= 0.5 if name.endswith("SelfAttention.q.weight") else 1.2
        p.data.copy_(new.to(torch.bfloat16).to(p.dtype))
    return module.eval()


def picture(number):
    width, height = PICTURES[number]
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 5 + number * 40) % 256, (y * 7 + x) % 256, (x * y + 31 * number) % 256]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def square(image, colour):
    side = max(image.size)
    whole = Image.new("RGB", (side, side), colour)
    whole.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return whole


def projector(kind, inner, width):
    layers = [nn.Linear(inner, width)]
    for _ in range(1, int(kind[3:kind.index("x")])):
        layers += [nn.GELU(), nn.Linear(width, width)]
    return nn.Sequential(*layers)


def look(m, pixels, ids, labels, known, layer, feature, bias=True):
    """What the network makes of one picture and question; `known` rows of the table are in the softmax."""
    states = m["vision"](pixels, output_hidden_states=True).hidden_states[layer]
    features = m["projector"](states[:, 1:] if feature == "patch" else states)
    at = ids.index(IMAGE)
    embed = lambda part: m["t5"].shared(torch.tensor([part]))
    embeds = torch.cat([embed(ids[:at]), features, embed(ids[at + 1:])], 1)
    t5 = m["t5"]
    if not bias:
        t5 = copy.deepcopy(t5)
        t5.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight.zero_()
    out = t5(inputs_embeds=embeds, attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long),
             labels=torch.tensor([labels]))
    loss = nn.functional.cross_entropy(out.logits[0, :, :known], torch.tensor(labels))
    return {"image_features": features, "encoder_last_hidden_state": out.encoder_last_hidden_state, "logits": out.logits,
            "score": torch.exp(-loss).reshape(1)}


def write_case(folder, model, notes, inputs, expected):
    save_file({k: v.contiguous() for k, v in inputs.items()}, folder / "inputs.safetensors")
    save_file({k: v.float().contiguous() for k, v in expected.items()}, folder / "expected.safetensors")
    case = {"model": model, "reference": f"transformers {transformers.__version__} {notes[0]}", "notes": notes[1],
            "tolerance": {"*": TOLERANCE} | ({"score": 1e-6} if "score" in expected else {})}
    (folder / "case.json").write_text(json.dumps(case, indent=2) + "\n")


def fresh(out, name):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "checkpoint").mkdir(parents=True)
    return folder, folder / "checkpoint"


def t5_fields(v):
    return {"model_type": "t5", "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1, "is_encoder_decoder": True,
            "layer_norm_epsilon": 1e-6, "dropout_rate": 0.1} | v


def t5_of(fields, g):
    model = T5ForConditionalGeneration(T5Config(**{k: x for k, x in fields.items() if not k.startswith("mm_")}))
    if fields["tie_word_embeddings"] is False:
        # This version ties the head of a new model whatever its configuration says.
        model.lm_head.weight = nn.Parameter(torch.empty(fields["vocab_size"], fields["d_model"]))
    return randomise(model, g)


def network(v, tokens, g):
    fields = t5_fields(v["t5"]) | {
        "architectures": ["CLIPT5ForConditionalGeneration"], "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False,
        "vocab_size": tokens + v["spare"], "mm_hidden_size": v["vision"]["hidden_size"], "mm_projector_type": v["projector"],
        "mm_vision_select_layer": v["layer"], "mm_vision_select_feature": v["feature"],
        "mm_vision_tower": "openai/clip-vit-large-patch14-336", "mm_use_im_start_end": False}
    m = {"t5": t5_of(fields, g),
         "vision": randomise(CLIPVisionModel(CLIPVisionConfig(hidden_act="quick_gelu", **v["vision"])), g),
         "projector": randomise(projector(v["projector"], v["vision"]["hidden_size"], v["t5"]["d_model"]), g)}
    m["projector"][-1].weight *= 2
    return fields, m


def write_checkpoint(folder, fields, m, vision):
    bf16 = lambda state: {k: x.to(torch.bfloat16).contiguous() for k, x in state.items() if x.is_floating_point()}
    state = bf16(m["t5"].state_dict())
    table = state["shared.weight"]
    state |= {k: table for k in ("embed_tokens.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight")}
    state |= bf16({f"mm_projector.{k}": x for k, x in m["projector"].state_dict().items()})
    # A copy of the tower's weights that nobody reads.
    state["vision_tower.vision_tower.vision_model.pre_layrnorm.weight"] = torch.ones(vision["hidden_size"])
    names = sorted(state)
    shards = [names[:len(names) // 2], names[len(names) // 2:]]
    index = {}
    for number, shard in enumerate(shards, 1):
        file = f"pytorch_model-{number:05}-of-{len(shards):05}.bin"
        torch.save({k: state[k] for k in shard}, folder / file)
        index |= {k: file for k in shard}
    written = {"metadata": {"total_size": 0}, "weight_map": index}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(written) + "\n")
    torch.save({"args": "of no use here"}, folder / "training_args.bin")
    (folder / "config.json").write_text(json.dumps(fields, indent=1) + "\n")
    tower = folder / "vision_tower"
    tower.mkdir()
    (tower / "config.json").write_text(json.dumps(
        {"model_type": "clip", "vision_config": {"hidden_act": "quick_gelu"} | vision}, indent=1) + "\n")
    plain = {k.removeprefix("vision_model."): x for k, x in m["vision"].state_dict().items()}
    state = bf16({f"vision_model.{k}": x for k, x in plain.items()})
    state["vision_model.embeddings.position_ids"] = torch.arange((vision["image_size"] // vision["patch_size"]) ** 2 + 1)
    torch.save(state, tower / "pytorch_model.bin")


class Poor(Exception):
    """This draw makes no good test; the next is taken."""


def check(name, good, *words):
    if not good:
        raise Poor(name, *words)


def drawn(make, v, seed, *rest):
    for draw in range(200):
        try:
            return make(v, seed * 1000 + draw, *rest)
        except Poor as poor:
            print("next draw:", *poor.args)
    raise SystemExit("no draw makes a good test")


def clip_flan_t5(v, seed, out, expected_file):
    folder, checkpoint = fresh(out, "clip_flan_t5")
    sp, tokens = tokenizer(checkpoint)
    fields, m = network(v, tokens, torch.Generator().manual_seed(seed + 7))
    write_checkpoint(checkpoint, fields, m, v["vision"])
    side = v["vision"]["image_size"]
    processor = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    background = tuple(int(x * 255) for x in processor.image_mean)
    prepare = lambda image: torch.tensor(np.array(processor.preprocess(image)["pixel_values"][0]))[None].float()
    double = {k: copy.deepcopy(x).double() for k, x in m.items()}
    labels = ids_of(sp, "Yes")
    other = ids_of(sp, "No way")
    scores, cases = [], []
    how = dict(known=tokens, layer=v["layer"], feature=v["feature"])
    for number, prompt in enumerate(PROMPTS):
        ids = ids_of(sp, f"{SYSTEM} USER: <image>\n{QUESTION.format(prompt)} ASSISTANT: ")
        pixels = prepare(square(picture(number), background))
        made = look(m, pixels, ids, labels, **how)
        exact = look(double, pixels.double(), ids, labels, **how)
        for key, x in made.items():
            check(key, (x - exact[key]).abs().max() < TOLERANCE / 4, number)
        value = made["score"].item()
        # Tests compare scores to one part in a thousand.
        plain = prepare(picture(number))
        mistakes = {
            "layer": look(m, pixels, ids, labels, tokens, v["layer"] + 1, v["feature"]),
            "class token": look(m, pixels, ids, labels, tokens, v["layer"], {"patch": "cls_patch"}.get(v["feature"], "patch")),
            "all rows": look(m, pixels, ids, labels, None, v["layer"], v["feature"]),
            "no bias": look(m, pixels, ids, labels, bias=False, **how),
        }
        if picture(number).width != picture(number).height:
            mistakes["no square"] = look(m, plain, ids, labels, **how)
        for name, wrong in mistakes.items():
            check(name, abs(wrong["score"].item() / value - 1) > 0.003, number, value, wrong["score"].item())
        scores.append({"prompt": prompt, "size": PICTURES[number], "score": value,
                       "no_way": look(m, pixels, ids, other, **how)["score"].item()})
        cases.append((pixels, ids, made))
    pixels, ids, made = cases[0]
    inputs = {"pixel_values": pixels, "input_ids": torch.tensor([ids]), "labels": torch.tensor([labels]),
              "vocabulary": torch.tensor([tokens])}
    write_case(folder, "clip_flan_t5", ("T5ForConditionalGeneration with CLIPVisionModel and a projector",
               "-200 in input_ids stands for the picture. The score's softmax is over `vocabulary` rows of the logits."),
               inputs, made)
    if expected_file:
        expected_file.write_text(json.dumps({"pictures": scores, "input_ids": ids, "labels": labels}, indent=1) + "\n")
    print([s["score"] for s in scores], len(ids), tokens)


def t5(v, seed, out):
    """As the first T5: no gate, the head is the table; ids that are not padded."""
    folder, checkpoint = fresh(out, "t5")
    g = torch.Generator().manual_seed(seed + 8)
    fields = t5_fields(v["t5"]) | {"architectures": ["T5ForConditionalGeneration"], "feed_forward_proj": "relu",
                                   "tie_word_embeddings": True, "vocab_size": 50 + v["spare"]}
    if v["t5"]["num_heads"] == 2:
        # Smaller, and without the number of the decoder's layers.
        fields |= {"d_model": 12, "d_ff": 16, "num_layers": 2}
        fields["num_decoder_layers"] = 2
    model = t5_of(fields, g)
    model.config.scale_decoder_outputs = True
    fields = {k: x for k, x in fields.items() if k != "num_decoder_layers" or x != fields["num_layers"]}
    (checkpoint / "config.json").write_text(json.dumps(fields, indent=1) + "\n")
    state = {k: x.contiguous() for k, x in model.state_dict().items() if "embed_tokens" not in k and k != "lm_head.weight"}
    save_file(state, checkpoint / "model.safetensors")
    inputs = {"input_ids": torch.randint(2, 50, (2, 31), generator=g),
              "decoder_input_ids": torch.randint(2, 50, (2, 23), generator=g)}
    run = lambda m: m(input_ids=inputs["input_ids"], decoder_input_ids=inputs["decoder_input_ids"])
    made, exact = run(model), run(copy.deepcopy(model).double())
    expected = {"encoder_last_hidden_state": made.encoder_last_hidden_state, "logits": made.logits}
    check("t5", (made.logits - exact.logits).abs().max() < TOLERANCE / 4)
    changed = copy.deepcopy(model)
    changed.config.scale_decoder_outputs = False
    check("t5 scale", (run(changed).logits - made.logits).abs().max() > 0.1)
    write_case(folder, "t5", ("T5ForConditionalGeneration", "No mask but the decoder's causal one; the head is the table of "
               "tokens, and states before it are scaled."), inputs, expected)


def main():
    here = Path(__file__).parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", choices=VARIANTS, default="public")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=here / "../parity")
    parser.add_argument("--expected", type=Path)
    args = parser.parse_args()
    v = VARIANTS[args.variant]
    own = args.out == parser.get_default("out")
    drawn(clip_flan_t5, v, args.seed, args.out, args.expected or (here / "expected.json" if own else None))
    drawn(t5, v, args.seed, args.out)


main()
