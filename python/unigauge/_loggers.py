"""Numbers of a training go to whatever logs them."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict

Values = Dict[str, float]


def log_function(logger: Any, prefix: str) -> Callable[[Values, int], None]:
    """The function that logs a flat dict of numbers for a step.

    Args:
        logger: wandb (the module or a run), trackio, swanlab, or any other object with `.log(dict)` or
            `.log(dict, step=…)`; MLflow or a logger of Lightning (`.log_metrics(dict, step=…)`); TensorBoard's
            SummaryWriter (`.add_scalar(name, number, step)`); a function that takes the dict; or None.
        prefix: What all names begin with.

    Raises:
        TypeError: If it is none of these.
    """
    if logger is None:
        return lambda values, step: None
    if hasattr(logger, "define_metric") and hasattr(logger, "log"):
        return _late(logger, prefix)
    if hasattr(logger, "log"):
        if _takes_step(logger.log):
            return lambda values, step: logger.log(values, step=step)
        return lambda values, step: logger.log(values)
    if hasattr(logger, "log_metrics"):
        return lambda values, step: logger.log_metrics(values, step=step)
    if hasattr(logger, "add_scalar"):
        return lambda values, step: _scalars(logger, values, step)
    if callable(logger):
        return lambda values, step: logger(values)
    raise TypeError(
        f"unigauge: a logger has .log(dict), .log_metrics(dict) or .add_scalar, not {type(logger).__name__}"
    )


def _late(logger: Any, prefix: str) -> Callable[[Values, int], None]:
    """wandb drops what is logged for an earlier step than its last one, and scores come late. So they get an
    axis of their own."""
    logger.define_metric(f"{prefix}/*", step_metric=f"{prefix}/step")
    return lambda values, step: logger.log(values)


def _takes_step(log: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(log).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(one.name == "step" or one.kind is one.VAR_KEYWORD for one in parameters)


def _scalars(writer: Any, values: Values, step: int) -> None:
    for name, value in values.items():
        writer.add_scalar(name, value, step)
    if hasattr(writer, "flush"):
        writer.flush()
