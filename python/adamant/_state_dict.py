# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What an optimizer knows besides the parameters, as a dict that can be pickled or written by numpy.savez.

Its "adamant" is a str of JSON with options, formats and step counts; all else is planes of states, "w/exp_avg".
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping

import numpy as np

from . import _arrays, _library
from ._checks import count, kind, text
from ._errors import Error, InvalidArgumentError, MismatchError, NotFoundError
from ._library import STATE_FORMATS, WEIGHT_FORMATS, List, PlaneKind, c

_LOW_BITS, _EXPONENTS = "low_bits", "/exponents"


def tensor_info(handle, index):
    """The TensorInfo of a tensor."""
    info = _library.TensorInfo()
    c.get_tensor(handle, index, info)
    return info


def planes_of(info):
    """The planes of a TensorInfo, each with its name in a state dict."""
    for plane in info.planes[: info.plane_count]:
        if plane.kind == PlaneKind.LOW_BITS:
            yield _LOW_BITS, plane
        else:
            yield plane.state.decode() + (_EXPONENTS if plane.kind == PlaneKind.EXPONENTS else ""), plane


def read_options(info):
    """The options of a GroupInfo, by name."""
    return {value.name.decode(): _library.read(value) for value in info.options[: info.option_count]}


def save(handle, names, shown):
    """The state dict; `shown(index, plane)` is a plane as an array."""
    c.set_settings(handle, None, 0)  # changes nothing; refused while a step tensor by tensor is open
    state, group = _library.State(), _library.GroupInfo()
    c.get_state(handle, state)
    groups, tensors, arrays = [], {}, {}
    for index in range(state.group_count):
        c.get_group(handle, index, group)
        groups.append({"rule": group.rule.decode(), "formula": group.formula.decode(), "options": read_options(group)})
    for index, name in enumerate(names):
        info = tensor_info(handle, index)
        tensors[name] = {"shape": info.shape[: info.ndim], "group": info.group, "step": info.step,
                         "state_format": STATE_FORMATS[info.state_format],
                         "weight_format": WEIGHT_FORMATS[info.weight_format]}
        arrays.update((f"{name}/{key}", shown(index, plane).copy()) for key, plane in planes_of(info))
    header = {"seed": state.seed, "steps": state.steps, "grad_norm": state.grad_norm if state.has_grad_norm else None,
              "groups": groups, "tensors": tensors}
    return {"adamant": json.dumps(header), **arrays}


def load(handle, state_dict):
    """Gives the engine what `save` gave, or what numpy.load has opened of it."""
    if not isinstance(state_dict, Mapping):
        raise InvalidArgumentError(f"the state dict is {kind(state_dict)}: it must be what state_dict() gives")
    if "adamant" not in state_dict:
        raise InvalidArgumentError("the state dict has no \"adamant\": it must be what state_dict() gives")
    arrays = {key: np.ascontiguousarray(state_dict[key]) for key in state_dict if key != "adamant"}
    try:
        header = json.loads(str(state_dict["adamant"]))
        groups = [_group(group) for group in header["groups"]]
        tensors = [_tensor(name, tensor, arrays) for name, tensor in header["tensors"].items()]
        norm = header["grad_norm"]
        state = _library.State(
            seed=header["seed"], steps=header["steps"], has_grad_norm=norm is not None, grad_norm=norm or 0.0,
            groups=_library.array(_library.GroupInfo, groups), group_count=len(groups),
            tensors=_library.array(_library.TensorInfo, tensors), tensor_count=len(tensors))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, Error):
            raise
        raise InvalidArgumentError(f"\"adamant\" of the state dict is not what state_dict() gives: {error!r}") from None
    unused = [key for key in arrays if key.partition("/")[0] not in header["tensors"]]
    if unused:
        raise NotFoundError(f"the state dict has {unused[0]!r}, which is of no tensor in it")
    c.load(handle, state)


def _group(group):
    options = _library.values(group["options"])
    return _library.GroupInfo(rule=text(group["rule"], "rule"), options=options, option_count=len(options),
                              formula=text(group["formula"], "formula"))


def _tensor(name, tensor, arrays):
    planes = [_plane(key, tensor["state_format"], array) for key, array in arrays.items()
              if key.partition("/")[0] == name]  # no name of a tensor has a "/"
    shape = [count(extent, "shape") for extent in tensor["shape"]]
    return _library.TensorInfo(
        name=text(name, "name of a tensor"), shape=(ctypes.c_size_t * len(shape))(*shape),
        ndim=len(shape), group=tensor["group"], step=tensor["step"],
        planes=_library.array(_library.Plane, planes), plane_count=len(planes),
        state_format=_index(STATE_FORMATS, tensor["state_format"]),
        weight_format=_index(WEIGHT_FORMATS, tensor["weight_format"]))


def _plane(key, state_format, array):
    kind, state = PlaneKind.VALUES, key.partition("/")[2]
    if state == _LOW_BITS:
        kind, state = PlaneKind.LOW_BITS, None
    elif state.endswith(_EXPONENTS):
        kind, state = PlaneKind.EXPONENTS, state[: -len(_EXPONENTS)]
    element = _ELEMENTS[_index(STATE_FORMATS, state_format)] if kind == PlaneKind.VALUES else -1
    if array.dtype != _arrays.dtype_of(element):
        raise MismatchError(f"{key!r} is an array of {array.dtype}: it must be {_arrays.dtype_of(element)}, as "
                            "state_dict() gave it")
    return _library.Plane(state=text(state, "state"), kind=kind,
                          data=array.__array_interface__["data"][0], bytes=array.nbytes)


def _index(names, name):
    if name not in names:
        raise NotFoundError(f"unknown format {name!r} in the state dict: must be one of {', '.join(names)}")
    return names.index(name)


def _element(index):
    info = _library.FormatInfo()
    c.get_format(List.STATE_FORMATS, index, info)
    return info.element


_ELEMENTS = [_element(index) for index in range(len(STATE_FORMATS))]
