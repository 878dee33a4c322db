# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""What is measured: steps of AdamW with gradients in the format of the parameters. All else iterates over CASES."""

import typing

# By the place of the tensors, further arguments of `adamant bench`. From memory a round is long and needs no time of its own.
PLACES = {
    "memory": ["--workload", "dram", "--threads", "0", "--rounds", "3"],
    "many": ["--workload", "many", "--threads", "0"],
    "cache": ["--workload", "cache", "--threads", "1"],
}


class Extra(typing.NamedTuple):
    """What a step does besides: its arguments, and what `adamant bench` calls its time and the time of the f32 step."""
    arguments: list
    time: str
    base: str


EXTRAS = {
    "": Extra([], "ns_per_param", "f32_ns_per_param"),
    "checks": Extra(["--policy", "skip", "--max-norm", "1", "--grad-scale", "8"], "ns_per_param", "bare_ns_per_param"),
    "statistics": Extra(["--statistics"], "statistics_ns_per_param", "ns_per_param"),
    "all statistics": Extra(["--observe-every", "1"], "statistics_ns_per_param", "ns_per_param"),
}


class Case(typing.NamedTuple):
    place: str
    param: str
    state: str
    weights: str = "plain"
    extra: str = ""
    short: bool = False  # a row of the READMEs too

    @property
    def name(self):
        """As `adamant bench` names it: bf16+split8/bf16/q8."""
        weights = "" if self.weights == "plain" else f"+{self.weights}"
        return f"{self.param}{weights}/{self.param}/{self.state}{self.extra and ', ' + self.extra}"

    @property
    def arguments(self):
        return ["--rules", "adamw", "--param", self.param, "--state", self.state, "--weights", self.weights,
                *PLACES[self.place], *EXTRAS[self.extra].arguments]

    def targets(self, known):
        """The instruction sets with which it is measured, of those of the machine, best first. In memory, and with
        statistics, the best stands for all; the plain loops of SCALAR are for tests."""
        vectors = [target for target in known if target != "SCALAR"] or known
        return vectors if self.place == "cache" and not self.extra else vectors[:1]


CASES = [
    Case("memory", "f32", "f32", short=True),
    Case("memory", "f32", "f32", extra="checks", short=True),
    Case("memory", "f32", "bf16"),
    Case("memory", "f32", "b16"),
    Case("memory", "f32", "q8"),
    Case("memory", "bf16", "f32", short=True),
    Case("memory", "bf16", "bf16", short=True),
    Case("memory", "bf16", "f32", "split16"),
    Case("memory", "bf16", "f32", "split8"),
    Case("memory", "bf16", "b16", "split8", short=True),
    Case("memory", "bf16", "q8", "split8", short=True),
    Case("memory", "bf16", "b16", "dithered"),
    Case("memory", "bf16", "q8", "dithered"),
    Case("many", "f32", "f32", short=True),
    Case("many", "bf16", "b16", "split8"),
    Case("many", "bf16", "q8", "split8"),
    Case("cache", "f32", "f32", short=True),
    Case("cache", "bf16", "f32", short=True),
    Case("cache", "bf16", "bf16", short=True),
    Case("cache", "bf16", "b16", "split8", short=True),
    Case("cache", "bf16", "q8", "split8", short=True),
    Case("cache", "f32", "f32", extra="statistics"),
    Case("cache", "f32", "f32", extra="all statistics"),
]
