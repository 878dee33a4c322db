# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Parts of an optimizer by name: the options of a group, the settings, the states."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from . import _library
from ._checks import text
from ._state_dict import planes_of, read_options, tensor_info
from ._errors import InvalidArgumentError
from ._library import Kind, List, c

if TYPE_CHECKING:
    from ._optimizer import Optimizer


class Group(MutableMapping):
    """A parameter group: its options by name, which can be set, and "params", "names" and "rule"."""

    _FIXED = ("params", "names", "rule")

    def __init__(self, optimizer: Optimizer, index: int):
        self._optimizer = optimizer
        self._number = index

    def __getitem__(self, name: str) -> Any:
        optimizer = self._optimizer
        with optimizer._lock:
            if name == "names":
                return list(optimizer._groups[self._number])
            if name == "params":
                return [optimizer._params[optimizer._index[n]].array for n in optimizer._groups[self._number]]
            if name == "rule":
                return self._info().rule.decode()
            value = _library.Value()
            c.get_option(optimizer._handle, self._number, text(str(name), "option"), value)
            return _library.read(value)

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, *args: Any, **options: Any) -> None:
        """Sets options: all of them or, if one is refused, none."""
        options = dict(*args, **options)
        for name in self._FIXED:
            if name in options:
                raise InvalidArgumentError(f"{name!r} of a group cannot be set")
        values = _library.values(options)
        with self._optimizer._lock:
            c.set_options(self._optimizer._handle, self._number, values, len(values))

    def __delitem__(self, name: str) -> None:
        raise InvalidArgumentError(f"{name!r} of a group cannot be deleted")

    def __iter__(self) -> Iterator[str]:
        with self._optimizer._lock:
            return iter([*self._FIXED, *read_options(self._info())])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={self[name]!r}" for name in self if name not in self._FIXED)
        return f"{self['rule']}({options}): {len(self['names'])} tensors"

    def _info(self):
        info = _library.GroupInfo()
        c.get_group(self._optimizer._handle, self._number, info)
        return info


class Settings(MutableMapping):
    """The settings of an optimizer by name. Formats, seed and threads cannot be set."""

    def __init__(self, optimizer: Optimizer):
        self._optimizer = optimizer

    def __getitem__(self, name: str) -> Any:
        found = ctypes.c_char_p()
        with self._optimizer._lock:
            c.get_setting(self._optimizer._handle, text(str(name), "setting"), found)
            return read_setting(name, found.value.decode())

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, *args: Any, **settings: Any) -> None:
        """Changes settings: all of them or, if one is refused, none."""
        values = _library.values(dict(*args, **settings))
        with self._optimizer._lock:
            c.set_settings(self._optimizer._handle, values, len(values))

    def __delitem__(self, name: str) -> None:
        raise InvalidArgumentError(f"the setting {name!r} cannot be deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(SETTINGS)

    def __len__(self) -> int:
        return len(SETTINGS)

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.items())})"


class States(Mapping):
    """The states by name or number of the tensor: for each a dict with "step" and the states as arrays.

    The arrays are the engine's own memory, read-only, and show every later step. bf16 is shown as uint16, formats with
    shared exponents as bytes ("exp_avg" and "exp_avg/exponents"), low-order weight bits as "low_bits";
    `export_state` gives f32. While such an array lives, `set_formats`, `add_group` and `remove_tensor` are refused.
    """

    def __init__(self, optimizer: Optimizer):
        self._optimizer = optimizer

    def __getitem__(self, tensor: str | int) -> dict[str, Any]:
        optimizer = self._optimizer
        with optimizer._lock:
            index = optimizer._find(tensor)
            info = tensor_info(optimizer._handle, index)
            return {"step": info.step, **{key: optimizer._show(index, plane) for key, plane in planes_of(info)}}

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer)

    def __len__(self) -> int:
        return len(self._optimizer)


def read_setting(name: str, text: str) -> Any:
    """What the text of a setting says: a str, a float or None, an int, or a bool."""
    kind = SETTINGS[name].kind
    if kind == Kind.NUMBER:
        return None if text == "none" else float(text)
    return {Kind.COUNT: int, Kind.FLAG: "true".__eq__}.get(kind, str)(text)


def _settings():
    found = {}
    for index, name in enumerate(_library.names(List.SETTINGS)):
        found[name] = _library.SettingInfo()
        c.get_setting_info(index, found[name])
    return found


SETTINGS = _settings()
"""A `SettingInfo` for each setting, by name."""
