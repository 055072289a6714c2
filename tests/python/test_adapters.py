"""Real pipelines of diffusers and a real vision-language model of transformers, with tiny random weights."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import warnings

import support
import unigauge

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}<|vision_start|><|image_pad|><|vision_end|>{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)
SPECIAL = [
    *("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),
    *("<|image_pad|>", "<|video_pad|>"),
]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        warnings.simplefilter("ignore")

    def requests(self, *prompts, **keys):
        """Requests with folders and seeds of their own."""
        requests = []
        for index, prompt in enumerate(prompts):
            folder = tempfile.mkdtemp(dir=self.folder)
            ordinary = {"id": f"{index}#0", "item": str(index), "task": "text-to-image", "images": [], "repeat": 0}
            requests.append({**ordinary, "prompt": prompt, "seed": 100 + index, "output_dir": folder, **keys})
        return requests

    def answers(self, served, requests):
        replies = {reply["id"]: reply for reply in served.answers(requests)}
        for reply in replies.values():
            self.assertNotIn("error", reply)
        return [replies[request["id"]] for request in requests]

    def picture(self, side=32):
        from PIL import Image

        path = os.path.join(self.folder, "input.png")
        Image.new("RGB", (side, side), (200, 30, 30)).save(path)
        return path

    def run_model(self, model, *settings, requests):
        """The replies of the runner in a process of its own."""
        process = subprocess.run(
            [sys.executable, "-m", "unigauge._run_model", model, *settings],
            input=json.dumps({"requests": requests}).encode() + b"\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=support.environment(),
            check=False,
        )
        self.assertEqual(process.returncode, 0, process.stderr.decode())
        ready, *replies = [json.loads(line) for line in process.stdout.splitlines()]
        self.assertTrue(ready["ready"])
        for reply in replies:
            self.assertNotIn("error", reply)
        return ready, [{reply["id"]: reply for reply in replies}[request["id"]] for request in requests]


def tiny_pipeline(folder):
    """The components of a Stable Diffusion with random weights, for pictures of 32 x 32 pixels."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    letters = [chr(code) for code in range(97, 123)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump({token: index for index, token in enumerate(tokens)}, file)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=77)
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        norm_num_groups=4,
        attention_head_dim=2,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
        up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
        latent_channels=4,
        norm_num_groups=4,
    )
    text = CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=len(tokens) - 2,
        eos_token_id=len(tokens) - 1,
        pad_token_id=len(tokens) - 1,
    )
    return {
        "unet": unet,
        "vae": vae,
        "text_encoder": CLIPTextModel(text).eval(),
        "tokenizer": tokenizer,
        "scheduler": DDIMScheduler(clip_sample=False, set_alpha_to_one=False),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


class Diffusers(Case):
    def setUp(self):
        super().setUp()
        support.need("torch", "diffusers", "transformers", "numpy", "PIL")
        from diffusers import StableDiffusionPipeline

        self.components = tiny_pipeline(os.path.join(self.folder, "tokenizer"))
        self.pipe = StableDiffusionPipeline(**self.components)
        self.pipe.set_progress_bar_config(disable=True)

    def pixels(self, replies):
        import numpy
        from PIL import Image

        arrays = []
        for reply in replies:
            with Image.open(reply["image"]) as image:
                arrays.append(numpy.asarray(image).astype(int))
        return arrays

    def assert_same(self, first, second):
        """The same pictures, but for what an order of additions changes."""
        self.assertEqual(len(first), len(second))
        for one, other in zip(first, second):
            self.assertEqual(one.shape, (32, 32, 3))
            self.assertLessEqual(abs(one - other).max(), 1)

    def test_a_batch_gives_what_single_requests_give(self):
        requests = self.requests("a cat", "a dog", "a red car")
        single = unigauge.adapters.diffusers(self.pipe, num_inference_steps=2)
        alone = [self.pixels(self.answers(single, [request]))[0] for request in requests]
        batched = unigauge.adapters.diffusers(self.pipe, batch=3, num_inference_steps=2)
        self.assertEqual(batched.batch, 3)
        self.assert_same(self.pixels(self.answers(batched, requests)), alone)
        self.assertGreater(abs(alone[0] - alone[1]).max(), 10)

    def test_the_seed_decides(self):
        model = unigauge.adapters.diffusers(self.pipe, num_inference_steps=2)
        first, again, other = (
            self.pixels(self.answers(model, self.requests("a cat", seed=seed)))[0] for seed in (1, 1, 2)
        )
        self.assertEqual(abs(first - again).max(), 0)
        self.assertGreater(abs(first - other).max(), 10)

    def test_edits_get_the_input_image(self):
        from diffusers import StableDiffusionImg2ImgPipeline

        pipe = StableDiffusionImg2ImgPipeline(**self.components)
        pipe.set_progress_bar_config(disable=True)
        model = unigauge.adapters.diffusers(pipe, batch=2, num_inference_steps=2, strength=0.5)
        requests = self.requests("a cat", "a dog", task="edit", images=[self.picture()])
        self.assertEqual(len(self.pixels(self.answers(model, requests))), 2)

    def test_arguments_are_checked_before_the_run(self):
        with self.assertWarnsRegex(UserWarning, "names no argument steps"):
            unigauge.adapters.diffusers(self.pipe, steps=2)

        class Strict:
            def __call__(self, prompt, generator): ...

        class Seedless:
            def __call__(self, prompt): ...

        unigauge.adapters.diffusers(Strict())
        with self.assertRaisesRegex(TypeError, "Strict takes no argument steps"):
            unigauge.adapters.diffusers(Strict(), steps=2)
        with self.assertRaisesRegex(TypeError, "would not follow the seeds"):
            unigauge.adapters.diffusers(Seedless())

    def test_the_runner_loads_a_folder(self):
        folder = os.path.join(self.folder, "pipeline")
        self.pipe.save_pretrained(folder)
        model = unigauge.adapters.diffusers(self.pipe, num_inference_steps=2)
        requests = self.requests("a cat", "a dog")
        expected = self.pixels(self.answers(model, requests))
        settings = ("num_inference_steps=2", "batch=2", "device=cpu")
        ready, replies = self.run_model(f"diffusers:{folder}", *settings, requests=requests)
        self.assertEqual(ready["batch"], 2)
        self.assert_same(self.pixels(replies), expected)

    def test_a_run_of_a_suite(self):
        support.need_program()
        model = unigauge.adapters.diffusers(self.pipe, batch=2, num_inference_steps=2)
        out = os.path.join(self.folder, "results")
        result = unigauge.evaluate("mini-geneval", model, limit=4, name="tiny", out=out, offline=True, quiet=True)
        self.assertEqual((result.failed, result.expected, result.scored), (0, 4, 4))


def tiny_vision_language_model(folder):
    """A Qwen2-VL or Qwen2.5-VL with random weights, and its processor."""
    import torch
    import transformers

    tokenizer = _tokenizer(folder)
    token = tokenizer.convert_tokens_to_ids
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "bos_token_id": token("<|endoftext|>"),
        "eos_token_id": token("<|im_end|>"),
        "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]},
    }
    special = {
        "image_token_id": token("<|image_pad|>"),
        "video_token_id": token("<|video_pad|>"),
        "vision_start_token_id": token("<|vision_start|>"),
        "vision_end_token_id": token("<|vision_end|>"),
    }
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "mlp_ratio": 2}
    if hasattr(transformers, "Qwen2VLVideoProcessor"):
        config = transformers.Qwen2VLConfig(text_config=text, vision_config=vision, **special)
        videos = (transformers.Qwen2VLVideoProcessor(),)
    else:
        config = transformers.Qwen2VLConfig(vision_config=vision, **text, **special)
        videos = ()
    torch.manual_seed(0)
    model = transformers.Qwen2VLForConditionalGeneration(config).eval()
    model.generation_config.eos_token_id = token("<|im_end|>")
    model.generation_config.pad_token_id = token("<|endoftext|>")
    images = transformers.Qwen2VLImageProcessor(min_pixels=3136, max_pixels=12544)
    return model, transformers.Qwen2VLProcessor(images, tokenizer, *videos, chat_template=CHAT)


def _tokenizer(folder):
    """A tokenizer with one token for each byte, and the special ones."""
    import transformers
    from tokenizers import pre_tokenizers

    os.makedirs(folder)
    letters = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<|endoftext|>", *SPECIAL]
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump({letter: index for index, letter in enumerate(letters)}, file)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n")
    kind = getattr(transformers, "Qwen2TokenizerFast", None) or transformers.Qwen2Tokenizer
    return kind.from_pretrained(
        folder, eos_token="<|im_end|>", pad_token="<|endoftext|>", additional_special_tokens=SPECIAL, chat_template=CHAT
    )


class Transformers(Case):
    def setUp(self):
        super().setUp()
        support.need("torch", "transformers", "tokenizers", "numpy", "PIL")
        self.model, self.processor = tiny_vision_language_model(os.path.join(self.folder, "tokenizer"))

    def texts(self, served, requests):
        return [reply["text"] for reply in self.answers(served, requests)]

    def questions(self, **keys):
        return self.requests(
            "what?", "which colour has it?", "how many things are there in the picture?", task="understand", **keys
        )

    def test_a_batch_gives_what_single_questions_give(self):
        side = self.processor.tokenizer.padding_side
        for images in ([self.picture(56)], []):
            requests = self.questions(images=images)
            single = unigauge.adapters.transformers(self.model, self.processor, max_new_tokens=8)
            alone = [self.texts(single, [request])[0] for request in requests]
            batched = unigauge.adapters.transformers(self.model, self.processor, batch=3, max_new_tokens=8)
            self.assertEqual(self.texts(batched, requests), alone)
        self.assertEqual(self.processor.tokenizer.padding_side, side)

    def test_questions_with_and_without_images_in_a_batch(self):
        requests = self.questions()
        requests[1]["images"] = [self.picture(56)]
        batched = unigauge.adapters.transformers(self.model, self.processor, batch=3, max_new_tokens=4)
        single = unigauge.adapters.transformers(self.model, self.processor, max_new_tokens=4)
        alone = [self.texts(single, [request])[0] for request in requests]
        self.assertEqual(self.texts(batched, requests), alone)

    def test_sampling_follows_the_seed(self):
        import torch

        model = unigauge.adapters.transformers(self.model, self.processor, max_new_tokens=8, do_sample=True)
        torch.manual_seed(1)
        before = torch.get_rng_state()
        first, again, other = (self.texts(model, self.requests("a", task="understand", seed=s))[0] for s in (1, 1, 2))
        self.assertTrue((torch.get_rng_state() == before).all())
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_the_runner_loads_a_folder(self):
        folder = os.path.join(self.folder, "model")
        self.model.save_pretrained(folder)
        self.processor.save_pretrained(folder)
        requests = self.questions(images=[self.picture(56)])
        single = unigauge.adapters.transformers(self.model, self.processor, max_new_tokens=8)
        settings = ("max_new_tokens=8", "batch=3", "device=cpu")
        _, replies = self.run_model(f"transformers:{folder}", *settings, requests=requests)
        self.assertEqual([reply["text"] for reply in replies], self.texts(single, requests))


if __name__ == "__main__":
    unittest.main()
