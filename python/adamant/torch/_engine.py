# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The library's optimizer, on the tensors of a torch optimizer.

Everything that lasts is in those tensors: parameters, gradients, and the states in `optimizer.state`, where the library
steps in them. So an engine can be dropped and made anew at any time, and is, when tensors become others.
"""

import ctypes
import functools
import itertools
import math
import operator

import torch

from .. import _checks, _library, _rules
from .._checks import number, text
from .._errors import InvalidArgumentError, MismatchError, NotFoundError
from .._library import STATE_FORMATS, WEIGHT_FORMATS, Format, Kind, PlaneKind, c
from . import _memory

NESTED = "adamant"
"""Key in the state of a parameter: a dict of what torch.optim has no key for. FSDP and torch's casts, which change
tensors that they find in a state, leave a dict alone."""
STEPLESS = frozenset({"sgd"})
"""Rules that keep no "step" in torch."""
_EXACT = ("f32", "f64")  # formats of states that are never dithered


class Changed(Exception):
    """Tensors are others than those that the engine knows: it must be made anew."""


class OtherFormat(Changed):
    """States were found in a format that the optimizer was not told of."""

    def __init__(self, name):
        self.name = name


class _Group:
    """A group of torch's with tensors to step."""

    __slots__ = ("group", "index", "names", "kinds", "values", "plain")


class _Tensor:
    """A parameter of the rule of that name.

    index, name; param: what the user gave; address, size (numbers), dtype, contiguous: of its memory, the `memory`
    tensor; format: the engine's.
    held: its dict in `optimizer.state`, None as long as it has none; nested: the dict in that; values: of each state
    that is a tensor of numbers: key, tensor, local memory, address; step: the tensor of its step count, None if none is
    kept; counter: the memory of that; count: what the engine counts.
    """

    __slots__ = ("index", "name", "rule", "param", "memory", "address", "elements", "size", "dtype", "contiguous",
                 "format", "distributed", "bound", "held", "nested", "values", "step", "counter", "count")


class _Plane:
    """A plane of a tensor: its key in a state, `dtype` of its numbers (None: codes), and what the library calls it."""

    __slots__ = ("key", "state", "kind", "bytes", "dtype")

    def __init__(self, plane):
        self.state, self.kind, self.bytes = plane.state, plane.kind, plane.bytes
        self.dtype = None
        if self.kind == PlaneKind.LOW_BITS:
            self.key = "low_bits"
        else:
            self.key = self.state.decode() + ("/exponents" if self.kind == PlaneKind.EXPONENTS else "")
            if self.kind == PlaneKind.VALUES and plane.element >= 0:
                self.dtype = _memory.DTYPES[plane.element]


class _Steady:
    """Tensors that all have an ordinary gradient, as lists over these tensors or their states, which are quickly compared
    with what is there before the next step. `others` have gradients that are looked at one by one, `absent` have none."""

    def __init__(self, tensors, others, absent, states):
        self.others, self.absent = others, absent
        self.indices = [t.index for t in tensors]
        self.params = [t.param for t in tensors]
        self.versioned = [*map(_memory.versioned, self.params)]
        grads = [*map(_GRAD, self.params)]
        self.dtypes = [*map(_DTYPE, grads)]
        self.elements = [t.elements for t in tensors]
        self.contiguous = [t.contiguous for t in tensors]
        self.strided = [(number, grads[number].stride()) for number, t in enumerate(tensors) if not t.contiguous]
        self.single = [number for number, t in enumerate(tensors) if t.elements == 1]
        watched = [(t.param, t.address) for t in tensors]
        for t in tensors:
            watched += [(memory, address) for _, _, memory, address in t.values]
        self.watched, self.addresses = map(list, zip(*watched))
        self.held = [*states.values(), self]
        self.inside = [*_values(states), self]
        self.counted = [t for t in tensors if t.counter is not None]
        self.counters = [t.counter for t in self.counted]
        self.counts = [t.count for t in self.counted]

    def grads(self, states):
        """The addresses of the gradients, if all is as it was; else None. `states`: those of the optimizer."""
        end = (self,)  # makes a list that has become shorter or longer another one
        try:
            grads = [*map(_GRAD, self.params)]
            addresses = [*map(_DATA_PTR, grads)]
            if ([*map(_IS_CONTIGUOUS, grads)] == self.contiguous and [*map(_DTYPE, grads)] == self.dtypes
                    and [*map(_NUMEL, grads)] == self.elements and [*map(_DATA_PTR, self.watched)] == self.addresses
                    and all(map(operator.is_, itertools.chain(states.values(), end), self.held))
                    and all(map(operator.is_, itertools.chain(_values(states), end), self.inside))
                    and [*map(_VALUE, self.counters)] == self.counts
                    and all(grads[number].stride() == stride for number, stride in self.strided)
                    # The imaginary part of a conjugate: it lies without gaps only if it is a single number.
                    and not any(grads[number].is_neg() for number in self.single)
                    and not any(param.grad is not None for param in self.absent)):
                return addresses
        except (AttributeError, TypeError, RuntimeError):  # no gradient, none with an address, or no dicts
            pass
        return None

    def count(self):
        """Counts a step."""
        self.counts = counts = [count + 1 for count in self.counts]
        for counter, count in zip(self.counters, counts):
            counter.value = count


def _values(states):
    """What is in the states of all parameters."""
    return itertools.chain.from_iterable(map(dict.values, states.values()))


_GRAD, _DTYPE, _VALUE = map(operator.attrgetter, ("grad", "dtype", "value"))
_DATA_PTR, _NUMEL, _IS_CONTIGUOUS = torch.Tensor.data_ptr, torch.Tensor.numel, torch.Tensor.is_contiguous


class Engine:
    """`convert`: states that are there are copied, and numbers converted to the optimizer's format."""

    def __init__(self, optimizer, convert=False):
        self.optimizer = optimizer
        self.handle = _library.Handle(c.free)
        self.open = False  # a step by tensors has begun
        self.report = _library.StepReport()
        self.tensors, self.groups, self._idle = [], [], []
        structs = []
        first = 0
        for group in optimizer.param_groups:
            struct = self._add(group, first)
            first += len(group["params"])
            if struct is not None:
                structs.append(struct)
        self.names = [t.name for t in self.tensors]
        count = len(self.tensors)
        self._grads = (ctypes.c_void_p * count)()
        self._formats = (ctypes.c_int32 * count)(*(t.format for t in self.tensors))
        self._steady, self._stepped = None, []
        self._sent = False  # the library knows gradients
        self._options = _library.StepOptions(grads=self._grads, grad_formats=self._formats, grad_count=count)
        if not structs:
            return  # all is frozen: there is nothing to step
        settings = optimizer._engine_settings()
        preset = settings.pop("preset", None)
        settings = _library.values(settings)
        c.create(_library.Config(
            rule=optimizer.rule.encode(), groups=_library.array(_library.Group, structs), group_count=len(structs),
            preset=text(preset, "preset"), settings=settings, setting_count=len(settings)),
            self.handle.place)
        for t in self.tensors:
            if optimizer.state.get(t.param):
                self._bind(t, convert)
        steps, grad_norm = optimizer._progress()
        c.set_progress(self.handle, _checks.count(steps, "steps"),
                       None if grad_norm is None else ctypes.c_double(grad_norm))

    def _add(self, group, first):
        """The group for the library, if it has anything to step; `first` numbers its parameters."""
        structs, names = [], group.get("param_names")
        rule = self.optimizer._rule_of(group)
        for place, param in enumerate(group["params"]):
            if not (param.requires_grad or param.grad is not None or self.optimizer.state.get(param)):
                self._idle.append(param)
                continue
            t = self._tensor(param, names[place] if names else str(first + place), rule)
            shape = [*t.memory.shape, 2] if t.memory.is_complex() else t.memory.shape
            structs.append(_library.Tensor(name=text(t.name, "name of a parameter"), data=t.address, size=t.size,
                                           shape=(ctypes.c_size_t * len(shape))(*shape) if len(shape) else None,
                                           ndim=len(shape), format=t.format))
        if not structs:
            return None
        g = _Group()
        g.group, g.index = group, len(self.groups)
        g.names, g.kinds = zip(*((name, kind) for name, kind in options_of(rule) if name in group))
        g.values, g.plain = None, False
        self.groups.append(g)
        options = _library.values(self._read_options(g))
        return _library.Group(tensors=_library.array(_library.Tensor, structs), tensor_count=len(structs),
                              rule=rule.encode(), options=options, option_count=len(options))

    def _tensor(self, param, name, rule):
        t = _Tensor()
        t.index, t.name, t.rule, t.param = len(self.tensors), name, rule, param
        t.memory = _memory.steppable(param, f"parameter '{name}'")
        t.distributed = _memory.is_distributed(param)
        if t.distributed and param.device_mesh.size() > 1:
            self.optimizer._check_alone(name)
        t.dtype, t.elements, t.address = t.memory.dtype, t.memory.numel(), t.memory.data_ptr()
        t.contiguous = t.memory.is_contiguous()
        t.format, numbers = _memory.FORMATS[t.dtype]
        t.size = t.elements * numbers
        t.bound, t.held, t.nested, t.values, t.step, t.counter, t.count = False, None, None, [], None, None, 0
        self.tensors.append(t)
        return t

    # ---- Options

    def _read_options(self, g):
        """The options of a group for the library, which `values` then remembers as torch's."""
        g.values = tuple(map(g.group.get, g.names))
        found = {}
        g.plain = True  # holds no tensors, whose numbers may change
        for name, kind, value in zip(g.names, g.kinds, g.values):
            pair = value if kind == Kind.PAIR and isinstance(value, (list, tuple)) else (value,)
            g.plain = g.plain and not any(isinstance(each, torch.Tensor) for each in pair)
            if kind == Kind.FLAG:
                found[name] = bool(value)
            else:
                numbers = tuple(number(each, name) for each in pair)
                found[name] = numbers if pair is value else numbers[0]
        if "initial_accumulator_value" in found:  # which is torch's way
            found["initial_accumulator_value"] = float(self.optimizer.defaults["initial_accumulator_value"])
        return found

    def _set_options(self):
        """Tells the library what has changed in the groups since the last step."""
        for g in self.groups:
            if g.plain and tuple(map(g.group.get, g.names)) == g.values:
                continue
            try:
                options = _library.values(self._read_options(g))
                c.set_options(self.handle, g.index, options, len(options))
            except MismatchError:  # which needs other states
                raise Changed from None
            except InvalidArgumentError:
                g.plain = False  # the next step looks again
                raise

    # ---- States

    def _info(self, t):
        info = _library.TensorInfo()
        c.get_tensor(self.handle, t.index, info)
        return info

    def _bind(self, t, convert=False, count=None):
        """Makes the tensors in `optimizer.state` the memory of a tensor's states; those that are missing are made.
        `count` is the step count of those, if not that of a beginning."""
        self._forget_grads()
        info = self._info(t)
        planes = [_Plane(plane) for plane in info.planes[: info.plane_count]]
        formats = {"state_format": STATE_FORMATS[info.state_format], "weight_format": WEIGHT_FORMATS[info.weight_format]}
        held = self.optimizer.state.get(t.param) or {}
        saved = held.get(NESTED)
        present = self._present(t, planes, formats, held, saved)

        made, nested = {}, {}
        for plane in planes:
            of_kind, there = (made, held) if plane.dtype else (nested, saved)
            of_kind[plane.key] = (self._kept(t, plane, there[plane.key], convert) if plane.key in present else
                                  _memory.like(t.param, plane.dtype) if plane.dtype else
                                  torch.empty(plane.bytes, dtype=torch.uint8))
        if t.rule not in STEPLESS:
            t.step = self._step_of(held.get("step"), convert)
            made = {"step": t.step, **made}
        elif formats["state_format"] not in _EXACT or formats["weight_format"] != "plain":  # dither depends on it
            t.step = torch.tensor(int(saved["step"]) if saved else 0)
            nested["step"] = t.step
        if count is None:
            count = t.step.item() if t.step is not None else int(bool(present))
        elif t.step is not None:
            t.step.fill_(count)
        if nested:
            made[NESTED] = {**formats, **nested}

        t.values = []
        for plane in planes:
            kept = (made if plane.dtype else nested)[plane.key]
            memory = _memory.local(kept)
            self._move(t, plane, memory, plane.key in present)
            if plane.dtype:
                t.values.append((plane.key, kept, memory, memory.data_ptr()))
        if made or held:
            t.held = self.optimizer.state[t.param]
            t.held.update(made)
        t.nested = made.get(NESTED)
        t.counter = None if t.step is None else _memory.COUNTERS[t.step.dtype].from_address(t.step.data_ptr())
        t.count = count
        self._set_step(t, count)
        t.bound = True

    def _set_step(self, t, steps):
        """Tells the library how many steps a tensor has taken: torch counts in any format."""
        steps = int(steps) if math.isfinite(steps) else steps
        c.set_tensor_step(self.handle, t.index, _checks.count(steps, f"step of '{t.name}'"))

    def _present(self, t, planes, formats, held, saved):
        """The keys of the planes that are there; refuses a state that does not fit."""
        for kind, format in formats.items():
            if saved is not None and saved[kind] != format:
                raise MismatchError(f"the state of '{t.name}' has {kind} {saved[kind]}, this optimizer {format}: it must be "
                                    f"made with state=\"{saved['state_format']}\", weights=\"{saved['weight_format']}\"")
        for plane in planes:
            if plane.dtype is None and held.get(plane.key) is not None:
                raise MismatchError(f"the state of '{t.name}' is {held[plane.key].dtype}, this optimizer has state_format "
                                    f"{formats['state_format']}: load it with state=\"f32\", then call set_formats")
        found = {plane.key for plane in planes if (held if plane.dtype else saved or {}).get(plane.key) is not None}
        # A parameter without its low-order bits is a parameter all the same.
        missing = sorted({plane.key for plane in planes} - found - {"low_bits"})
        if found and missing:
            raise NotFoundError(f"the state of '{t.name}' has no '{missing[0]}': it has {', '.join(sorted(found))}")
        return found

    def _kept(self, t, plane, old, convert):
        """The tensor that a state is to be in: the one that is there, or a converted copy."""
        what = f"state '{plane.key}' of '{t.name}'"
        if not isinstance(old, torch.Tensor):
            raise MismatchError(f"{what} is of type {type(old).__name__}: it must be a tensor")
        if plane.dtype is None:
            return old.clone() if convert else old
        if old.shape != t.param.shape or _memory.is_distributed(old) != t.distributed:
            raise MismatchError(f"{what} is a {type(old).__name__} of shape {tuple(old.shape)}: it must be as its parameter"
                                f", a {type(t.param).__name__} of shape {tuple(t.param.shape)}")
        if convert:
            return _memory.like(t.param, plane.dtype).copy_(old.detach())
        dtype = _memory.COMPLEX.get(plane.dtype) if t.dtype.is_complex else plane.dtype
        if old.dtype != dtype:
            if old.dtype not in _memory.FORMATS or self.optimizer._knows_format:
                raise MismatchError(f"{what} is {old.dtype}: this optimizer keeps {dtype}")
            raise OtherFormat(Format(_memory.FORMATS[old.dtype][0]).name.lower())
        memory = _memory.steppable(old, what)
        if memory.stride() != t.memory.stride():
            raise MismatchError(f"{what} has strides {memory.stride()}: they must be those of its parameter, "
                                f"{t.memory.stride()}")
        return old

    @staticmethod
    def _step_of(step, convert):
        """The step count as torch keeps it: in CPU memory, where it can be read without waiting."""
        if isinstance(step, torch.Tensor) and step.device.type == "cpu" and step.dtype in _memory.COUNTERS:
            return step.clone() if convert else step
        dtype = torch.float64 if torch.get_default_dtype() is torch.float64 else torch.float32
        return torch.tensor(float(step or 0), dtype=dtype)

    def _move(self, t, plane, memory, holds):
        """Moves a plane into this memory, and what is in the memory, if it `holds` anything, into the plane."""
        if not plane.bytes:
            return
        contents = memory.clone() if holds else None
        c.set_plane(self.handle, t.index, plane.state, plane.kind, memory.data_ptr(),
                    memory.numel() * memory.element_size())
        if holds:
            memory.copy_(contents)

    def _forget_grads(self):
        """The memory of old gradients may be used for something else by now."""
        if self._sent:
            self._sent = False
            count = len(self.tensors)
            c.set_grads(self.handle, None, (ctypes.c_void_p * count)(), None, count)

    def set_formats(self, state, weights):
        """Converts all states."""
        self._leave_steady()
        c.set_formats(self.handle, text(state, "state"), text(weights, "weights"))
        for t in self.tensors:
            if t.held is not None:
                for key, *_ in t.values:
                    del t.held[key]
                t.held.pop(NESTED, None)
        for t in self.tensors:
            if t.bound:
                self._bind(t, count=t.count)

    # ---- The run

    def run(self):
        """Number of steps so far, and the last finite norm of the gradients."""
        if not self.tensors:
            return 0, None
        state = _library.State()
        c.get_state(self.handle, state)
        return state.steps, state.grad_norm if state.has_grad_norm else None

    # ---- The step

    def step(self, grad_scale, statistics):
        """One step on every tensor that has a gradient."""
        if not self.tensors and not any(param.grad is not None for param in self._idle):
            return
        self._set_options()
        copies = []
        self._point(copies)
        options = self._options
        options.grad_scale, options.statistics = grad_scale, statistics
        self._sent = True
        c.step(self.handle, options, self.report)
        if self.report.applied:
            if self._steady is not None:
                self._steady.count()
                _memory.bump_versions(self._steady.versioned)
            self._count(self._stepped)

    def _point(self, copies):
        """Points the library at the gradients; `copies` keeps what was made."""
        steady = self._steady
        if steady is not None:
            addresses = steady.grads(self.optimizer.state)
            if addresses is not None:
                if len(addresses) == len(self._grads):
                    self._grads[:] = addresses
                else:
                    for index, address in zip(steady.indices, addresses):
                        self._grads[index] = address
                ordinary, others = self._gather(steady.others, copies)
                self._stepped = ordinary + others
                return
            self._leave_steady()
        for param in self._idle:
            if param.grad is not None:
                raise Changed
        ordinary, others = self._gather(self.tensors, copies)
        self._stepped = others
        if ordinary:
            stepped = {*ordinary, *others}
            absent = [t.param for t in self.tensors if t not in stepped] + self._idle
            self._steady = _Steady(ordinary, others, absent, self.optimizer.state)

    def _leave_steady(self):
        if self._steady is not None:
            for t, count in zip(self._steady.counted, self._steady.counts):
                t.count = count
            self._steady = None

    def _gather(self, tensors, copies):
        """Looks at one tensor after the other. Returns those that have an ordinary gradient, and those that have
        another."""
        ordinary, others, moved = [], [], False
        for t in tensors:
            grad = t.param.grad
            self._grads[t.index] = None
            if grad is None:
                continue
            moved = self._follow(t) or moved
            address, format, copied = self._read_grad(t, grad, copies)
            self._grads[t.index], self._formats[t.index] = address, format
            self._check_states(t, self.optimizer.state)
            (others if copied or t.distributed or t.dtype.is_complex else ordinary).append(t)
        if moved:
            self._move_params()
        return ordinary, others

    def _check_states(self, t, states):
        """Refuses to go on with states that are not those that the library knows; makes those that are not there."""
        held = t.held
        if held is None:
            if not t.bound:
                self._bind(t)
            elif states.get(t.param):
                raise Changed
            return
        if states.get(t.param) is not held:
            raise Changed
        for key, tensor, memory, address in t.values:
            if held.get(key) is not tensor or memory.data_ptr() != address:
                raise Changed
        if t.nested is not None and held.get(NESTED) is not t.nested:
            raise Changed
        counter = t.counter
        if counter is not None:
            if t.nested is None and held.get("step") is not t.step:
                raise Changed
            if counter.value != t.count:
                self._set_step(t, counter.value)
                t.count = counter.value

    def _follow(self, t):
        """Whether the parameter has moved to other memory."""
        memory = _memory.steppable(t.param, f"parameter '{t.name}'")
        if memory.dtype is not t.dtype or memory.shape != t.memory.shape or memory.stride() != t.memory.stride():
            raise Changed
        moved = memory.data_ptr() != t.address
        t.memory, t.address = memory, memory.data_ptr()
        return moved

    def _move_params(self):
        self._forget_grads()
        count = len(self.tensors)
        c.set_params(self.handle, None, (ctypes.c_void_p * count)(*(t.address for t in self.tensors)), count)

    def _read_grad(self, t, grad, copies):
        """Address and format of a gradient in the order of the parameter's elements, and whether that is a copy."""
        if grad.layout is not torch.strided:
            title = type(self.optimizer).__name__
            raise RuntimeError(f"{title} does not support sparse gradients, please consider SparseAdam instead (gradient of "
                               f"'{t.name}')")
        if t.distributed and getattr(grad, "placements", None) != t.param.placements:
            raise MismatchError(f"gradient of '{t.name}' has placements {getattr(grad, 'placements', None)}: they must be "
                                f"those of its parameter, {t.param.placements}")
        memory = _memory.local(grad)
        if memory.shape != t.memory.shape:
            raise MismatchError(f"gradient of '{t.name}' has shape {tuple(memory.shape)}: it must have that of its "
                                f"parameter, {tuple(t.memory.shape)}")
        if memory.stride() != t.memory.stride() or memory.is_neg() or memory.is_conj():
            with torch.no_grad():
                copy = torch.empty_like(t.memory, dtype=memory.dtype, memory_format=torch.preserve_format)
                memory = copy.copy_(memory)
            copies.append(memory)
        format, _ = _memory.FORMATS[_memory.steppable(memory, f"gradient of '{t.name}'").dtype]
        return memory.data_ptr(), format, bool(copies) and copies[-1] is memory

    @staticmethod
    def _count(stepped):
        """Counts the step, and tells autograd what was written."""
        for t in stepped:
            counter = t.counter
            if counter is not None:
                counter.value += 1
                t.count = counter.value
        if stepped:
            _memory.bump_versions([_memory.versioned(t.param) for t in stepped])

    # ---- The step tensor by tensor

    def begin(self):
        """Begins it, with the options that the groups have now."""
        self._set_options()
        c.begin_step(self.handle, None)
        self.open = True

    def step_tensor(self, t, grad):
        """Updates one tensor. Returns whether it was."""
        copies, updated = [], ctypes.c_int32()
        address, format, _ = self._read_grad(t, grad, copies)
        c.step_tensor(self.handle, t.index, address, format, updated)
        if updated.value:
            self._count([t])
        return bool(updated.value)

    def prepare(self):
        """What a step by tensors cannot do once it has begun: follows parameters, and makes their states."""
        if any(param.requires_grad for param in self._idle):
            raise Changed
        self._leave_steady()
        if any([self._follow(t) for t in self.tensors]):
            self._move_params()
        for t in self.tensors:
            self._check_states(t, self.optimizer.state)

    def synchronize(self):
        """Makes the library know all that the next step would tell it; makes the states that are not there."""
        self.prepare()
        self._set_options()

    def take(self, info):
        """Tells torch what a checkpoint, which the library has loaded, says of groups and steps."""
        for g in self.groups:
            options = info.groups[g.index]["options"]
            for name in g.names:
                old = g.group[name]
                if isinstance(old, torch.Tensor):
                    old.fill_(options[name])
                elif name != "initial_accumulator_value":  # which torch has used by now
                    g.group[name] = options[name]
        for t in self.tensors:
            t.count = info.tensors[t.name].step
            if t.step is not None:
                t.step.fill_(t.count)
        _memory.bump_versions([_memory.versioned(t.param) for t in self.tensors])

    def end(self):
        """Ends it, if it has begun."""
        if self.open:
            self.open = False
            c.end_step(self.handle, self.report)


@functools.lru_cache(maxsize=None)
def options_of(rule):
    """Name and kind of each option of a rule."""
    return [(option.name.decode(), option.kind) for option in _rules.options(rule)]
