# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The forms in which parameters are given."""

from collections.abc import Iterable, Mapping

from ._checks import kind
from ._errors import InvalidArgumentError


def groups_of(params):
    """What the constructor was given, as groups of (name or None, array, gradient or None)."""
    if isinstance(params, Mapping):
        return [group_of({"params": params}, "the parameters")]
    refuse_array(params, "parameters")
    params = list(params)
    if params and isinstance(params[0], Mapping):
        return [group_of(group, f"group {number}") for number, group in enumerate(params)]
    return [group_of({"params": params}, "the parameters")]


def group_of(group, what):
    if not isinstance(group, Mapping) or "params" not in group:
        raise InvalidArgumentError(f"{what} must be a dict with \"params\"")
    options = dict(group)
    params, rule = options.pop("params"), options.pop("rule", None)
    if isinstance(params, Mapping):
        params = params.items()
    else:
        refuse_array(params, f"\"params\" of {what}")
    return {"tensors": [_member(member) for member in params], "rule": rule, "options": options}


def _member(member):
    """array, (array, gradient), (name, array), (name, (array, gradient)) or (name, array, gradient)."""
    if not isinstance(member, tuple):
        return None, member, None
    name, member = (member[0], member[1:]) if member and isinstance(member[0], str) else (None, member)
    if len(member) == 1 and isinstance(member[0], tuple):
        member, = member
    if not 1 <= len(member) <= 2:
        raise InvalidArgumentError(f"a parameter is a tuple of {len(member)}: it must be an array, (array, gradient) "
                                   "or (name, array)")
    return name, member[0], member[1] if len(member) == 2 else None


def numbered(groups, first):
    """Each group with the names of its tensors, which are their numbers where they were given none."""
    for group in groups:
        names = [str(first + i) if name is None else name for i, (name, *_) in enumerate(group["tensors"])]
        first += len(names)
        yield group, names


def refuse_array(things, what):
    if isinstance(things, (str, bytes)) or hasattr(things, "__array_interface__") or hasattr(things, "__dlpack__"):
        raise InvalidArgumentError(f"{what} are a single {type(things).__name__}: they must be a list or dict of "
                                   "arrays")
    if not isinstance(things, Iterable):
        raise InvalidArgumentError(f"{what} are {kind(things)}: they must be a list or dict of arrays")
