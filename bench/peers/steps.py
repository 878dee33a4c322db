# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Whose steps are timed: Adamant's own rows, and the list of peers. Everything iterates over OURS and PEERS.

All are AdamW with a learning rate of 1e-3, betas 0.9 and 0.999 and a weight decay of 0.01, with no check for NaN, since
no peer has one. Packages are imported when the first of their steps is made.
"""

import importlib
import math
import os
import typing

THREADS = len(os.sched_getaffinity(0))


class Unavailable(Exception):
    """A peer that cannot be had, with the reason."""


class Step(typing.NamedTuple):
    """An optimizer with its parameters and gradients in memory."""
    run: typing.Callable[[], object]
    weights: typing.Callable[[], object]  # arrays, in lists or dicts
    states: typing.Callable[[], object]


class Row(typing.NamedTuple):
    """One line of the tables. `make` takes the shapes of tensors, and `values`, numbers enough for the largest."""
    name: str
    package: str  # of `packages.PACKAGES`
    bits: str     # which of Adamant's rows stores the same: f32, bf16, all bf16, q8
    make: typing.Callable[[list, object], Step]


def arrays_of(shapes, values):
    return [values[:math.prod(shape)].reshape(shape).copy() for shape in shapes]


def bf16_bits(array):
    return (array.view("uint32") >> 16).astype("uint16")


# ---- Adamant on NumPy arrays


def numpy_adamant(bf16=False, **formats):
    def make(shapes, values):
        import adamant
        source = bf16_bits(values) if bf16 else values
        params, grads = arrays_of(shapes, source), arrays_of(shapes, source)
        optimizer = adamant.AdamW(params, threads=THREADS, nonfinite="propagate",
                                  format="bf16" if bf16 else None, **formats)
        optimizer.set_grads(grads)
        return Step(optimizer.step, lambda: params, lambda: [optimizer.state[name] for name in optimizer.names])
    return make


# ---- Classes with the interface of torch.optim


def torch_params(shapes, values, dtype):
    import torch
    torch.set_num_threads(THREADS)
    source = torch.from_numpy(values).to(getattr(torch, dtype))
    params = [torch.nn.Parameter(source[:math.prod(shape)].reshape(shape).clone()) for shape in shapes]
    for param in params:
        param.grad = param.detach().clone()
    return params


def torch_class(module, name, dtype="float32", **options):
    def make(shapes, values):
        try:
            optimizers = importlib.import_module(module)
        except ImportError as error:
            raise Unavailable(f"import {module} failed: {error}") from error
        if not hasattr(optimizers, name):
            raise Unavailable(f"{module} has no {name}")
        params = torch_params(shapes, values, dtype)
        optimizer = getattr(optimizers, name)(params, lr=1e-3, weight_decay=1e-2, **options)
        return Step(optimizer.step, lambda: params, lambda: [optimizer.state[param] for param in params])
    return make


def torch_adamant(dtype="float32", **formats):
    return torch_class("adamant.torch", "AdamW", dtype, threads=THREADS, **formats)


# ---- The others


def prime_rl(shapes, values):
    """The function of a C++ file that torch compiles here, with the flags that its project gives it."""
    source = os.environ.get("PRIME_RL_KERNEL")
    if not source:
        raise Unavailable("no source given (--prime-rl kernel.cpp)")
    import torch
    from torch.utils.cpp_extension import load
    level = torch.backends.cpu.get_cpu_capability()
    flags = {"AVX512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma"],
             "AVX2": ["-mavx2", "-mfma", "-mf16c"]}
    if level in flags:
        flags[level] += [f"-DCPU_CAPABILITY={level}", f"-DCPU_CAPABILITY_{level}"]
    kernel = load(name="prime_rl_cpu_adam", sources=[source], extra_cflags=["-O3", "-fopenmp", *flags.get(level, [])],
                  extra_ldflags=["-fopenmp"])
    params = torch_params(shapes, values, "float32")
    data, grads = [param.detach() for param in params], [param.grad for param in params]
    firsts, seconds = [[torch.zeros_like(each) for each in data] for _ in range(2)]
    counts = [torch.zeros(()) for _ in data]
    return Step(lambda: kernel.adamw_step(data, grads, firsts, seconds, counts, [], 1e-3, 0.9, 0.999, 1e-2, 1e-8, 1.0),
                lambda: data, lambda: [firsts, seconds, counts])


def optax_adamw(shapes, values):
    import jax
    import optax
    params, grads = ([jax.numpy.array(each) for each in arrays_of(shapes, values)] for _ in range(2))
    rule = optax.adamw(1e-3, weight_decay=1e-2)

    def update(params, state, grads):
        updates, state = rule.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    compiled = jax.jit(update, donate_argnums=(0, 1))
    held = [params, rule.init(params)]

    def run():
        held[:] = jax.block_until_ready(compiled(*held, grads))
    return Step(run, lambda: held[0], lambda: jax.tree.leaves(held[1]))


OURS = [
    Row("adamant f32", "numpy", "f32", numpy_adamant()),
    Row("adamant bf16", "numpy", "bf16", numpy_adamant(True)),
    Row("adamant all bf16", "numpy", "all bf16", numpy_adamant(True, state="b16")),
    Row("adamant q8", "numpy", "q8", numpy_adamant(True, preset="q8")),
    Row("adamant.torch f32", "torch", "f32", torch_adamant()),
    Row("adamant.torch bf16", "torch", "bf16", torch_adamant("bfloat16")),
    Row("adamant.torch all bf16", "torch", "all bf16", torch_adamant("bfloat16", state="b16")),
    Row("adamant.torch q8", "torch", "q8", torch_adamant("bfloat16", preset="q8")),
]

DEEPSPEED = ("deepspeed.ops.adam", "DeepSpeedCPUAdam")
PEERS = [
    Row("torch AdamW (default)", "torch", "f32", torch_class("torch.optim", "AdamW")),
    Row("torch AdamW foreach", "torch", "f32", torch_class("torch.optim", "AdamW", foreach=True)),
    Row("torch AdamW fused", "torch", "f32", torch_class("torch.optim", "AdamW", fused=True)),
    Row("torch AdamW fused, all bf16", "torch", "all bf16",
        torch_class("torch.optim", "AdamW", "bfloat16", fused=True)),
    Row("prime-rl kernel", "torch", "f32", prime_rl),
    Row("DeepSpeedCPUAdam", "deepspeed", "f32", torch_class(*DEEPSPEED)),
    Row("DeepSpeedCPUAdam, bf16", "deepspeed", "bf16", torch_class(*DEEPSPEED, "bfloat16", fp32_optimizer_states=True)),
    Row("DeepSpeedCPUAdam, all bf16", "deepspeed", "all bf16",
        torch_class(*DEEPSPEED, "bfloat16", fp32_optimizer_states=False)),
    Row("optax.adamw", "optax", "f32", optax_adamw),
    Row("bitsandbytes AdamW8bit", "bitsandbytes", "q8", torch_class("bitsandbytes.optim", "AdamW8bit")),
    Row("bitsandbytes AdamW4bit", "bitsandbytes", "q8", torch_class("bitsandbytes.optim", "AdamW4bit")),
    Row("CPU fork AdamW8bit", "bitsandbytes-cpu-fork", "q8", torch_class("bitsandbytes.optim", "AdamW8bit")),
    Row("CPU fork AdamW4bit", "bitsandbytes-cpu-fork", "q8", torch_class("bitsandbytes.optim", "AdamW4bit")),
    Row("torchao AdamW8bit", "torchao", "q8",
        torch_class("torchao.optim", "AdamW8bit", "bfloat16", bf16_stochastic_round=True)),
]
