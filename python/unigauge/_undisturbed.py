"""Sampling in a training loop must not change the training."""

from __future__ import annotations

import contextlib
import random
import sys
from typing import Any, Iterator


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps the states of the random number generators of Python, numpy and torch (CPU and CUDA), as far as
    they are loaded, and switches gradients off."""
    numpy, torch = _loaded("numpy", "random"), _loaded("torch", "get_rng_state")
    python_state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy else None
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


def _loaded(library: str, needed: str) -> Any:
    """A library if it is loaded and has this attribute; otherwise None. It is not imported here."""
    module = sys.modules.get(library)
    return module if hasattr(module, needed) else None
