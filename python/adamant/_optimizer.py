# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The optimizer: parameter groups, gradients, the step, states."""

from __future__ import annotations

import array
import ctypes
import functools
import itertools
import operator
import os
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Callable, ClassVar, TypeVar, cast

import numpy as np

from . import _arrays, _library, _state_dict
from ._arrays import Memory
from ._checks import Known, count, filled, number, text
from ._errors import BusyError, InvalidArgumentError, MismatchError, NotFoundError
from ._library import Format, MemoryFlag, c
from ._params import group_of, groups_of, numbered, refuse_array
from ._report import StepReport
from ._views import SETTINGS, Group, Settings, States

if TYPE_CHECKING:
    from ._insight import Statistics


def default_threads() -> int:
    """The threads of an optimizer that is given none: those of this process's processors (`os.sched_getaffinity`),
    divided by $LOCAL_WORLD_SIZE where a launcher such as torchrun has set it; 0, which leaves it to the engine, where
    it has not. OMP_NUM_THREADS is not looked at."""
    try:
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", ""))
    except ValueError:
        return 0
    if processes < 2:
        return 0
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, processors // processes)


def _counted(count: int, thing: str) -> str:
    """ "1 tensor", "2 tensors" """
    return f"{count} {thing}{'' if count == 1 else 's'}"


_Method = TypeVar("_Method", bound=Callable[..., Any])


def _one_at_a_time(method: _Method) -> _Method:
    """Calls on one optimizer wait for each other."""

    @functools.wraps(method)
    def call(self, *args, **kwargs):
        with self._lock:
            return method(self, *args, **kwargs)

    return cast(_Method, call)


class Optimizer(Known):
    """Updates arrays in place. The classes of the rules (`AdamW`, ...) are made from this one.

    `params` is an iterable of arrays, of `(array, gradient)` or of `(name, array)`; or a dict of arrays by name; or a
    list of groups, each a dict with such "params", and with options and a "rule" of its own if it has any. Arrays
    without a name are called by their number. Checkpoints match them by name.

    The optimizer holds a reference to every array that it uses, so that it stays where it is. Calls may come from any
    thread; they wait for each other, and other threads of Python run while the engine works.
    """

    rule: ClassVar[str]
    """Name of the rule: "adamw"."""

    def __init__(self, params: Any, *args: Any, **kwargs: Any):
        self._check_rule()
        given = type(self).__signature__.bind(params, *args, **kwargs).arguments
        del given["params"]
        preset = given.pop("preset", None)
        uint16 = given.pop("format", None)
        if uint16 not in (None, "bf16"):
            raise InvalidArgumentError(f"format is {uint16!r}: it must be \"bf16\", as which uint16 arrays are read")
        self._uint16 = None if uint16 is None else Format.BF16
        settings = {name: given.pop(name) for name in SETTINGS if name in given}
        if not settings.get("threads"):
            settings["threads"] = default_threads()

        self._lock = threading.RLock()
        self._handle = _library.Handle(c.free)
        self._shown = weakref.WeakSet()  # the arrays that show the engine's memory
        self._names: list[str] = []
        self._index: dict[str, int] = {}
        self._params: list[Memory] = []
        self._dtypes: list[Any] = []  # of the parameters, and
        self._shapes: list[tuple[int, ...]] = []  # of them
        self._grads: list[Any] = []  # what the user gave, if giving it again changes nothing
        self._kept: list[Any] = []  # what keeps it in its place: a Memory, or weak references to a writable array
        self._groups: list[list[str]] = []
        self._filled: Statistics | None = None  # by the step tensor by tensor that is open

        groups = [self._read(group, names) for group, names in numbered(groups_of(params), 0)]
        options, settings = _library.values(given), _library.values(settings)
        config = _library.Config(
            rule=self.rule.encode(), groups=_library.array(_library.Group, [group for group, _ in groups]),
            group_count=len(groups), options=options, option_count=len(options),
            preset=text(preset, "preset"), settings=settings, setting_count=len(settings))
        c.create(config, self._handle.place)
        for _, tensors in groups:
            self._add(tensors)

    # ---- Tensors and groups

    @_one_at_a_time
    def add_group(self, group: Mapping[str, Any]) -> int:
        """Adds a group, as the constructor has them. Returns its number."""
        self._nothing_shown("add_group")
        (members, names), = numbered([group_of(group, "the group")], len(self._names))
        struct, tensors = self._read(members, names)
        index = ctypes.c_size_t()
        c.add_group(self._handle, struct, index)
        self._add(tensors)
        return index.value

    @_one_at_a_time
    def remove_tensor(self, tensor: str | int) -> None:
        """Forgets a tensor and its states. Later tensors move up by one index; groups stay."""
        index = self._find(tensor)
        self._nothing_shown("remove_tensor")
        c.remove_tensor(self._handle, index)
        for group in self._groups:
            if self._names[index] in group:
                group.remove(self._names[index])
        for of_tensors in (self._names, self._params, self._dtypes, self._shapes, self._grads, self._kept):
            del of_tensors[index]
        self._index = {name: i for i, name in enumerate(self._names)}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all tensors."""
        return tuple(self._names)

    @property
    def param_groups(self) -> list[Group]:
        """The groups, whose options can be set: `optimizer.param_groups[0]["lr"] = 1e-4`."""
        return [Group(self, index) for index in range(len(self._groups))]

    @property
    def lr(self) -> float:
        """The learning rate of the first group; setting it sets that of every group."""
        return self.param_groups[0]["lr"]

    @lr.setter
    @_one_at_a_time
    def lr(self, lr: float) -> None:
        c.set_lr(self._handle, number(lr, "lr"))

    @property
    def settings(self) -> Settings:
        """The settings: `optimizer.settings["max_norm"] = 1.0`. Formats are changed by `set_formats`."""
        return Settings(self)

    @_one_at_a_time
    def set_formats(self, state: str | None = None, weights: str | None = None) -> None:
        """Converts the states and the low-order weight bits to these formats."""
        self._nothing_shown("set_formats")
        c.set_formats(self._handle, text(state or self.settings["state"], "state"),
                      text(weights or self.settings["weights"], "weights"))

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        """Iterates over the names of the tensors."""
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __repr__(self) -> str:
        size = sum(param.size for param in self._params)
        lines = [f"{type(self).__name__}: {_counted(len(self), 'tensor')}, {_counted(size, 'parameter')}"]
        lines += [f"  {group!r}" for group in self.param_groups]
        return "\n".join(lines)

    def __reduce__(self):
        raise TypeError(f"{type(self).__name__} works in the memory of arrays and cannot be pickled or copied: pickle "
                        "state_dict() and the arrays")

    # ---- Gradients

    @_one_at_a_time
    def set_grads(self, grads: Iterable[Any] | Mapping[str, Any]) -> None:
        """Points all tensors at these gradients: one for each tensor, in their order, with None for none; or a dict by
        name, where a tensor that is missing has none. They are read in the step, not copied. All are set or, if one is
        refused, none."""
        grads = self._in_order(grads)
        if all(map(operator.is_, grads, self._grads)):
            return  # the same array of NumPy's is where it was
        addresses = self._usual(grads)
        if addresses is not None:
            # Before the call, so that memory does not run out after it.
            views = any(map(operator.is_not, map(_BASE, grads), itertools.repeat(None)))
            kept = [*map(_arrays.pins if views else weakref.ref, grads)]
            c.set_grads(self._handle, None, addresses, None, len(grads))
            self._grads, self._kept = grads, kept
            return
        changed = [i for i, (grad, held) in enumerate(zip(grads, self._grads)) if grad is not held]
        self._point(changed, [grads[i] for i in changed])

    @_one_at_a_time
    def set_grad(self, tensor: str | int, grad: Any | None) -> None:
        """Points a tensor at another gradient; None: it has none."""
        self._point([self._find(tensor)], [grad])

    @_one_at_a_time
    def set_lazy_row_grad(self, tensor: str | int, rows: Any, values: Any) -> None:
        """Gives a tensor of shape [rows, width...] a sparse gradient for lazy steps: `values[i]` is the gradient of row
        `rows[i]` (int64). Rows may repeat; those that are not named are left alone."""
        index = self._find(tensor)
        name = self._names[index]
        rows = np.ascontiguousarray(rows)
        if rows.dtype != np.int64 or rows.ndim != 1:
            raise InvalidArgumentError(f"rows of '{name}' are {rows.dtype} of {rows.ndim} dimensions: they must be "
                                       "int64 of one")
        memory = Memory(values, f"gradient of '{name}'", self._uint16)
        expected = (len(rows), *self._params[index].shape[1:])
        if memory.shape != expected:
            raise MismatchError(f"gradient of '{name}' has shape {memory.shape}: {len(rows)} rows must have {expected}")
        lazy = rows, _arrays.pins(rows), memory  # is no array of the user's, so that a dense gradient is set again
        c.set_lazy_row_grad(self._handle, index, rows.ctypes.data_as(ctypes.POINTER(ctypes.c_int64)), len(rows),
                            memory.address, memory.size, memory.format)
        self._grads[index], self._kept[index] = lazy, None

    @_one_at_a_time
    def zero_grad(self) -> None:
        """Fills every gradient with zeros, for code that adds to them."""
        c.zero_grad(self._handle)

    @_one_at_a_time
    def set_param(self, tensor: str | int, array: Any) -> None:
        """Points a tensor at the array to which its parameter has moved, of the same shape and format."""
        index = self._find(tensor)
        name = f"parameter '{self._names[index]}'"
        memory, old = self._param(array, name), self._params[index]
        if (memory.shape, memory.format) != (old.shape, old.format):
            raise MismatchError(f"{name} is {memory.format.name.lower()} of shape {memory.shape}: it must stay "
                                f"{old.format.name.lower()} of shape {old.shape}")
        c.set_params(self._handle, ctypes.c_size_t(index), ctypes.c_void_p(memory.address), 1)
        self._params[index] = memory

    # ---- The step

    @_one_at_a_time
    def step(self, grads: Iterable[Any] | Mapping[str, Any] | None = None, *, grad_scale: float = 1.0,
             statistics: Statistics | None = None) -> StepReport:
        """One step on every tensor that has a gradient.

        grads: sets these first, as `set_grads` does.
        grad_scale: what the loss was multiplied by; the gradients are divided by it. From 2^-126 to 2^126.
        statistics: a `Statistics` that the step fills.
        """
        if grads is not None:
            self.set_grads(grads)
        report = _library.StepReport()
        c.step(self._handle, self._step_options(grad_scale, statistics), report)
        return StepReport(report, self._names)

    @_one_at_a_time
    def begin_step(self, *, grad_scale: float = 1.0, statistics: Statistics | None = None) -> None:
        """Begins a step tensor by tensor, whose gradients can be freed one by one."""
        c.begin_step(self._handle, self._step_options(grad_scale, statistics))
        self._filled = statistics

    @_one_at_a_time
    def step_tensor(self, tensor: str | int, grad: Any | None = None) -> bool:
        """Updates a tensor with this gradient, which is not read after the call, or with the one that is set. Returns
        whether it was updated: not if the gradient is missing or not finite."""
        index = self._find(tensor)
        updated = ctypes.c_int32()
        memory = None if grad is None else self._grad(index, grad)
        c.step_tensor(self._handle, index, memory and memory.address, memory.format if memory else Format.F32, updated)
        return bool(updated.value)

    @_one_at_a_time
    def end_step(self) -> StepReport:
        """Ends the step that `begin_step` began."""
        report = _library.StepReport()
        c.end_step(self._handle, report)
        self._filled = None
        return StepReport(report, self._names)

    @property
    def steps(self) -> int:
        """Number of steps of the run so far, skipped ones included."""
        with self._lock:
            state = _library.State()
            c.get_state(self._handle, state)
            return state.steps

    # ---- States

    @property
    def state(self) -> States:
        """The states by name or number of the tensor: `optimizer.state["w"]["exp_avg"]`."""
        return States(self)

    @_one_at_a_time
    def state_dict(self) -> dict[str, Any]:
        """A copy of everything that the optimizer knows besides the parameters, for `load_state_dict`.

        The dict has "adamant", a str of JSON with options, formats and step counts, and the states as arrays,
        "w/exp_avg". It can be pickled, or written with `numpy.savez(file, **optimizer.state_dict())`.
        """
        return _state_dict.save(self._handle, self._names, self._show)

    @_one_at_a_time
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over options, step counts and states from what `state_dict` gave, or from the file of it that
        `numpy.load` opened. Refuses, with nothing changed, what does not fit this optimizer."""
        _state_dict.load(self._handle, state_dict)

    @_one_at_a_time
    def export_param(self, tensor: str | int) -> np.ndarray:
        """The weights with their low-order bits, as a new f32 array."""
        index = self._find(tensor)
        values = np.empty(self._params[index].shape, np.float32)
        c.export_param(self._handle, index, _floats(values), values.size)
        return values

    @_one_at_a_time
    def import_param(self, tensor: str | int, values: Any) -> None:
        """Sets the parameter and its low-order bits to these numbers."""
        index = self._find(tensor)
        values = _arrays.as_floats(values, f"values of '{self._names[index]}'", self._params[index].shape)
        c.import_param(self._handle, index, _floats(values), values.size)

    @_one_at_a_time
    def export_state(self, tensor: str | int, state: str) -> np.ndarray:
        """A state ("exp_avg") as a new f32 array, whatever its format."""
        index = self._find(tensor)
        values = np.empty(self._params[index].shape, np.float32)
        c.export_state(self._handle, index, text(state, "state"), _floats(values), values.size)
        return values

    @_one_at_a_time
    def set_tensor_step(self, tensor: str | int, step: int) -> None:
        """Sets the number of steps that a tensor has taken: at most 2^62."""
        c.set_tensor_step(self._handle, self._find(tensor), count(step, "step"))

    @property
    def bytes_per_parameter(self) -> float:
        """Bytes of parameters, states and bookkeeping, divided by the number of parameters."""
        with self._lock:
            number = ctypes.c_double()
            c.bytes_per_parameter(self._handle, number)
            return number.value

    # ---- Inside

    def _read(self, group, names):
        """A group for the engine, and what is to be kept of its tensors."""
        tensors, structs = [], []
        for name, (_, array, grad) in zip(names, group["tensors"]):
            param = self._param(array, f"parameter '{name}'")
            memory = None if grad is None else Memory(grad, f"gradient of '{name}'", self._uint16).like(param)
            tensors.append((name, param, grad, memory))
            structs.append(_library.Tensor(
                name=text(name, "name of a parameter"), data=param.address, size=param.size, format=param.format,
                shape=(ctypes.c_size_t * len(param.shape))(*param.shape) if param.shape else None,
                ndim=len(param.shape), grad=memory and memory.address, grad_format=memory.format if memory else 0,
                flags=MemoryFlag.GRAD_READ_ONLY if memory and not memory.writable else 0))
        options = _library.values(group["options"])
        return _library.Group(tensors=_library.array(_library.Tensor, structs), tensor_count=len(structs),
                              rule=text(group["rule"], "rule of a group"), options=options,
                              option_count=len(options)), tensors

    def _add(self, tensors):
        self._groups.append([name for name, *_ in tensors])
        for name, param, grad, memory in tensors:
            self._index[name] = len(self._names)
            self._names.append(name)
            self._params.append(param)
            self._dtypes.append(param.dtype)
            self._shapes.append(param.shape)
            self._grads.append(_held(grad, memory))
            self._kept.append(memory)

    def _param(self, array, name):
        memory = Memory(array, name, self._uint16)
        if not memory.writable:
            raise InvalidArgumentError(f"{name} is read-only: a step writes it")
        return memory

    def _grad(self, index, grad):
        return Memory(grad, f"gradient of '{self._names[index]}'", self._uint16).like(self._params[index])

    def _usual(self, grads):
        """The addresses of a gradient for each tensor, if all are what is usual: writable arrays of NumPy's, each of the
        dtype and shape of its parameter. Else None: `_point` looks at them one by one. No loop of Python's is here, for
        speed."""
        if not (set(map(type, grads)) == {np.ndarray} and all(map(operator.is_, map(_DTYPE, grads), self._dtypes))
                and [*map(_SHAPE, grads)] == self._shapes):
            return None
        try:  # refuses arrays that are read-only, have gaps or have no elements
            addresses = array.array("Q", [*map(ctypes.addressof, map(ctypes.c_char.from_buffer, grads))])
        except (BufferError, TypeError, ValueError):
            return None
        return (ctypes.c_void_p * len(grads)).from_buffer(addresses)

    def _point(self, tensors, grads):
        """Gives the engine these gradients of these tensors: all or, if one is refused, none."""
        memories = [None if grad is None else self._grad(index, grad) for index, grad in zip(tensors, grads)]
        formats = [Format.F32 if memory is None else
                   memory.format if memory.writable else memory.format + MemoryFlag.FORMAT_READ_ONLY
                   for memory in memories]
        count = len(tensors)
        c.set_grads(self._handle, (ctypes.c_size_t * count)(*tensors),
                    (ctypes.c_void_p * count)(*(memory and memory.address for memory in memories)),
                    (ctypes.c_int32 * count)(*formats), count)
        for index, grad, memory in zip(tensors, grads, memories):
            self._grads[index], self._kept[index] = _held(grad, memory), memory

    def _find(self, tensor):
        if isinstance(tensor, str):
            if tensor not in self._index:
                raise NotFoundError(f"there is no tensor '{tensor}': there are {', '.join(self._names[:10])}"
                                    + (", ..." if len(self) > 10 else ""))
            return self._index[tensor]
        try:
            index = operator.index(tensor)
        except TypeError:
            raise InvalidArgumentError(f"the tensor is {tensor!r}: it must be a name or a number") from None
        if not 0 <= index < len(self._names):
            raise NotFoundError(f"there is no tensor {index}: there are {len(self)}")
        return index

    def _in_order(self, grads):
        if isinstance(grads, Mapping):
            in_order = [None] * len(self)
            for name, grad in grads.items():
                in_order[self._find(name)] = grad
            return in_order
        if not isinstance(grads, (list, tuple)):
            refuse_array(grads, "gradients")
        grads = list(grads)
        if len(grads) != len(self):
            raise MismatchError(f"there are {len(grads)} gradients: there must be one for each of {len(self)} tensors")
        return grads

    def _step_options(self, grad_scale, statistics):
        if type(grad_scale) is float and grad_scale == 1.0 and statistics is None:
            return _USUAL_STEP
        scale = number(grad_scale, "grad_scale")
        if not scale:  # which the library takes as not given
            raise InvalidArgumentError(f"grad_scale is {grad_scale!r}: it must be from 2^-126 to 2^126")
        options = _library.StepOptions(grad_scale=scale)
        if statistics is not None:
            options.statistics = filled(statistics, self)
        return options

    def _show(self, index, plane):
        """A plane as a read-only array, without a copy: of the shape of the tensor, or of bytes."""
        shape = (plane.bytes,) if plane.element < 0 else self._params[index].shape
        return _arrays.show(self._handle, plane.data, shape, _arrays.dtype_of(plane.element), self._shown)

    # What adamant.save and adamant.load call, under the lock.

    def _before_saving(self):
        pass

    def _before_loading(self, info):
        settings = self.settings
        if (info.state_format, info.weight_format) != (settings["state"], settings["weights"]):
            self._nothing_shown("load")

    def _after_loading(self, info):
        pass

    def _nothing_shown(self, call):
        if self._shown:
            raise BusyError(f"{call} would move states that {len(self._shown)} arrays from `state` show: drop these "
                            "first")


_USUAL_STEP = _library.StepOptions(grad_scale=1.0)
_DTYPE, _SHAPE, _BASE = map(operator.attrgetter, ("dtype", "shape", "base"))


def _held(grad, memory):
    """The gradient if it stays where it is: no, or an array of NumPy's. The memory of other objects may move between
    two steps, so that it is asked for in each: their Memory is what no user gives."""
    return grad if grad is None or type(grad) is np.ndarray else memory


def _floats(array):
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
