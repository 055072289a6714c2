"""The parity cases lpips_alex, lpips_vgg and lpips_squeeze: LPIPS v0.1 with small random weights.

    python make.py ../parity

with numpy, safetensors, torch, torchvision and lpips 0.1.4. The published networks are too large for a test, so the distance
is composed here of torch's own operations for any width, and the composition is first held against the package lpips at full
width with random weights.
"""

import io
import json
import pathlib
import pickletools
import sys

import lpips
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

SHIFT = torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1)
SCALE = torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1)


def conv(w, name, x, stride=1, padding=0):
    return F.relu(F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], stride, padding))


def alex(w, x):
    x = conv(w, "features.0", x, 4, 2)
    yield x
    x = conv(w, "features.3", F.max_pool2d(x, 3, 2), 1, 2)
    yield x
    x = F.max_pool2d(x, 3, 2)
    for index in (6, 8, 10):
        x = conv(w, f"features.{index}", x, 1, 1)
        yield x


def vgg(w, x):
    for number, block in enumerate([(0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)]):
        if number:
            x = F.max_pool2d(x, 2, 2)
        for index in block:
            x = conv(w, f"features.{index}", x, 1, 1)
        yield x


def squeeze(w, x):
    def fire(index, x):
        x = conv(w, f"features.{index}.squeeze", x)
        return torch.cat([conv(w, f"features.{index}.expand1x1", x),
                          conv(w, f"features.{index}.expand3x3", x, 1, 1)], 1)

    x = conv(w, "features.0", x, 2)
    yield x
    for block in [(3, 4), (6, 7), (9,), (10,), (11,), (12,)]:
        if block[0] in (3, 6, 9):
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        for index in block:
            x = fire(index, x)
        yield x


TRUNKS = {"alex": alex, "vgg": vgg, "squeeze": squeeze}


def distance(net, w, lin, a, b):
    def unit(f):
        return f / (f.square().sum(1, keepdim=True).sqrt() + 1e-10)

    pairs = zip(*(TRUNKS[net](w, (x - SHIFT) / SCALE) for x in (a, b)))
    return sum((F.conv2d((unit(f) - unit(g)).square(), lin[f"lin{k}.model.1.weight"])).mean((1, 2, 3))
               for k, (f, g) in enumerate(pairs))


def hold_against_the_package(net):
    theirs = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()
    w = {}
    for name, tensor in theirs.net.state_dict().items():
        w["features." + name.split(".", 1)[1]] = tensor
    lin = {name: tensor for name, tensor in theirs.state_dict().items() if name.startswith("lin") and "lins" not in name}
    a, b = torch.rand(2, 1, 3, 70, 91) * 2 - 1
    with torch.no_grad():
        ours, package = distance(net, w, lin, a, b), theirs(a, b).flatten()
    assert (ours - package).abs().max() < 1e-6, (net, ours, package)
    return w, lin


def narrow(tensors, names):
    """Random weights of the same kinds with few channels."""
    few = {3: 3}

    def width(channels):
        return few.setdefault(channels, max(2, channels // 40))

    small = {}
    for name, tensor in tensors.items():
        shape = list(tensor.shape)
        shape[0] = width(shape[0]) if names else shape[0]
        if tensor.dim() == 4:
            shape[1] = width(shape[1])
        small[name] = torch.randn(shape) * (2 / max(1, torch.Size(shape[1:]).numel())) ** 0.5
    return small


def save_as_the_package(tensors, path):
    """The form of before torch 1.6, with texts as Python 2 pickled them."""
    file = io.BytesIO()
    torch.save(tensors, file, _use_new_zipfile_serialization=False)
    old, new = file.getvalue(), b""
    at = 0
    for _ in range(5):
        pickle, start = io.BytesIO(old[at:]), at
        operations = list(pickletools.genops(pickle))
        ends = [position for _, _, position in operations[1:]] + [pickle.tell()]
        for (operation, argument, position), end in zip(operations, ends):
            if operation.name == "BINUNICODE":
                text = argument.encode()
                new += b"U" + bytes([len(text)]) + text
            else:
                new += old[start + position : start + end]
        at += pickle.tell()
    path.write_bytes(new + old[at:])


def case(net, folder):
    torch.manual_seed(7)
    full, full_lin = hold_against_the_package(net)
    w, lin = narrow(full, True), {k: t.abs() for k, t in narrow(full_lin, False).items()}
    # Where two convolutions stand side by side, the next one reads the channels of both.
    for index in range(3, 13):
        key = f"features.{index}.squeeze.weight"
        if key in w and index not in (3,):
            before = max(i for i in range(3, index) if f"features.{i}.expand1x1.weight" in w)
            channels = 2 * w[f"features.{before}.expand1x1.weight"].shape[0]
            w[key] = torch.randn(w[key].shape[0], channels, 1, 1) * (2 / channels) ** 0.5
    taps = list(TRUNKS[net](w, torch.zeros(1, 3, 64, 64)))
    lin = {f"lin{k}.model.1.weight": torch.rand(1, tap.shape[1], 1, 1) for k, tap in enumerate(taps)}
    a = torch.rand(1, 3, 64, 71) * 2 - 1
    b = (a + 0.3 * torch.randn(a.shape)).clamp(-1, 1)
    a, b = a.half(), b.half()
    target = folder / f"lpips_{net}"
    (target / "checkpoint").mkdir(parents=True, exist_ok=True)
    save_file(w, target / "checkpoint/trunk.safetensors")
    save_as_the_package(lin, target / "checkpoint/linear.pth")
    save_file({"a": a, "b": b}, target / "inputs.safetensors")
    with torch.no_grad():
        save_file({"distance": distance(net, w, lin, a.float(), b.float())}, target / "expected.safetensors")
    description = {
        "model": "lpips",
        "net": net,
        "reference": f"lpips 0.1.4, torch {torch.__version__.split('+')[0]}",
        "tolerance": {"distance": 1e-5},
    }
    (target / "case.json").write_text(json.dumps(description, indent=2) + "\n")


if __name__ == "__main__":
    for net in TRUNKS:
        case(net, pathlib.Path(sys.argv[1]))
