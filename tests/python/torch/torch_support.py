# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What the tests of adamant.torch share. Needs the environment that tests/python/CMakeLists.txt sets."""

import hashlib
import sys
import unittest

try:
    import torch
except ImportError:
    print("this Python has no torch")
    sys.exit(77)

torch.set_num_threads(1)

import adamant.torch

VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])

# Each rule of torch in each of its forms, with every option somewhere off its default.
FORMS = [
    ("AdamW", {}), ("AdamW", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}),
    ("AdamW", {"amsgrad": True}), ("AdamW", {"maximize": True, "weight_decay": 0.0}),
    ("Adam", {}), ("Adam", {"weight_decay": 0.1, "betas": (0.7, 0.9)}), ("Adam", {"amsgrad": True, "eps": 1e-5}),
    ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}), ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {}), ("RMSprop", {"alpha": 0.9, "momentum": 0.9}), ("RMSprop", {"centered": True, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True}),
    ("Adagrad", {}), ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.01, "initial_accumulator_value": 0.2, "eps": 1e-8}),
]
if VERSION >= (2, 8):
    FORMS.append(("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}))

SHAPES = [(7, 5), (300,), (), (5000,)]


def parameters(seed=0, shapes=SHAPES, **kinds):
    """New parameters, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).to(**kinds)) for shape in shapes]


def copies(params):
    """The same parameters again."""
    return [torch.nn.Parameter(param.detach().clone()) for param in params]


def give_grads(step, *lists):
    """The gradients of a step, the same for each list of parameters."""
    generator = torch.Generator().manual_seed(1000 + step)
    for of_all in zip(*lists):
        grad = torch.randn(of_all[0].shape, generator=generator).to(of_all[0].dtype)
        for param in of_all:
            param.grad = grad.clone()


def train(optimizer, params, steps, first=0):
    for step in range(first, first + steps):
        give_grads(step, params)
        optimizer.step()


def digest(data):
    """Short enough to be shown where bytes differ."""
    return hashlib.sha256(data).hexdigest()[:16]


def bits(tensors):
    """A digest of the bytes of each tensor, to be compared."""
    return [digest(bytes(tensor.detach().clone().contiguous().reshape(-1).view(torch.uint8).numpy())) for tensor in tensors]


class TestCase(unittest.TestCase):
    def assert_near(self, ours, theirs, relative=1e-6):
        """Every tensor is near the other, relative to its largest element."""
        for a, b in zip(ours, theirs):
            a, b = (torch.view_as_real(x.detach()) if x.is_complex() else x.detach().double() for x in (a, b))
            if not a.numel():
                continue
            self.assertLessEqual((a - b).abs().max().item(), relative * max(b.abs().max().item(), 1e-30))

    def refused(self, error, said, call, *args, **kwargs):
        with self.assertRaisesRegex(error, said):
            call(*args, **kwargs)
