# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The C interface, include/adamant/adamant.h, by ctypes: its numbers, its structs, and `c`, which holds its calls.

    c.step(handle, byref(StepOptions(grads=pointers, grad_count=2)), byref(report))

calls adamant_step without the GIL. A call that is refused raises the `adamant.Error` of its status. The header says
what each call and member means; a test compares this file with it.
"""

import ctypes
import enum
import numbers
import os
import pathlib
import sys
import types
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

from . import _checks
from ._checks import number, text
from ._errors import BY_STATUS, Error, InvalidArgumentError

ABI = 1


class List(enum.IntEnum):
    """The lists that can be enumerated."""

    RULES = 0
    SETTINGS = 1
    FORMATS = 2
    STATE_FORMATS = 3
    WEIGHT_FORMATS = 4
    PRESETS = 5
    TARGETS = 6
    MOMENTS = 7
    SUMS = 8
    LIGHTS = 9


class Kind(enum.IntEnum):
    """Kinds of values."""

    NUMBER = 0
    PAIR = 1
    FLAG = 2
    WORD = 3
    COUNT = 4


class Format(enum.IntEnum):
    """Formats of parameters and gradients."""

    F32 = 0
    F64 = 1
    BF16 = 2
    F16 = 3


class PlaneKind(enum.IntEnum):
    """What a plane of memory holds."""

    VALUES = 0
    EXPONENTS = 1
    LOW_BITS = 2


class Light(enum.IntEnum):
    """States of a light of the health checks."""

    GREEN = 0
    YELLOW = 1
    RED = 2


class StatisticsFlag(enum.IntFlag):
    """What statistics leave out."""

    NO_SAMPLE = 1
    NO_PROBES = 2


class MemoryFlag(enum.IntFlag):
    """What must not be written."""

    READ_ONLY = 1
    GRAD_READ_ONLY = 2
    FORMAT_READ_ONLY = 256


# The least and the greatest integer of each type.
_RANGES = {c_int32: (-2**31, 2**31 - 1), c_int64: (-2**63, 2**63 - 1), c_uint32: (0, 2**32 - 1),
           c_uint64: (0, 2**64 - 1), c_size_t: (0, 2 ** (8 * ctypes.sizeof(c_size_t)) - 1)}


class Struct(ctypes.Structure):
    """A struct of the interface, which knows its own size. Members that are not given are zeros: the defaults."""

    _fields_ = [("struct_size", c_size_t)]

    def __init_subclass__(cls):
        cls._integers = {name: kind for name, kind in cls._fields_ if kind in _RANGES}

    def __init__(self, **members):
        integers = self._integers
        for name in members:
            if name in integers:
                members[name] = _checks.count(members[name], name, *_RANGES[integers[name]])
        try:
            super().__init__(ctypes.sizeof(self), **members)
        except OverflowError:
            for name, kind in self._fields_:
                if kind is c_double and name in members:
                    number(members[name], name)
            raise


class Value(Struct):
    _fields_ = [("name", c_char_p), ("text", c_char_p), ("kind", c_int32), ("flag", c_int32), ("number", c_double * 2)]


class RuleInfo(Struct):
    _fields_ = [("name", c_char_p), ("title", c_char_p), ("option_count", c_size_t)]


class OptionInfo(Struct):
    _fields_ = [("name", c_char_p), ("default_text", c_char_p), ("range", c_char_p), ("kind", c_int32),
                ("default_flag", c_int32), ("default_number", c_double * 2), ("least", c_double), ("most", c_double),
                ("or_zero", c_int32), ("unused", c_int32)]


class SettingInfo(Struct):
    _fields_ = [("name", c_char_p), ("default_text", c_char_p), ("range", c_char_p), ("kind", c_int32),
                ("unused", c_int32)]


class FormatInfo(Struct):
    _fields_ = [("name", c_char_p), ("bytes", c_size_t), ("group", c_size_t), ("group_bytes", c_size_t),
                ("compact", c_int32), ("element", c_int32), ("max_finite", c_double), ("smallest_normal", c_double)]


class MomentInfo(Struct):
    _fields_ = [("name", c_char_p), ("title", c_char_p), ("unit", c_char_p), ("question", c_char_p),
                ("formula", c_char_p), ("reading", c_char_p)]


class Tensor(Struct):
    _fields_ = [("name", c_char_p), ("data", c_void_p), ("size", c_size_t), ("shape", POINTER(c_size_t)),
                ("ndim", c_size_t), ("grad", c_void_p), ("format", c_int32), ("grad_format", c_int32),
                ("flags", c_uint32), ("unused", c_uint32)]


class Group(Struct):
    _fields_ = [("tensors", POINTER(Tensor)), ("tensor_count", c_size_t), ("rule", c_char_p),
                ("options", POINTER(Value)), ("option_count", c_size_t)]


class Config(Struct):
    _fields_ = [("rule", c_char_p), ("groups", POINTER(Group)), ("group_count", c_size_t), ("options", POINTER(Value)),
                ("option_count", c_size_t), ("preset", c_char_p), ("settings", POINTER(Value)),
                ("setting_count", c_size_t)]


class StepOptions(Struct):
    _fields_ = [("grad_scale", c_double), ("statistics", c_void_p), ("grads", POINTER(c_void_p)),
                ("grad_tensors", POINTER(c_size_t)), ("grad_formats", POINTER(c_int32)), ("grad_count", c_size_t)]


class StepReport(Struct):
    _fields_ = [("applied", c_int32), ("has_grad_norm", c_int32), ("grad_norm", c_double),
                ("clip_coefficient", c_double), ("has_nonfinite", c_int32), ("unused", c_int32),
                ("nonfinite_tensor", c_size_t), ("nonfinite_element", c_size_t), ("nonfinite_count", c_uint64)]


class Plane(Struct):
    _fields_ = [("state", c_char_p), ("data", c_void_p), ("bytes", c_size_t), ("kind", c_int32), ("element", c_int32)]


class TensorInfo(Struct):
    _fields_ = [("name", c_char_p), ("shape", POINTER(c_size_t)), ("ndim", c_size_t), ("size", c_size_t),
                ("group", c_size_t), ("step", c_uint64), ("planes", POINTER(Plane)), ("plane_count", c_size_t),
                ("format", c_int32), ("state_format", c_int32), ("weight_format", c_int32), ("unused", c_int32)]


class GroupInfo(Struct):
    _fields_ = [("rule", c_char_p), ("formula", c_char_p), ("options", POINTER(Value)), ("option_count", c_size_t)]


class State(Struct):
    _fields_ = [("seed", c_uint64), ("steps", c_uint64), ("has_grad_norm", c_int32), ("unused", c_int32),
                ("grad_norm", c_double), ("group_count", c_size_t), ("tensor_count", c_size_t),
                ("groups", POINTER(GroupInfo)), ("tensors", POINTER(TensorInfo))]


class StatisticsOptions(Struct):
    _fields_ = [("observe_every", c_uint32), ("sample_every", c_uint32), ("probes", c_uint32), ("flags", c_uint32)]


class TensorStatistics(Struct):
    _fields_ = [("tensor", c_size_t), ("step", c_uint64), ("elements", c_uint64), ("sums", POINTER(c_double)),
                ("sum_count", c_size_t), ("sample_elements", c_uint64), ("sample_zero_grads", c_uint64),
                ("sample_scaled", c_uint64), ("sample_log_sum", c_double), ("sample_log_sq_sum", c_double),
                ("bins", POINTER(c_uint32)), ("bin_count", c_size_t), ("probe_count", c_size_t)]


class Probe(Struct):
    _fields_ = [("element", c_size_t), ("g", c_float), ("m", c_float), ("v", c_float), ("u", c_float), ("w", c_float),
                ("unused", c_float)]


class Moment(Struct):
    _fields_ = [("value", c_double), ("noise", c_double), ("bound", c_double), ("low", c_double), ("high", c_double)]


class SaveOptions(Struct):
    _fields_ = [("metadata", POINTER(Value)), ("metadata_count", c_size_t), ("max_file_bytes", c_uint64),
                ("params", c_int32), ("unused", c_int32)]


class LoadOptions(Struct):
    _fields_ = [("params", c_int32), ("round", c_int32)]


class CheckpointInfo(Struct):
    _fields_ = [("steps", c_uint64), ("bytes", c_uint64), ("metadata", POINTER(Value)), ("metadata_count", c_size_t),
                ("files", POINTER(c_char_p)), ("file_count", c_size_t), ("groups", POINTER(GroupInfo)),
                ("group_count", c_size_t), ("tensors", POINTER(TensorInfo)), ("tensor_count", c_size_t),
                ("state_format", c_int32), ("weight_format", c_int32), ("params", c_int32), ("unused", c_int32)]


class CheckpointsOptions(Struct):
    _fields_ = [("keep", c_size_t), ("max_file_bytes", c_uint64), ("params", c_int32), ("unused", c_int32)]


class RunLogOptions(Struct):
    _fields_ = [("title", c_char_p), ("notes", POINTER(Value)), ("note_count", c_size_t), ("every", c_uint64),
                ("flush_seconds", c_double), ("resume", c_char_p)]


class TensorboardOptions(Struct):
    _fields_ = [("max_tags", c_size_t), ("tensors", POINTER(c_char_p)), ("tensor_count", c_size_t),
                ("histogram_every", c_int64), ("flush_seconds", c_double)]


class Finding(Struct):
    _fields_ = [("light", c_char_p), ("cause", c_char_p), ("advice", c_char_p), ("tensor", c_char_p),
                ("sentence", c_char_p), ("severity", c_int32), ("unused", c_int32), ("step", c_uint64),
                ("more", c_size_t), ("value", c_double)]


_Handle = c_void_p
# What calls return that return no status.
_RETURNS = {"abi": c_uint32, "version": c_char_p, "status_name": c_char_p, "last_error": c_char_p, "free": None,
            "checkpoints_free": None, "statistics_free": None, "run_log_free": None, "tensorboard_free": None, "health_free": None}
# What each call takes.
_CALLS = {
    "abi": [],
    "version": [],
    "status_name": [c_int32],
    "last_error": [],
    "count": [c_int32, POINTER(c_size_t)],
    "get_name": [c_int32, c_size_t, POINTER(c_char_p)],
    "get_rule": [c_size_t, POINTER(RuleInfo)],
    "get_option_info": [c_char_p, c_size_t, POINTER(OptionInfo)],
    "get_setting_info": [c_size_t, POINTER(SettingInfo)],
    "get_format": [c_int32, c_size_t, POINTER(FormatInfo)],
    "get_moment_info": [c_size_t, POINTER(MomentInfo)],
    "current_target": [POINTER(c_char_p)],
    "use_target": [c_char_p],
    "create": [POINTER(Config), POINTER(_Handle)],
    "free": [_Handle],
    "add_group": [_Handle, POINTER(Group), POINTER(c_size_t)],
    "remove_tensor": [_Handle, c_size_t],
    "find_tensor": [_Handle, c_char_p, POINTER(c_size_t)],
    "get_option": [_Handle, c_size_t, c_char_p, POINTER(Value)],
    "set_options": [_Handle, c_size_t, POINTER(Value), c_size_t],
    "set_lr": [_Handle, c_double],
    "get_setting": [_Handle, c_char_p, POINTER(c_char_p)],
    "set_settings": [_Handle, POINTER(Value), c_size_t],
    "set_formats": [_Handle, c_char_p, c_char_p],
    "set_grads": [_Handle, POINTER(c_size_t), POINTER(c_void_p), POINTER(c_int32), c_size_t],
    "set_params": [_Handle, POINTER(c_size_t), POINTER(c_void_p), c_size_t],
    "set_lazy_row_grad": [_Handle, c_size_t, POINTER(c_int64), c_size_t, c_void_p, c_size_t, c_int32],
    "zero_grad": [_Handle],
    "step": [_Handle, POINTER(StepOptions), POINTER(StepReport)],
    "begin_step": [_Handle, POINTER(StepOptions)],
    "step_tensor": [_Handle, c_size_t, c_void_p, c_int32, POINTER(c_int32)],
    "end_step": [_Handle, POINTER(StepReport)],
    "get_state": [_Handle, POINTER(State)],
    "get_group": [_Handle, c_size_t, POINTER(GroupInfo)],
    "get_tensor": [_Handle, c_size_t, POINTER(TensorInfo)],
    "load": [_Handle, POINTER(State)],
    "set_tensor_step": [_Handle, c_size_t, c_uint64],
    "set_progress": [_Handle, c_uint64, POINTER(c_double)],
    "set_plane": [_Handle, c_size_t, c_char_p, c_int32, c_void_p, c_size_t],
    "export_param": [_Handle, c_size_t, POINTER(c_float), c_size_t],
    "import_param": [_Handle, c_size_t, POINTER(c_float), c_size_t],
    "export_state": [_Handle, c_size_t, c_char_p, POINTER(c_float), c_size_t],
    "bytes_per_parameter": [_Handle, POINTER(c_double)],
    "statistics_create": [POINTER(StatisticsOptions), POINTER(_Handle)],
    "statistics_free": [_Handle],
    "statistics_count": [_Handle, POINTER(c_size_t)],
    "statistics_get": [_Handle, c_size_t, POINTER(TensorStatistics)],
    "statistics_probe": [_Handle, c_size_t, c_size_t, POINTER(Probe)],
    "statistics_moments": [_Handle, c_size_t, _Handle, POINTER(Moment), c_size_t],
    "save": [_Handle, c_char_p, POINTER(SaveOptions)],
    "load_file": [_Handle, c_char_p, POINTER(LoadOptions), POINTER(CheckpointInfo)],
    "inspect": [c_char_p, POINTER(CheckpointInfo)],
    "verify": [c_char_p],
    "checkpoints_open": [c_char_p, POINTER(CheckpointsOptions), POINTER(_Handle)],
    "checkpoints_save": [_Handle, _Handle, POINTER(Value), c_size_t, c_int32],
    "checkpoints_wait": [_Handle],
    "checkpoints_list": [_Handle, POINTER(POINTER(c_uint64)), POINTER(c_size_t)],
    "checkpoints_load": [_Handle, _Handle, POINTER(LoadOptions), POINTER(CheckpointInfo), POINTER(c_int32)],
    "checkpoints_remove_after": [_Handle, c_uint64],
    "checkpoints_free": [_Handle],
    "run_log_open": [c_char_p, _Handle, POINTER(RunLogOptions), POINTER(_Handle)],
    "run_log_statistics": [_Handle, POINTER(_Handle)],
    "run_log_step": [_Handle, _Handle, c_double, POINTER(StepReport)],
    "run_log_end": [_Handle, POINTER(Value), c_size_t],
    "run_log_flush": [_Handle],
    "run_log_position": [_Handle, POINTER(c_char_p)],
    "run_log_free": [_Handle],
    "tensorboard_open": [c_char_p, _Handle, POINTER(TensorboardOptions), POINTER(_Handle)],
    "tensorboard_step": [_Handle, _Handle, c_double, POINTER(StepReport), _Handle],
    "tensorboard_flush": [_Handle],
    "tensorboard_path": [_Handle, POINTER(c_char_p)],
    "tensorboard_free": [_Handle],
    "health_create": [POINTER(_Handle)],
    "health_free": [_Handle],
    "health_step": [_Handle, _Handle, c_double, POINTER(StepReport), _Handle],
    "health_count": [_Handle, POINTER(c_size_t)],
    "health_get": [_Handle, c_size_t, POINTER(Finding)],
    "health_light": [_Handle, c_size_t, POINTER(c_int32)],
}


def find():
    """Path of the shared library: $ADAMANT_LIBRARY, else the one that lies beside this file."""
    suffix = {"win32": "dll", "darwin": "dylib"}.get(sys.platform, "so")
    return os.environ.get("ADAMANT_LIBRARY") or str(pathlib.Path(__file__).with_name("libadamant." + suffix))


def load(path):
    """Loads the library of that path and returns its calls, without the prefix "adamant_". Raises ImportError if it is
    not there or does not fit."""
    try:
        library = ctypes.CDLL(path)
        library.adamant_abi.restype = c_uint32
        library.adamant_version.restype = c_char_p
        version, abi = library.adamant_version().decode(), library.adamant_abi()
    except (OSError, AttributeError) as error:
        raise ImportError(f"cannot load the library of adamant: {error} (install the package with pip, or set "
                          "ADAMANT_LIBRARY to the path of the shared library)") from error
    if abi != ABI:
        raise ImportError(f"{path} (version {version}) has binary interface {abi}: it must be {ABI}")
    calls = types.SimpleNamespace(path=path)
    for name, takes in _CALLS.items():
        try:
            call = getattr(library, "adamant_" + name)
        except AttributeError:
            raise ImportError(f"{path} (version {version}) has no adamant_{name}: it is older than this "
                              "package") from None
        call.argtypes = takes
        call.restype = _RETURNS.get(name, c_int32)
        if name not in _RETURNS:
            call.errcheck = _check
        setattr(calls, name, call)
    return calls


def _check(status, call, arguments):
    """After each call that has a status."""
    if status:
        raise BY_STATUS.get(c.status_name(status).decode(), Error)(c.last_error().decode())


c = load(find())


class Handle:
    """What a call made, to be given to other calls, and freed when nobody has it any more."""

    def __init__(self, free):
        self._as_parameter_ = c_void_p()
        self._free = free

    def __del__(self):
        self._free(self._as_parameter_)

    @property
    def place(self):
        """Where a call that makes something puts it."""
        return ctypes.byref(self._as_parameter_)

    @property
    def address(self):
        """For a member of a struct."""
        return self._as_parameter_.value


def count(which):
    """Number of entries of a List."""
    number = c_size_t()
    c.count(which, number)
    return number.value


def names(which):
    """The names in a List, in its order."""
    name = c_char_p()
    found = []
    for index in range(count(which)):
        c.get_name(which, index, name)
        found.append(name.value.decode())
    return found


STATE_FORMATS, WEIGHT_FORMATS = names(List.STATE_FORMATS), names(List.WEIGHT_FORMATS)


def array(kind, structs):
    """An array of structs for the members that take one with a count: `POINTER(kind)` members keep it alive."""
    return (kind * len(structs))(*structs)


def values(settings):
    """A mapping of names to numbers, pairs, flags, texts or None ("none") as an array of Value."""
    return array(Value, [_value(name, value) for name, value in settings.items()])


def _value(name, value):
    name, given = text(name, "name of an option or setting"), name
    if value is None:
        return Value(name=name, text=b"none")
    if isinstance(value, str):
        return Value(name=name, text=text(value, given))
    if isinstance(value, bool):
        return Value(name=name, kind=Kind.FLAG, flag=value)
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise InvalidArgumentError(f"{given} is {value!r}: it must be a number, or a pair of numbers")
        return Value(name=name, kind=Kind.PAIR, number=tuple(number(each, f"a number of {given}") for each in value))
    if isinstance(value, numbers.Integral) and 2**53 < abs(value) < 2**128:
        return Value(name=name, text=str(value).encode())
    value = number(value, given, "a number, a pair of numbers, a bool, a str or None")
    return Value(name=name, kind=Kind.NUMBER, number=(value, 0.0))


def read(value):
    """What a Value that the library has filled holds: a float, a pair of them, a bool or a str."""
    if value.kind == Kind.NUMBER:
        return value.number[0]
    if value.kind == Kind.PAIR:
        return (value.number[0], value.number[1])
    if value.kind == Kind.FLAG:
        return bool(value.flag)
    return value.text.decode()
