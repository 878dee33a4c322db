# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Logistic regression in NumPy: two parameters, a schedule, clipping, a checkpoint in the middle.
# Prints: loss 0.693 at the start, 0.184 in the end
# Prints: exp_avg of w: float32 of shape (20,), a view of the engine's memory
# Prints: continued from the checkpoint: the same bits
import io

import numpy as np

import adamant
from adamant import schedule

STEPS = 300
random = np.random.default_rng(0)
x = random.standard_normal((1000, 20), np.float32)
y = (x @ random.standard_normal(20, np.float32) + random.standard_normal(1000, np.float32) > 0).astype(np.float32)


def train(params, first, state_dict=None):
    """Trains from step `first` on. Returns the loss of each step, the optimizer, and its state in the middle."""
    optimizer = adamant.AdamW(params, weight_decay=1e-2, max_norm=1.0)
    if state_dict is not None:
        optimizer.load_state_dict(state_dict)
    losses, middle = [], None
    for step in range(first, STEPS):
        if step == STEPS // 2:
            middle = optimizer.state_dict(), {name: array.copy() for name, array in params.items()}
        p = 1 / (1 + np.exp(-(x @ params["w"] + params["b"])))
        losses.append(-np.mean(y * np.log(p + 1e-7) + (1 - y) * np.log(1 - p + 1e-7)))
        error = (p - y) / len(y)
        optimizer.lr = schedule.warmup_cosine(0.05, step, 10, STEPS)
        optimizer.step({"w": x.T @ error, "b": error.sum(keepdims=True)})
    return losses, optimizer, middle


def zeros():
    """The parameters at the start."""
    return {"w": np.zeros(20, np.float32), "b": np.zeros(1, np.float32)}


params = zeros()
losses, optimizer, (state_dict, middle) = train(params, 0)
print(f"loss {losses[0]:.3f} at the start, {losses[-1]:.3f} in the end")

exp_avg = optimizer.state["w"]["exp_avg"]
print(f"exp_avg of w: {exp_avg.dtype} of shape {exp_avg.shape}, a view of the engine's memory")

file = io.BytesIO()  # or a path
np.savez(file, **state_dict)
file.seek(0)
train(middle, STEPS // 2, np.load(file))
same = all(np.array_equal(params[name], middle[name]) for name in params)
print("continued from the checkpoint:", "the same bits" if same else "other bits")
