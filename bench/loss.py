#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Trains the lab's language model with AdamW in compact formats beside f32, and writes how much loss each format costs.

    bench/loss.py PROGRAM [--seeds N] [--steps N] [--text FILE]

PROGRAM is the program `adamant`. Same start and same batches for every format; a grid of learning rates, since each
format may like another; both usual betas. Prints a page in Markdown; the figures are the same on every machine with the
same text and C library.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile

FORMATS = ["b16", "q8", "q8-lite"]
BETAS = ["0.9,0.95", "0.9,0.999"]
RATES = ["0.001", "0.003", "0.01", "0.03"]
LIMIT = 0.3  # percent of the loss


def losses(program, betas, rate, arguments):
    """Loss of each format, a list by seed; infinite where a run diverged."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "lab", "--workload", "words", "--rules", "adamw", "--state", ",".join(["f32", *FORMATS]),
                   "--betas", betas, "--lr", rate, "--seeds", str(arguments.seeds), "--steps", str(arguments.steps),
                   "--out", folder, "--json"]
        if arguments.text:
            command += ["--text", arguments.text]
        results = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)["results"]
    by_format = {}
    for result in results:
        by_format.setdefault(result["state"], []).append(math.inf if result["loss"] is None else result["loss"])
    return by_format


def difference(base, other):
    """Mean and standard error of other - base over the seeds, in percent of the base."""
    percents = [100 * (o - b) / b for b, o in zip(base, other)]
    return statistics.mean(percents), statistics.stdev(percents) / math.sqrt(len(percents))


def cell(base, other):
    if not all(map(math.isfinite, base + other)):
        return "diverged"
    mean, error = difference(base, other)
    return f"{mean:+.3f} % ± {error:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--text")
    arguments = parser.parse_args()

    print("# What compact formats cost in loss\n")
    print("AdamW trains the lab's language model `words` on The Jargon File, with weights and states in f32 and in compact\n"
          f"formats: {arguments.steps} steps, {arguments.seeds} seeds, loss on held-out text. Every format has the same start "
          "and the same batches.\n`make loss` writes this page.\n")
    for betas in BETAS:
        print(f"betas {betas}", file=sys.stderr)
        table = {rate: losses(arguments.program, betas, rate, arguments) for rate in RATES}
        best = {name: min(RATES, key=lambda rate: statistics.mean(table[rate][name])) for name in ["f32", *FORMATS]}
        print(f"## Betas {betas.replace(',', ', ')}\n")
        print("| learning rate | f32 | " + " | ".join(f"{name} − f32" for name in FORMATS) + " |")
        print("|---|---|" + "---|" * len(FORMATS))
        for rate in RATES:
            base = table[rate]["f32"]
            cells = [cell(base, table[rate][name]) for name in FORMATS]
            print(f"| {rate} | {statistics.mean(base):.4f} | " + " | ".join(cells) + " |")
        print("\nAt the best learning rate of each format:\n")
        print("| format | learning rate | loss | difference from f32 | the interval ± 2 standard errors |")
        print("|---|---|---|---|---|")
        base = table[best["f32"]]["f32"]
        print(f"| f32 | {best['f32']} | {statistics.mean(base):.4f} | | |")
        for name in FORMATS:
            own = table[best[name]][name]
            if not all(map(math.isfinite, base + own)):
                print(f"| {name} | {best[name]} | diverged | | |")
                continue
            mean, error = difference(base, own)
            covers = "covers 0" if abs(mean) <= 2 * error else "does not cover 0"
            size = "mean within" if abs(mean) <= LIMIT else "mean beyond"
            print(f"| {name} | {best[name]} | {statistics.mean(own):.4f} | {cell(base, own)} | {covers}; {size} {LIMIT} % |")
        print()


if __name__ == "__main__":
    main()
