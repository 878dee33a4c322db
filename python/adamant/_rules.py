# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""A class for each rule that the library has, with its options and settings as arguments."""

import inspect

from . import _library
from ._library import Kind, List, c
from ._optimizer import Optimizer
from ._views import SETTINGS, read_setting


def options(rule):
    """The options of the rule of that name: an `OptionInfo` for each."""
    info, found = _library.RuleInfo(), []
    c.get_rule(_library.names(List.RULES).index(rule), info)
    for index in range(info.option_count):
        found.append(_library.OptionInfo())
        c.get_option_info(rule.encode(), index, found[-1])
    return found


def default(option):
    """The default of an option: a float, a pair of floats, or a bool."""
    if option.kind == Kind.PAIR:
        return (option.default_number[0], option.default_number[1])
    return bool(option.default_flag) if option.kind == Kind.FLAG else option.default_number[0]


def _make(rule, title):
    parameter = inspect.Parameter
    positional, keyword = parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY
    signature = [parameter("params", positional)]
    lines = [f"The rule {title}, on arrays in place. `Optimizer` says what `params` is.", "",
             "Options, which each group can set:", ""]
    for option in options(rule):
        name = option.name.decode()
        signature.append(parameter(name, positional, default=default(option)))
        lines.append(f"    {name}: {option.range.decode()}; {option.default_text.decode()} by default")
    lines += ["", "Settings of the optimizer:", ""]
    for name, setting in SETTINGS.items():
        text = setting.default_text.decode()
        signature.append(parameter(name, keyword, default=read_setting(name, text)))
        lines.append(f"    {name}: {setting.range.decode()}; {text} by default")
    lines += [f"    preset: formats of states and weights, one of {', '.join(_library.names(List.PRESETS))}",
              "    format: \"bf16\" reads uint16 arrays as bfloat16"]
    signature += [parameter("preset", keyword, default=None), parameter("format", keyword, default=None)]
    return type(title, (Optimizer,), {"__doc__": "\n".join(lines), "__module__": "adamant", "rule": rule,
                                      "__signature__": inspect.Signature(signature)})


def _classes():
    info = _library.RuleInfo()
    for index in range(_library.count(List.RULES)):
        c.get_rule(index, info)
        yield info.name.decode(), _make(info.name.decode(), info.title.decode())


RULES = dict(_classes())
"""The class of each rule, by the name of the rule: `RULES["adamw"]` is `AdamW`."""
