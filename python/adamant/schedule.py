# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Learning-rate schedules as plain functions of the step: `optimizer.lr = cosine(1e-3, step, 10000)`.

`step` counts from 0. Numbers of steps are integers from 0 to 2^64 - 1; rates and factors may be any numbers. Schedules
keep no state, so a resumed run continues exactly. They are those of the C++ interface.
"""

import math

from ._checks import count

__all__ = ["constant", "cosine", "linear", "one_cycle", "step_decay", "warmup", "warmup_cosine"]


def constant(lr: float, step: int) -> float:
    """lr at every step."""
    _check(step=step)
    return lr


def linear(lr: float, step: int, total: int, start_factor: float = 1.0, end_factor: float = 0.0) -> float:
    """Linear from start_factor·lr at step 0 to end_factor·lr at step `total` and after."""
    _check(step=step, total=total)
    return lr * (start_factor + (end_factor - start_factor) * _progress(step, 0, total))


def warmup(lr: float, step: int, warmup: int) -> float:
    """Linear from lr/warmup at step 0 to lr at step warmup-1 and after; warmup 0 gives lr."""
    _check(step=step, warmup=warmup)
    return lr if step >= warmup - 1 else lr * (step + 1) / warmup


def cosine(lr: float, step: int, total: int, min_lr: float = 0.0) -> float:
    """Half a cosine from lr at step 0 to `min_lr` at step `total` and after. Loshchilov & Hutter (2017), eq. 5."""
    _check(step=step, total=total)
    return _anneal(lr, min_lr, _progress(step, 0, total))


def warmup_cosine(lr: float, step: int, warmup: int, total: int, min_lr: float = 0.0) -> float:
    """`warmup` steps of linear warm-up, then half a cosine over the rest of `total`."""
    _check(step=step, warmup=warmup, total=total)
    if step < warmup:
        return lr * (step + 1) / warmup
    return _anneal(lr, min_lr, _progress(step, warmup, total))


def step_decay(lr: float, step: int, period: int, gamma: float = 0.1) -> float:
    """lr·gamma^(step/period), the exponent rounded down: a staircase. period 0 gives lr."""
    _check(step=step, period=period)
    return lr * gamma ** (step // period) if period else lr


def one_cycle(max_lr: float, step: int, total: int, pct_start: float = 0.3, div_factor: float = 25.0,
              final_div_factor: float = 1e4) -> float:
    """One cycle with cosine flanks, as torch's OneCycleLR. Smith & Topin (2018).

    From max_lr/div_factor up to max_lr over the first `pct_start` of `total` steps, then down to
    max_lr/(div_factor·final_div_factor).
    """
    _check(step=step, total=total)
    initial = max_lr / div_factor
    # As torch counts: the first step has the initial rate, the last one (total - 1) the final rate.
    top = pct_start * total - 1.0
    if step <= top:
        return _anneal(initial, max_lr, _progress(step, 0.0, top))
    return _anneal(max_lr, initial / final_div_factor, _progress(step, top, total - 1.0))


def _check(**counts):
    """Refuses what is no number of steps."""
    for name, value in counts.items():
        count(value, name)


def _progress(step, begin, end):
    """How far `step` is from `begin` to `end`, in [0, 1]."""
    if step >= end:
        return 1.0
    return 0.0 if step <= begin else (step - begin) / (end - begin)


def _anneal(start, end, share):
    """From `start` to `end` along half a cosine."""
    return end + (start - end) * (1.0 + math.cos(math.pi * share)) / 2.0
