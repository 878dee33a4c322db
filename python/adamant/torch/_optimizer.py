# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""torch.optim's optimizers, stepped by the library."""

from __future__ import annotations

import ctypes
import functools
import inspect
import threading
from collections.abc import Mapping
from typing import Any, Callable, ClassVar, TypeVar

import torch

from .. import _library
from .._checks import Known, filled, kind
from .._errors import BusyError, InvalidArgumentError, MismatchError
from .._library import List, c
from .._optimizer import default_threads
from .._report import StepReport
from .._views import SETTINGS, read_setting
from ._engine import Changed, Engine, OtherFormat, options_of

# What is accepted and changes nothing here, for every step is fused; and what a step outside of torch cannot do.
_IGNORED = frozenset({"foreach", "fused"})
_REFUSED = frozenset({"capturable", "differentiable"})
_DECOUPLED = "decoupled_weight_decay"  # makes AdamW of Adam
_FORMATS = frozenset({"state", "preset"})
# As torch, a step lets what is not finite through, unless it is told otherwise.
_DEFAULTS = {"nonfinite": "propagate"}

# torch.compile leaves a step alone. This is torch.compiler.disable, without loading the compiler now; torch 1.13 has none.
_Function = TypeVar("_Function", bound=Callable[..., Any])
_without_compiler: Callable[[_Function], _Function] = getattr(torch, "_disable_dynamo", lambda function: function)


class _Hidden:
    """The state of a parameter in a state dict, where torch would cast what it sees."""

    def __init__(self, state):
        self.state = state


class Optimizer(Known, torch.optim.Optimizer):
    """A torch.optim optimizer whose `step` is the library's, in CPU memory. The classes of the rules (`AdamW`, ...) are
    made from this one and torch's class of that name: arguments, defaults, refusals, hooks and `param_groups` are torch's.

    Settings of the library are further keyword arguments. `state[p]` has torch's keys, whose tensors are the states:
    the library steps in them. What torch has no key for is in a dict under the key "adamant".
    """

    rule: ClassVar[str]
    """Name of the rule: "adamw"."""
    _step_supports_amp_scaling = True  # GradScaler: this step reads grad_scale and found_inf

    def __init__(self, params: Any, *args: Any, **kwargs: Any):
        self._check_rule()
        self._lock = threading.RLock()
        self._settings = {name: kwargs.pop(name) for name in (*SETTINGS, "preset") if name in kwargs}
        self._carried = (0, None)
        self._engine = None
        self._report = None
        self._handles = []
        _check_arguments(type(self), args, kwargs)
        self._building = True  # groups are added before all of this is there
        super().__init__(params, *args, **kwargs)
        self._building = False
        with torch.no_grad():
            if self._engine_format() not in _TORCH_FORMATS:
                self.state.clear()  # torch has made numbers, where the library is to make codes
            self._engine = Engine(self, convert=True)

    # ---- What torch.optim.Optimizer has

    @_without_compiler
    def step(self, closure: Callable[[], Any] | None = None, *, statistics: Any | None = None) -> Any:
        """One step on every parameter that has a gradient. Returns what `closure` returns, which is called with
        gradients enabled. `statistics`: an `adamant.Statistics` that the step fills."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._await()
        with self._lock:
            self._step(statistics)
        return loss

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, as torch does; it is refused at once if it cannot be stepped."""
        super().add_param_group(param_group)
        try:
            _check_group(self.param_groups[-1], len(self.param_groups) - 1)
            _check_names(self.param_groups)
            if not self._building:
                with self._lock:
                    self._rebuild()
        except Exception:
            self.param_groups.pop()
            raise

    def state_dict(self) -> dict[str, Any]:
        """torch's dict of tensors that are not copied, which torch.optim's optimizers can load. Its "adamant" has the
        seed and the steps of the run."""
        saved = super().state_dict()
        steps, grad_norm = self._progress()
        saved["adamant"] = {"seed": self._settings.get("seed", 0), "steps": steps, "grad_norm": grad_norm}
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a dict of this class or of torch.optim's: a copy of its tensors, in the formats of this optimizer.
        Codes are taken over bit for bit; those of other formats, and dicts of other rules, are refused by name, and then
        nothing has changed."""
        if not isinstance(state_dict, Mapping):  # which hooks need
            _check_dict(state_dict)
        register = getattr(self, "register_load_state_dict_pre_hook", None)
        last = None
        if register is None:
            state_dict = self._hide(state_dict)
        else:  # after all hooks that change the dict
            last = register(Optimizer._hide)
        try:
            super().load_state_dict(state_dict)
        finally:
            self.__dict__.pop("_incoming", None)
            if last is not None:
                last.remove()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_settings": self._settings, "_carried": self._progress()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_incoming" in self.__dict__:
            self._take_over(state)
            return
        super().__setstate__(state)
        self.__dict__.setdefault("_lock", threading.RLock())
        self._report = None
        self._handles = self.__dict__.get("_handles", [])
        self._building = False
        self._engine = None

    def _take_over(self, state):
        """Takes over what `load_state_dict` loads: all of it or, if something is refused, nothing."""
        before = dict(self.__dict__)
        try:
            run = self.__dict__.pop("_incoming")
            # Without states, which torch looks into: it adds the options that dicts of its older versions lack.
            super().__setstate__({**state, "state": {}})
            for number, group in enumerate(self.param_groups):
                self._check_options(group, number)
            self.state = type(state["state"])(dict, {param: dict(held.state) for param, held in state["state"].items()})
            self._report = None
            self._engine = None
            if run is not None:
                self._settings = {**self._settings, "seed": run["seed"]}
                self._carried = (run["steps"], run["grad_norm"])
            for number, group in enumerate(self.param_groups):
                _check_group(group, number)
            _check_names(self.param_groups)
            with torch.no_grad():
                self._engine = Engine(self, convert=True)
        except Exception:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _check_options(self, group, number):
        """Refuses a group of a state dict of another rule."""
        for name, _ in options_of(self._rule_of(group)):
            if name in self.defaults and name not in group:
                raise MismatchError(f"group {number} of the state dict has no '{name}', which a group of "
                                    f"{type(self).__name__} has: it has {', '.join(sorted(group.keys() - {'params'}))}")

    def _hide(self, state_dict):
        """The dict with all states hidden; refuses one that names other parameters."""
        _check_dict(state_dict)
        for number, (group, saved) in enumerate(zip(self.param_groups, state_dict["param_groups"])):
            for own, name in zip(group.get("param_names", ()), saved.get("param_names", ())):
                if own != name:
                    raise MismatchError(f"the state dict has the parameter '{name}' in group {number}, where this "
                                        f"optimizer has '{own}'")
        self._incoming = state_dict.get("adamant")
        return {**state_dict, "state": {key: _Hidden(held) for key, held in state_dict["state"].items()}}

    # ---- What the library has

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the library by name; `set_settings` changes them."""
        text, found = ctypes.c_char_p(), {}
        with self._lock:
            for name in SETTINGS:
                c.get_setting(self._handle, name.encode(), text)
                found[name] = read_setting(name, text.value.decode())
        return found

    def set_settings(self, **settings: Any) -> None:
        """Changes settings, such as `max_norm`: all of them or none. Formats, seed and threads must stay the same."""
        values = _library.values(settings)
        with self._lock:
            c.set_settings(self._handle, values, len(values))
            self._settings = {**self._settings, **settings}

    def set_formats(self, state: str | None = None, weights: str | None = None) -> None:
        """Converts the states, and the low-order bits of bf16 parameters, to these formats."""
        with self._lock:
            now = self.settings
            formats = {"state": state or now["state"], "weights": weights or now["weights"]}
            self._current().set_formats(**formats)
            self._settings = {**self._settings, **formats}

    @property
    def report(self) -> StepReport | None:
        """What the last step did; None before the first."""
        return self._report

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tensors that are stepped, in the order of statistics and logs: those of `named_parameters`, else
        the numbers that state dicts have."""
        return tuple(self._current().names)

    def release_gradients(self) -> Release:
        """From now on, each parameter is updated as soon as its gradient is complete, during `backward()`, and the
        gradient is freed. `step()` is called as always; it ends the step. Needs torch 2.1 and one `backward()` a step.
        `max_norm` clips by the norm of the previous step. The handle's `remove()` ends it."""
        if self._handles:
            raise BusyError(f"this {type(self).__name__} releases gradients already")
        needs_gradient_hooks("release_gradients")
        self._handles = [param.register_post_accumulate_grad_hook(self._release)
                         for group in self.param_groups for param in group["params"] if param.requires_grad]
        return Release(self)

    # ---- Inside

    @property
    def _handle(self):
        """For statistics, logs and checks of the package."""
        return self._current().handle

    # What adamant.save and adamant.load call, under the lock.

    def _before_saving(self):
        self._attempt(Engine.synchronize)
        for t in self._engine.tensors:
            if not t.contiguous:
                raise MismatchError(f"parameter '{t.name}' has strides {t.memory.stride()}: a checkpoint has elements in the "
                                    "order of the shape; save state_dict() instead")

    def _before_loading(self, info):
        self._before_saving()
        settings = self.settings
        own, theirs = (settings["state"], settings["weights"]), (info.state_format, info.weight_format)
        if own != theirs:
            raise MismatchError(f"the checkpoint has state=\"{theirs[0]}\", weights=\"{theirs[1]}\", this optimizer "
                                f"\"{own[0]}\", \"{own[1]}\": load it with those, then call set_formats")

    def _after_loading(self, info):
        with torch.no_grad():
            self._engine.take(info)
        self._settings = {**self._settings, "seed": self.settings["seed"]}

    def _rule_of(self, group):
        """The rule of a group."""
        return "adamw" if self.rule == "adam" and group.get(_DECOUPLED) else self.rule

    def _engine_settings(self):
        """The settings for the library, and the preset."""
        settings = {**_DEFAULTS, **self._settings}
        if not settings.get("threads"):
            settings["threads"] = default_threads()
        return settings

    def _engine_format(self):
        """The format of states that was asked for."""
        return self._settings.get("state") or self._settings.get("preset") or "f32"

    @property
    def _knows_format(self):
        """Whether the user has said in which format states are kept; else those are used that are there."""
        return not _FORMATS.isdisjoint(self._settings)

    def _progress(self):
        """Number of steps so far, and the last finite norm of the gradients."""
        return self._engine.run() if self._engine is not None else self._carried

    def _check_alone(self, name):
        """Refuses what would need to know the parts of a DTensor that other processes hold."""
        settings = {**_DEFAULTS, **self._settings}
        for setting in ("max_norm", "report_norm"):
            if settings.get(setting):
                raise InvalidArgumentError(f"{setting} is {settings[setting]!r} and '{name}' is spread over processes: each "
                                           "would see the norm of its own part (torch's clip_grad_norm_ sees all)")
        if settings["nonfinite"] != "propagate":
            raise InvalidArgumentError(f"nonfinite is {settings['nonfinite']!r} and '{name}' is spread over processes: each "
                                       "would decide for itself")

    def _current(self):
        if self._engine is None:
            self._rebuild()
        return self._engine

    def _rebuild(self):
        """Makes the engine anew, for the tensors as they are now."""
        self._carried = self._progress()
        with torch.no_grad():
            try:
                self._engine = Engine(self)
            except OtherFormat as found:
                self._settings = {**self._settings, "state": found.name}
                self._engine = Engine(self)

    def _attempt(self, call):
        """Does something with the engine, which is made anew if it does not know the tensors."""
        try:
            return call(self._current())
        except Changed as changed:
            if isinstance(changed, OtherFormat):
                self._settings = {**self._settings, "state": changed.name}
            self._rebuild()
            return call(self._engine)

    def _await(self):
        """Waits for updates that other threads do."""

    def _step(self, statistics):
        found_inf = getattr(self, "found_inf", None)
        scale = getattr(self, "grad_scale", None)
        if self._engine is not None and self._engine.open:
            if scale is not None or found_inf is not None:
                raise InvalidArgumentError("gradients were released before their scale was known: a GradScaler needs a step "
                                           "without release_gradients()")
            self._engine.end()
        else:
            if found_inf is not None and found_inf.item():
                return
            scale = 1.0 if scale is None else float(scale)
            address = filled(statistics, self)
            self._attempt(lambda engine: engine.step(scale, address))
        engine = self._engine
        self._report = StepReport(_library.StepReport.from_buffer_copy(engine.report), engine.names)

    def _release(self, param):
        """Called when the gradient of a parameter is complete."""
        with self._lock:
            self._update(param, param.grad)
            param.grad = None

    def _update(self, param, grad):
        """Updates one parameter, in a step that this begins if none is open."""
        if not self._current().open:
            self._attempt(Engine.prepare)
            self._engine.begin()
            self._by_param = {id(t.param): t for t in self._engine.tensors}
        return self._engine.step_tensor(self._by_param[id(param)], grad)


class Release:
    """Removes the hooks of `release_gradients`."""

    def __init__(self, optimizer: Optimizer):
        self._optimizer = optimizer

    def remove(self) -> None:
        """Gradients stay again until `step()`."""
        for handle in self._optimizer._handles:
            handle.remove()
        self._optimizer._handles = []


def needs_gradient_hooks(what):
    """Refuses what an older torch cannot do."""
    if not hasattr(torch.Tensor, "register_post_accumulate_grad_hook"):
        raise NotImplementedError(f"{what} needs torch 2.1 or newer: this is {torch.__version__}")


_TORCH_FORMATS = frozenset({"f32", "f64", "bf16", "f16"})


def _check_group(group, number):
    for name in _REFUSED:
        if group.get(name):
            raise InvalidArgumentError(f"{name}={group[name]!r} in group {number}: the step runs outside of torch, in CPU "
                                       f"memory, and cannot be {name}")


def _check_dict(state_dict):
    """Refuses what is no state dict of an optimizer of torch's."""
    if not isinstance(state_dict, Mapping):
        raise InvalidArgumentError(f"the state dict is {kind(state_dict)}: it must be what state_dict() gives")
    try:
        dicts = [*state_dict["param_groups"], *state_dict["state"].values()]
        for group in state_dict["param_groups"]:
            group["params"]
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidArgumentError(f"the state dict is not what state_dict() gives: {error!r}") from None
    for each in dicts:
        if not isinstance(each, Mapping):
            raise InvalidArgumentError(f"the state dict has something {kind(each)}, where state_dict() gives a dict")


def _check_names(groups):
    seen = {}
    for number, group in enumerate(groups):
        for name in group.get("param_names", ()):
            if not isinstance(name, str) or not name:
                raise InvalidArgumentError(f"name of a parameter in group {number} is {name!r}: it must be a str, not empty")
            if name in seen:
                raise InvalidArgumentError(f"two parameters are called '{name}', in groups {seen[name]} and {number}: a name "
                                           "must be unique")
            seen[name] = number


def _check_arguments(optimizer, args, kwargs):
    """Refuses an argument of a newer torch that would be without effect here."""
    known = {"params", "self", _DECOUPLED, *(name for name, _ in options_of(optimizer.rule)), *_IGNORED, *_REFUSED}
    signature = inspect.signature(optimizer.torch_class)
    try:
        given = signature.bind(None, *args, **kwargs).arguments
    except TypeError:
        return  # which torch's constructor says better
    for name, value in given.items():
        if name not in known and value != signature.parameters[name].default:
            raise InvalidArgumentError(f"{name}={value!r}: this version of adamant does not know that argument of "
                                       f"torch.optim.{optimizer.torch_class.__name__}")


def _make(rule, torch_class):
    signature = inspect.signature(torch_class.__init__)
    parameter = inspect.Parameter
    parameters = list(signature.parameters.values())
    lines = [f"torch.optim.{torch_class.__name__}, stepped by the library. Arguments are torch's, and settings:", ""]
    for name, setting in SETTINGS.items():
        text = _DEFAULTS.get(name, setting.default_text.decode())
        parameters.append(parameter(name, parameter.KEYWORD_ONLY, default=read_setting(name, text)))
        lines.append(f"    {name}: {setting.range.decode()}; {text} by default")
    lines.append(f"    preset: formats of states and weights, one of {', '.join(_library.names(List.PRESETS))}")
    parameters.append(parameter("preset", parameter.KEYWORD_ONLY, default=None))

    def __init__(self, params, *args, **kwargs):
        Optimizer.__init__(self, params, *args, **kwargs)

    functools.update_wrapper(__init__, torch_class.__init__)
    __init__.__signature__ = signature.replace(parameters=parameters)
    return type(torch_class.__name__, (Optimizer, torch_class), {
        "__init__": __init__, "__doc__": "\n".join(lines), "__module__": "adamant.torch", "rule": rule,
        "torch_class": torch_class})


def _classes():
    info = _library.RuleInfo()
    for index in range(_library.count(List.RULES)):
        c.get_rule(index, info)
        torch_class = getattr(torch.optim, info.title.decode(), None)
        if torch_class is not None:
            yield info.name.decode(), _make(info.name.decode(), torch_class)


RULES = dict(_classes())
"""The class of each rule that torch has, by the name of the rule."""
