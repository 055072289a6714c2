"""Makes a tiny CLIP and a tiny Qwen2 vocabulary, and ids by transformers' own classes.

    python make.py
"""

import json
from pathlib import Path

from transformers import AutoTokenizer, CLIPTokenizer

here = Path(__file__).parent
printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def write(folder, vocabulary, merges, settings):
    folder.mkdir(exist_ok=True)
    vocabulary = {token: i for i, token in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


merges = [("c", "a"), ("ca", "t</w>"), ("t", "h"), ("th", "e</w>"), ("r", "e"), ("re", "d</w>"), ("Ã", "©</w>"),
          ("1", "2</w>"), ("'", "s</w>"), ("!", "!</w>")]
names = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>", pad_token="<|endoftext|>")
vocabulary = letters + [c + "</w>" for c in letters] + [a + b for a, b in merges] + ["<|startoftext|>", "<|endoftext|>"]
write(here / "clip", vocabulary, merges, dict(tokenizer_class="CLIPTokenizer", model_max_length=20, **names))
clip = CLIPTokenizer.from_pretrained(here / "clip")
texts = ["the red cat", "  The   RED\n\tCat's 12 café!!", "", "日本 cat", "a<|endoftext|>b", "the cat " * 12]
clip = [{"text": t, "ids": clip(t, padding="max_length", max_length=20, truncation=True).input_ids} for t in texts]

merges = [("u", "s"), ("e", "r"), ("us", "er"), ("Ġ", "t"), ("Ġt", "he"), ("h", "e"), ("Ċ", "Ċ"), ("Ġ", "Ġ")]
merges = [merges[i] for i in (0, 1, 2, 5, 3, 4, 6, 7)]
vocabulary = letters + [a + b for a, b in merges]
special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
decoder = {str(len(vocabulary) + i): dict(content=c, lstrip=False, normalized=False, rstrip=False, single_word=False,
                                          special=True) for i, c in enumerate(special)}
template = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant."
    "<|im_end|>\n{% endif %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if true %}<|im_start|>assistant\n{% endif %}"  # a newline at the very end would be cut off
)
write(here / "qwen", vocabulary, merges, dict(tokenizer_class="Qwen2Tokenizer", added_tokens_decoder=decoder,
                                              eos_token="<|im_end|>", pad_token="<|endoftext|>"))
qwen = AutoTokenizer.from_pretrained(here / "qwen")
texts = ["the user  uses\n\n the 123 café's\r\n  日本", "<|im_start|>user\nthe<|im_end|>\n", " ", ""]
chat = [{"role": "user", "content": [{"type": "text", "text": "the user's"}, {"type": "image"}]}]
rendered = qwen.apply_chat_template(chat, chat_template=template, tokenize=False)
rendered = rendered.replace("<|image_pad|>", "<|image_pad|>" * 3)
qwen = {
    "texts": [{"text": t, "ids": qwen(t).input_ids} for t in texts],
    "chat": qwen(rendered).input_ids,
    "uniworld": qwen("<|im_end|>\n".join(rendered.split("<|im_end|>\n")[1:])).input_ids,
}
(here / "expected.json").write_text(json.dumps({"clip": clip, "qwen": qwen}))
