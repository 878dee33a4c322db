# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The memory of torch's tensors."""

import ctypes

import torch

from .._errors import InvalidArgumentError
from .._library import Format

DTYPES = {Format.F32: torch.float32, Format.F64: torch.float64, Format.BF16: torch.bfloat16, Format.F16: torch.float16}
# Of a dtype: the engine's format, and the numbers in an element. A rule sees a complex number as two real ones, as
# torch's do.
FORMATS = {dtype: (format, 1) for format, dtype in DTYPES.items()}
FORMATS[torch.complex64] = (Format.F32, 2)
FORMATS[torch.complex128] = (Format.F64, 2)
COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}

COUNTERS = {torch.float32: ctypes.c_float, torch.float64: ctypes.c_double, torch.int64: ctypes.c_int64}
"""How a step count lies in memory."""


def is_distributed(tensor):
    """Whether it is a DTensor, of which this process holds a part."""
    return hasattr(tensor, "to_local")


def local(tensor):
    """The part of a DTensor that this process holds; any other tensor itself."""
    if not is_distributed(tensor):
        return tensor
    with torch.no_grad():
        return tensor.to_local()


def steppable(tensor, name):
    """The `local` tensor; refuses, by `name`, one that the engine cannot use in place."""
    if is_distributed(tensor) and any(placement.is_partial() for placement in tensor.placements):
        raise InvalidArgumentError(f"{name} is a DTensor with placements {tensor.placements}: a partial sum must be "
                                   "redistributed first")
    tensor = local(tensor)
    if tensor.device.type != "cpu":
        raise InvalidArgumentError(f"{name} is on {tensor.device}: it must be in CPU memory (for a model on an "
                                   "accelerator there is adamant.torch.OffloadAdamW)")
    if tensor.layout is not torch.strided:
        raise InvalidArgumentError(f"{name} has the layout {tensor.layout}: it must be torch.strided")
    if tensor.dtype not in FORMATS:
        raise InvalidArgumentError(f"{name} is {tensor.dtype}: it must be one of {', '.join(map(str, FORMATS))}")
    if not tensor.is_contiguous() and not _is_dense(tensor):
        raise InvalidArgumentError(f"{name} has strides {tensor.stride()} and shape {tuple(tensor.shape)}: its elements "
                                   "must lie next to each other, in any order of the dimensions")
    if tensor.is_conj() or tensor.is_neg():
        raise InvalidArgumentError(f"{name} is a view that conjugates or negates: it must be resolved first")
    try:
        address = tensor.data_ptr()
    except RuntimeError as error:
        raise InvalidArgumentError(f"{name} has no memory of its own: {error}") from error
    if address == 0 and tensor.numel():
        raise InvalidArgumentError(f"{name} is of {type(tensor)} and has no memory of its own")
    return tensor


def _is_dense(tensor):
    """Whether its elements lie next to each other, none of them twice."""
    expected = 1
    for stride, extent in sorted(zip(tensor.stride(), tensor.shape)):
        if extent == 1:
            continue
        if stride != expected:
            return False
        expected *= extent
    return True


def like(tensor, dtype):
    """New memory that lies as that of a parameter, of the same shape, and of that real dtype; complex if it is."""
    if tensor.is_complex():
        if dtype not in COMPLEX:
            raise InvalidArgumentError(f"states of a {tensor.dtype} parameter cannot be {dtype}: torch has no such "
                                       "complex numbers")
        dtype = COMPLEX[dtype]
    return torch.empty_like(tensor, dtype=dtype, requires_grad=False, memory_format=torch.preserve_format)


def _one_by_one(increment):
    def bump(tensors):
        for tensor in tensors:
            increment(tensor)

    return bump


def _versions():
    increment = getattr(torch.autograd.graph, "increment_version", None)
    if increment is None:  # an operation in place on no elements of it
        return lambda tensor: tensor.detach().unsqueeze(0)[:0], torch._foreach_zero_
    try:
        increment([torch.zeros(1)])
    except (AttributeError, TypeError):
        increment = _one_by_one(increment)
    return lambda tensor: tensor, increment


versioned, bump_versions = _versions()
"""Tells autograd that tensors were changed in place, so that it refuses a backward pass that still needs them:
`bump_versions([versioned(tensor), ...])`."""
