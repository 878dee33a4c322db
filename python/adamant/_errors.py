# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What calls raise: each error is an `adamant.Error`, and also the built-in exception of its kind."""


class Error(Exception):
    """Something was refused, and nothing has changed. The text names the thing, its value and the rule it broke.

    `status` is the name of the reason: "invalid_argument", "not_found", ...
    """

    status = "unknown"


class InvalidArgumentError(Error, ValueError):
    """A value outside its range, or a call at the wrong time."""

    status = "invalid_argument"


class NotFoundError(Error, KeyError):
    """Nothing of that name."""

    status = "not_found"
    __str__ = Exception.__str__  # KeyError's would put the text in quotes


class DuplicateError(Error, ValueError):
    """A name or memory given twice, or a tensor updated twice in one step."""

    status = "duplicate"


class MismatchError(Error, ValueError):
    """Sizes, formats, rules or formula ids that do not belong together."""

    status = "mismatch"


class NonFiniteError(Error, FloatingPointError):
    """A NaN or infinite gradient, where the setting `nonfinite` is "error"."""

    status = "non_finite"


class BusyError(Error, RuntimeError):
    """A call while another one runs, or while a step tensor by tensor is open."""

    status = "busy"


class IoError(Error, OSError):
    """A file that cannot be read or written."""

    status = "io"


class OutOfMemoryError(Error, MemoryError):
    """There is not enough memory."""

    status = "out_of_memory"


class InternalError(Error, RuntimeError):
    """An error that the library does not know."""

    status = "internal"


BY_STATUS = {error.status: error for error in Error.__subclasses__()}
