# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The memory of arrays: of NumPy, and of everything that has `__array_interface__` or `__dlpack__` on the CPU."""

import ctypes
import math
import weakref

import numpy as np

from ._checks import kind
from ._errors import InvalidArgumentError, MismatchError
from ._library import Format

FORMATS = {"float32": Format.F32, "float64": Format.F64, "bfloat16": Format.BF16, "float16": Format.F16}
# How NumPy shows numbers of a format; it has no bf16.
DTYPES = {Format.F32: np.dtype(np.float32), Format.F64: np.dtype(np.float64), Format.BF16: np.dtype(np.uint16),
          Format.F16: np.dtype(np.float16)}


def dtype_of(element):
    """NumPy's dtype of a number format of the engine; of one that is no number format (-1), bytes."""
    return np.dtype(np.uint8) if element < 0 else DTYPES[element]


class Memory:
    """Where an array lies, and what keeps it there.

    address, size (elements), shape, format (`Format`), writable; `array` is what the user gave, which stays referenced;
    `dtype` is NumPy's for the format, None where NumPy cannot give the address of such an array quickly.
    """

    __slots__ = ("name", "array", "address", "size", "shape", "format", "dtype", "writable", "_keep")

    def __init__(self, array, name, uint16=None):
        """Refuses, by `name`, what the engine cannot use in place; it checks addresses and overlaps itself. `uint16` is
        the Format that uint16 arrays have."""
        self.name = name
        self.array = array
        if isinstance(array, np.ndarray):
            self._of_numpy(array, name, uint16)
        elif hasattr(array, "__array_interface__"):
            self._of_numpy(np.asarray(array), name, uint16)
        elif hasattr(array, "__dlpack__"):
            self._of_dlpack(array, name, uint16)
        else:
            raise InvalidArgumentError(f"{name} is {kind(array)}: it must be a NumPy array, or have "
                                       "__array_interface__ or __dlpack__")
        self.size = math.prod(self.shape)
        shown = self.format != Format.BF16 or uint16 == Format.BF16
        self.dtype = DTYPES[self.format] if shown and self.size else None

    def _of_numpy(self, array, name, uint16):
        self._keep = (array, pins(array))
        self.shape = array.shape
        self.writable = array.flags.writeable
        self.format = _format(array.dtype.name, name, uint16)
        if not array.dtype.isnative:
            raise InvalidArgumentError(f"{name} is byte-swapped ({array.dtype.str}): its bytes must be in the order of "
                                       "this machine")
        if not array.flags.c_contiguous:
            raise InvalidArgumentError(f"{name} has strides {array.strides} and shape {array.shape}: it must be "
                                       "C-contiguous (numpy.ascontiguousarray copies)")
        self.address = array.__array_interface__["data"][0]

    def _of_dlpack(self, array, name, uint16):
        device, number = array.__dlpack_device__()
        if device != _CPU:
            raise InvalidArgumentError(f"{name} lies on the DLPack device ({int(device)}, {number}): it must be in CPU "
                                       "memory")
        capsule = _exported(array, name)
        self._keep = (array, capsule)
        if _is_capsule(capsule, b"dltensor_versioned"):
            managed = _Versioned.from_address(_pointer(capsule, b"dltensor_versioned"))
            self.writable = not managed.flags & _READ_ONLY
        else:
            managed = _Managed.from_address(_pointer(capsule, b"dltensor"))
            self.writable = True  # nothing says otherwise
        tensor = managed.tensor
        self.shape = tuple(tensor.shape[: tensor.ndim])
        kind = (tensor.code, tensor.bits, tensor.lanes)
        self.format = _format(_DLPACK_TYPES.get(kind, f"of the DLPack type {kind}"), name, uint16)
        strides = tensor.strides[: tensor.ndim] if tensor.strides else None
        step = 1
        for extent, stride in zip(reversed(self.shape), reversed(strides or [])):
            if extent != 1 and stride != step and 0 not in self.shape:
                raise InvalidArgumentError(f"{name} has strides {tuple(strides)} and shape {self.shape}: it must be "
                                           "contiguous, by rows")
            step *= extent
        self.address = (tensor.data or 0) + tensor.byte_offset

    def like(self, param):
        """Itself; refuses a gradient of another shape than its parameter."""
        if self.shape != param.shape:
            raise MismatchError(f"{self.name} has shape {self.shape}: it must have that of its parameter, "
                                f"{param.shape}")
        return self


def pins(array):
    """What keeps the memory of a NumPy array where it is: NumPy moves no array to which there is a weak reference,
    resize() refuses, also with refcheck=False. A view shows the memory of another array."""
    found = []
    while isinstance(array, np.ndarray):
        found.append(weakref.ref(array))
        array = array.base
    return found


def as_floats(array, name, shape):
    """An f32 array of that shape, copied only if it has to be."""
    try:
        array = np.ascontiguousarray(array, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{name} must be an array of numbers: {error}") from None
    if array.shape != shape:
        raise MismatchError(f"{name} have shape {array.shape}: they must have {shape}")
    return array


class _Shown:
    """Memory of the engine for NumPy, whose arrays keep this object, and so the engine, alive."""

    def __init__(self, owner, address, shape, dtype):
        self._owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, True), "shape": shape, "typestr": dtype.str}


def show(owner, address, shape, dtype, shown):
    """A read-only array on memory that `owner` holds. `shown`, a weakref.WeakSet, knows whether such an array lives."""
    if not address:
        return np.empty(shape, dtype)  # of no elements
    view = _Shown(owner, address, shape, dtype)
    shown.add(view)
    return np.asarray(view)


def _exported(array, name):
    """The capsule of DLPack, whose going frees what was exported."""
    try:
        try:
            return array.__dlpack__(max_version=(1, 0))
        except TypeError:
            return array.__dlpack__()
    except (BufferError, RuntimeError) as error:
        if getattr(array, "requires_grad", False):
            raise InvalidArgumentError(f"{name} is {kind(array)} and requires grad: adamant.torch has the optimizers "
                                       "for the parameters of torch") from None
        raise InvalidArgumentError(f"{name} is {kind(array)} and not exported: {error}") from error


def _format(dtype, name, uint16):
    if dtype == "uint16" and uint16 is not None:
        return uint16
    if dtype not in FORMATS:
        hint = '; format="bf16" reads uint16 as bfloat16' if dtype == "uint16" else ""
        raise InvalidArgumentError(f"{name} is {dtype}: it must be one of {', '.join(FORMATS)}{hint}")
    return FORMATS[dtype]


# DLPack, dlpack.h: what an exporter hands out.
_CPU = 1
_READ_ONLY = 1
_DLPACK_TYPES = {(2, 32, 1): "float32", (2, 64, 1): "float64", (2, 16, 1): "float16", (4, 16, 1): "bfloat16",
                 (1, 16, 1): "uint16"}


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class _Versioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("context", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", _Tensor)]


_is_capsule = ctypes.pythonapi.PyCapsule_IsValid
_is_capsule.argtypes, _is_capsule.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_int
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.argtypes, _pointer.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_void_p
