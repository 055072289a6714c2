"""Which arguments a user's function takes, by the names of its parameters."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Sequence

#: What a function can take, and the key of the request that it comes from.
NAMES = ("prompt", "seed", "images", "task", "item", "repeat")
#: Further names where a function takes lists.
PLURALS = {"prompts": "prompt", "seeds": "seed", "tasks": "task", "items": "item", "repeats": "repeat"}


def parameters(function: Callable[..., Any], batched: bool) -> Dict[str, str]:
    """The parameters that get a value, each with the key of the request.

    Args:
        function: The user's function.
        batched: Whether it takes lists, so that names in the plural count, too.

    Raises:
        TypeError: If the function has a parameter without a default that has another name, or takes nothing
            of a request, or is a coroutine.
    """
    name = getattr(function, "__name__", type(function).__name__)
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(f"unigauge: {name} must be an ordinary function that returns its answer")
    try:
        signature = inspect.signature(function)
    except ValueError:
        raise TypeError(f"unigauge: the parameters of {name} are not known; wrap it in a function") from None
    known = {key: key for key in NAMES}
    if batched:
        known.update(PLURALS)
    taken: Dict[str, str] = {}
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for key in NAMES:
                taken.setdefault(key, key)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif parameter.name in known and parameter.kind is not parameter.POSITIONAL_ONLY:
            taken[parameter.name] = known[parameter.name]
        elif parameter.default is parameter.empty:
            raise TypeError(
                f"unigauge: {name} has the parameter {parameter.name!r}, which gets no value; a function takes "
                f"some of {', '.join(known)} by name, and other parameters need a default"
            )
    if not taken:
        raise TypeError(f"unigauge: {name} takes nothing of a request; it should take some of {', '.join(known)}")
    return taken


def single(taken: Dict[str, str], values: Dict[str, Any]) -> Dict[str, Any]:
    """The keyword arguments for one request."""
    return {name: values[key] for name, key in taken.items()}


def lists(taken: Dict[str, str], requests: Sequence[Dict[str, Any]]) -> Dict[str, List[Any]]:
    """The keyword arguments for several requests: each is a list with one entry for each request."""
    return {name: [values[key] for values in requests] for name, key in taken.items()}
