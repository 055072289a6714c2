"""Sampling in a training loop must not change the training."""

from __future__ import annotations

import contextlib
import random
import sys
from typing import Iterator


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps the states of the random number generators of Python, numpy and torch (CPU and CUDA), as far as
    they are loaded, and switches gradients off."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    python_state = random.getstate()
    numpy_state = numpy.random.get_state() if hasattr(numpy, "random") else None
    if torch is None or not hasattr(torch, "get_rng_state"):
        torch = None
    torch_state = torch.get_rng_state() if torch else None
    cuda_states = torch.cuda.get_rng_state_all() if torch and torch.cuda.is_initialized() else None
    try:
        with torch.no_grad() if torch else contextlib.nullcontext():
            yield
    finally:
        random.setstate(python_state)
        if numpy_state is not None:
            numpy.random.set_state(numpy_state)
        if torch_state is not None:
            torch.set_rng_state(torch_state)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)
