#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Times AdamW steps of Python packages beside Adamant's, in turns: bench/peers.py PROGRAM [--size N] [--rounds N]

PROGRAM is the program `adamant`. Needs PyTorch; bitsandbytes too for its 8-bit AdamW. What is missing is said and left
out. Prints a Markdown table: median ns per parameter of one step on one tensor, and how many times as long as Adamant's step in
the same number of bits. All processors; gradients ready in memory; f32 parameters for the packages, since their states go
with those.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

OURS = {
    "adamant f32": ["--param", "f32"],
    "adamant q8": ["--param", "bf16", "--state", "q8", "--weights", "split8"],
    "adamant q8-lite": ["--param", "bf16", "--state", "q8", "--weights", "dithered"],
}


def ours(program, arguments, size):
    command = [program, "bench", "--rules", "adamw", "--workload", "dram", "--size", str(size), "--threads", "0",
               "--rounds", "3", "--json", *arguments]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["results"][0]
    return result["ns_per_param"]


def peers(size):
    """Name, and a function that steps, for each package there is."""
    try:
        import torch
    except ImportError:
        sys.exit("skipped: there is no PyTorch here")
    torch.set_num_threads(len(os.sched_getaffinity(0)))

    def step_of(make):
        parameter = torch.nn.Parameter(torch.randn(size))
        parameter.grad = torch.randn(size)
        return make([parameter]).step

    yield f"torch {torch.__version__} AdamW fused", step_of(lambda p: torch.optim.AdamW(p, fused=True)), "adamant f32"
    yield f"torch {torch.__version__} AdamW", step_of(lambda p: torch.optim.AdamW(p, foreach=False)), "adamant f32"
    try:
        import bitsandbytes
    except ImportError:
        print("left out: there is no bitsandbytes here", file=sys.stderr)
        return
    yield (f"bitsandbytes {bitsandbytes.__version__} AdamW8bit",
           step_of(lambda p: bitsandbytes.optim.AdamW8bit(p)), "adamant q8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--size", type=int, default=1 << 26, help="parameters [64Mi]")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    there = list(peers(options.size))
    times = {name: [] for name in [*OURS, *(name for name, _, _ in there)]}
    for _, step, _ in there:
        step()
    for _ in range(options.rounds):
        for name, arguments in OURS.items():
            times[name].append(ours(options.program, arguments, options.size))
        for name, step, _ in there:
            start = time.perf_counter()
            step()
            times[name].append((time.perf_counter() - start) / options.size * 1e9)

    against = {name: base for name, _, base in there}
    print(f"{options.size} parameters, {len(os.sched_getaffinity(0))} processors, {options.rounds} rounds")
    print("\n| step | ns per parameter | times Adamant's |\n|---|---|---|")
    for name, values in times.items():
        ratio = ""
        if name in against:
            rounds = zip(values, times[against[name]])
            ratio = f"{statistics.median(theirs / own for theirs, own in rounds):.1f} ({against[name]})"
        print(f"| {name} | {statistics.median(values):.3f} | {ratio} |")


if __name__ == "__main__":
    main()
