"""Which values are pictures, and what a wrong one is told."""

import os
import tempfile
import types
import unittest

from support import PNG, need, size_of_png
from unigauge import PictureError
from unigauge._pictures import pictures_of, write


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def refused(self, value, *words):
        with self.assertRaises(PictureError) as caught:
            write(value, self.folder, "output")
        for word in words:
            self.assertIn(word, str(caught.exception))


class Files(Case):
    def test_bytes_get_the_extension_of_their_format(self):
        for content, extension in ((PNG, "png"), (b"\xff\xd8\xff\xe0", "jpg"), (b"RIFF0000WEBP", "webp")):
            path = write(bytearray(content), self.folder, "output")
            self.assertEqual(os.path.basename(path), f"output.{extension}")
            with open(path, "rb") as file:
                self.assertEqual(file.read(), content)
        self.refused(b"", "0 bytes")

    def test_a_path_stays_where_it_is(self):
        path = write(PNG, self.folder, "first")
        self.assertEqual(write(path, self.folder, "second"), path)
        self.refused(os.path.join(self.folder, "absent.png"), "is not the path of a file")

    def test_the_pictures_in_a_value(self):
        self.assertEqual(pictures_of(types.SimpleNamespace(images=[1, 2])), [1, 2])
        self.assertEqual(pictures_of((1, 2)), [1, 2])
        self.assertEqual(pictures_of("path"), ["path"])


class Arrays(Case):
    def setUp(self):
        super().setUp()
        need("numpy")

    def read(self, value):
        """The pixels that another reader sees."""
        need("PIL")
        import numpy
        from PIL import Image

        with Image.open(write(value, self.folder, "output")) as image:
            self.assertEqual(image.mode, "RGB")
            return numpy.asarray(image)

    def test_bytes_of_all_shapes(self):
        import numpy

        picture = numpy.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=numpy.uint8)
        self.assertTrue((self.read(picture) == picture).all())
        self.assertTrue((self.read(picture.transpose(2, 0, 1)) == picture).all())
        self.assertTrue((self.read(picture[None]) == picture).all())
        self.assertTrue((self.read(picture[::-1, ::-1]) == picture[::-1, ::-1]).all())
        grey = picture[:, :, 0]
        for shaped in (grey, grey[:, :, None], grey[None]):
            self.assertTrue((self.read(shaped) == grey[:, :, None]).all())
        opaque = numpy.concatenate([picture, numpy.full((5, 7, 1), 255, numpy.uint8)], axis=2)
        self.assertTrue((self.read(opaque) == picture).all())
        self.assertEqual(size_of_png(write(picture, self.folder, "output")), (7, 5))

    def test_the_array_of_the_caller_stays_as_it_is(self):
        import numpy

        picture = numpy.random.default_rng(1).integers(0, 256, (6, 8, 3), dtype=numpy.uint8)
        before = picture.copy()
        write(picture, self.folder, "output")
        self.assertTrue((picture == before).all())

    def test_floats(self):
        import numpy

        for kind in ("float16", "float32", "float64"):
            values = numpy.linspace(0, 1, 90, dtype=kind).reshape(6, 5, 3)
            expected = (values.astype("float64") * 255).round().astype("uint8")
            self.assertTrue((self.read(values) == expected).all(), kind)
        self.read(numpy.full((6, 5, 3), 1.0005, "float32"))

    def test_what_is_refused(self):
        import numpy

        floats = numpy.zeros((6, 5, 3), "float32")
        self.refused(floats + 255, "255..255", "floats in 0..1")
        self.refused(floats - 1, "-1..-1")
        for value in (numpy.nan, numpy.inf, -numpy.inf):
            wrong = floats.copy()
            wrong[1, 2, 0] = value
            self.refused(wrong, "1 of 90 numbers that are NaN or infinite", "(6, 5, 3)")
        self.refused(floats.astype("int64"), "type int64")
        self.refused(floats.astype("bool"), "type bool")
        self.refused(floats.astype("complex64"), "type complex64")
        self.refused(numpy.zeros((6, 5, 2), "uint8"), "(6, 5, 2)", "1, 3 or 4 channels")
        self.refused(numpy.zeros((3, 5, 3), "uint8"), "both the first and the last side")
        self.refused(numpy.zeros((0, 5, 3), "uint8"), "no pixels")
        self.refused(numpy.zeros(5, "uint8"), "shape (5,)")
        self.refused(numpy.zeros((2, 6, 5, 3), "uint8"), "(2, 6, 5, 3)")
        see_through = numpy.full((6, 5, 4), 128, "uint8")
        self.refused(see_through, "transparent", "alpha from 128")

    def test_a_stack_of_pictures_is_several(self):
        import numpy

        self.assertEqual(len(pictures_of(numpy.zeros((2, 6, 5, 3), "uint8"))), 2)


class Tensors(Case):
    def test_a_tensor_leaves_its_graph(self):
        need("numpy")
        import numpy

        class Tensor:
            """What is used of a tensor of torch."""

            def __init__(self, array, kind="float16"):
                self.array, self.kind, self.shape = array, kind, array.shape
                self.steps = []

            def __getattr__(self, name):
                if name in ("detach", "cpu"):
                    return lambda: self.steps.append(name) or self
                raise AttributeError(name)

            def is_floating_point(self):
                return self.kind.startswith("float")

            def float(self):
                self.steps.append("float")
                return self

            def numpy(self):
                return self.array

        tensor = Tensor(numpy.full((3, 4, 5), 0.5, "float32"))
        self.assertEqual(size_of_png(write(tensor, self.folder, "output")), (5, 4))
        self.assertEqual(tensor.steps, ["detach", "cpu", "float"])
        whole = Tensor(numpy.zeros((6, 5, 3), "uint8"), "uint8")
        write(whole, self.folder, "output")
        self.assertEqual(whole.steps, ["detach", "cpu"])

    def test_tensors_of_torch(self):
        need("torch", "numpy")
        import torch

        for kind in (torch.float16, torch.bfloat16, torch.float32):
            picture = torch.rand(3, 4, 5, dtype=torch.float32).to(kind).requires_grad_()
            self.assertEqual(size_of_png(write(picture, self.folder, "output")), (5, 4))
        self.assertEqual(len(pictures_of(torch.zeros(2, 3, 4, 5))), 2)


class Images(Case):
    def setUp(self):
        super().setUp()
        need("PIL")

    def pixel(self, image):
        from PIL import Image

        with Image.open(write(image, self.folder, "output")) as read:
            self.assertEqual((read.mode, read.info.get("icc_profile")), ("RGB", None))
            return read.getpixel((0, 0))

    def test_modes_that_mean_a_colour(self):
        from PIL import Image

        red = Image.new("RGB", (4, 3), (255, 0, 0))
        self.assertEqual(self.pixel(red), (255, 0, 0))
        for mode in ("RGBA", "RGBX", "P", "CMYK", "HSV"):
            self.assertEqual(self.pixel(red.convert(mode)), (255, 0, 0), mode)
        for channel, least in zip(self.pixel(red.convert("YCbCr")), (253, 0, 0)):
            self.assertLessEqual(abs(channel - least), 2)
        self.assertEqual(self.pixel(Image.new("1", (4, 3), 1)), (255, 255, 255))
        self.assertEqual(self.pixel(Image.new("L", (4, 3), 100)), (100, 100, 100))
        self.assertEqual(self.pixel(Image.new("LA", (4, 3), (100, 255))), (100, 100, 100))

    def test_sixteen_bits_are_scaled(self):
        from PIL import Image

        for value, expected in ((0, 0), (257, 1), (0x8080, 128), (65535, 255)):
            self.assertEqual(self.pixel(Image.new("I;16", (4, 3), value)), (expected,) * 3)

    def test_a_profile_of_another_colour_space_is_left_out(self):
        from PIL import Image

        image = Image.new("CMYK", (4, 3))
        image.info["icc_profile"] = b"a profile for CMYK"
        self.assertEqual(self.pixel(image), (255, 255, 255))

    def test_what_is_refused(self):
        from PIL import Image

        self.refused(Image.new("RGBA", (4, 3), (255, 0, 0, 128)), "mode RGBA", "alpha from 128")
        self.refused(Image.new("LA", (4, 3), (100, 0)), "mode LA", "transparent")
        self.refused(Image.new("F", (4, 3), 0.5), "mode F", "(0.5, 0.5)")
        self.refused(Image.new("I", (4, 3), 70000), "mode I")
        palette = Image.new("P", (4, 3))
        palette.info["transparency"] = 0
        self.refused(palette, "transparent")


class Writer(Case):
    def test_the_small_writer_agrees_with_pillow(self):
        need("numpy", "PIL")
        import io

        import numpy
        from PIL import Image
        from unigauge._png import encode

        for shape in ((1, 1, 3), (1, 9, 3), (9, 1, 3), (33, 65, 3)):
            picture = numpy.random.default_rng(2).integers(0, 256, shape, dtype=numpy.uint8)
            with Image.open(io.BytesIO(encode(picture))) as read:
                self.assertTrue((numpy.asarray(read) == picture).all(), shape)


if __name__ == "__main__":
    unittest.main()
