# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What arguments must be, before ctypes sees them: it would cut numbers off, and name no argument."""

import operator
import os

from ._errors import InvalidArgumentError


def kind(thing):
    """Of which type it is, for the text of a refusal."""
    return f"of type {type(thing).__module__}.{type(thing).__qualname__}".replace("builtins.", "")


def number(value, name, must="a number"):
    """It as a float."""
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except OverflowError:
        must = "a number that f64 can hold"
    except (RuntimeError, TypeError, ValueError):
        pass
    raise InvalidArgumentError(f"{name} is {_said(value)}: it must be {must}")


def count(value, name, least=0, most=2**64 - 1):
    """It as an int in that range."""
    try:
        found = operator.index(value)
        if least <= found <= most:
            return found
    except TypeError:
        pass
    raise InvalidArgumentError(f"{name} is {_said(value)}: it must be an integer from {least} to {most}")


def _said(value):
    """A value in a sentence. Python refuses to write the digits of very large integers."""
    return f"an integer of {value.bit_length()} bits" if isinstance(value, int) and abs(value) >> 128 else repr(value)


def text(value, name):
    """It as the bytes of a text for C; None if it is None."""
    if value is None:
        return None
    try:
        if isinstance(value, str) and "\0" not in value:
            return value.encode()
    except UnicodeEncodeError:
        pass
    raise InvalidArgumentError(f"{name} is {value!r}: it must be a str of Unicode, without zero bytes")


def path_bytes(path):
    """A path as the bytes of a text for C."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise InvalidArgumentError(f"path is {path!r}: it must have no zero bytes")
    return encoded


class Known:
    """An optimizer of this package; the base of `adamant.Optimizer` and of `adamant.torch.Optimizer`."""

    def _check_rule(self):
        if not hasattr(self, "rule"):
            base = next(base for base in type(self).__mro__ if Known in base.__bases__)
            classes = (f"{made.__module__}.{made.__name__}" for made in base.__subclasses__() if hasattr(made, "rule"))
            raise InvalidArgumentError(f"{type(self).__name__} has no rule: use a class that has one "
                                       f"({', '.join(classes)})")


def known(optimizer):
    """It itself; refuses what is no optimizer of this package."""
    if not isinstance(optimizer, Known):
        raise InvalidArgumentError(f"the optimizer is {kind(optimizer)}: it must be an adamant.Optimizer, or of a class "
                                   "of adamant.torch")
    return optimizer


def filled(statistics, optimizer):
    """The address of the `Statistics` that a step of this optimizer fills; None if there are none."""
    if statistics is None:
        return None
    if not hasattr(statistics, "filled_by"):
        raise InvalidArgumentError(f"the statistics are {kind(statistics)}: they must be an adamant.Statistics")
    return statistics.filled_by(optimizer)
