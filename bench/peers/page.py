# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""docs/benchmarks.md from the files of bench/results."""

import json
import pathlib

PAGE = pathlib.Path(__file__).parents[2] / "docs/benchmarks.md"

HEAD = """# Benchmarks: a step of AdamW in Adamant and in other packages

`bench/peers.py` writes this page from the files in `bench/results/`; a test compares the two. `make peers` measures the
machine on which it runs.

## What is compared

The step of one optimizer, called from Python, with parameters, gradients and states in memory, on all processors. All are
AdamW with weight decay and without a check for NaN. Adamant is measured through both its Python packages, `adamant` on
NumPy arrays and `adamant.torch` on torch tensors, in four formats:

| row | parameters and gradients | states | further weight bits |
|---|---|---|---|
| f32 | f32 | f32 | none |
| bf16 | bf16 | f32 | none |
| all bf16 | bf16 | 16 bits (`b16`) | none |
| q8 | bf16 | 8 bits (`q8`) | 8 (`split8`) |

The workloads are one tensor of 16Ki, 1Mi and 64Mi parameters, 1000 tensors of 4096, and the 148 tensors of GPT-2 with 124.4
million parameters. Each peer takes turns with all rows of Adamant and with the *ceiling* in one process, for 5 to 25
rounds, every other round backwards. The ceiling is a loop that loads and stores what an f32 step does, 28 bytes per
parameter, on all processors and in as much memory, and computes nothing. For 16Ki parameters it stays on one thread, since that is faster. A
step with fewer bytes can be faster than this ceiling.

The peers: PyTorch's AdamW as it comes (a loop over tensors), `foreach` and `fused`; DeepSpeed's CPUAdam; the kernel of
prime-rl's `cpu_adam`, from a source file that `--prime-rl` names; optax's adamw, compiled, with donated buffers; the
optimizers of bitsandbytes and of its fork for CPUs, `bitsandbytes-cpu-fork`, with f32 parameters; torchao's AdamW8bit, compiled, with bf16 parameters and
stochastic rounding. Peers of 8 and of 4 bits are compared with q8.

## How to read the tables

The first table of each machine gives the median of step time ÷ ceiling of the same round, and in brackets the best ns per
parameter. The second one gives the median of the peer's time ÷ the time of the named row of Adamant in the same round:
above 1, Adamant is faster. The third one gives bytes per parameter: those of the parameters with their further bits, those of the
states, counted from their tensors, and by how much the memory of the process grows during a step.
"""

TAIL = """
## What is not covered

Loss and convergence are not compared here: [loss.md](loss.md) and [fidelity.md](fidelity.md) say what Adamant's formats
cost. Nor are clipping, unscaling and checks of gradients, accelerators, several processes, and C++:
`adamant bench` measures a step in C++, `bench/libtorch.cc` beside libtorch's.

## How to add a machine

Run `make peers` when nothing else runs, and send the new file of `bench/results/` with the page in a pull request. It needs about 3 GB for packages,
in `build/`, 12 GB of memory, and ten minutes or more. `TORCH='torch==2.13.0'` is the version of PyTorch; where the package index
has it only with gigabytes for other devices, `PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu` has it without them.
`PEERS='--prime-rl FILE'` passes options on, which `bench/peers.py --help` lists.
"""


def title(workload):
    return workload.replace("x", " × ")


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows), ""]


def by_workload(result, text, keep):
    """Rows of the kept names, a column for each workload."""
    cells = {(cell["name"], cell["workload"]): text(cell) for cell in result["cells"] if keep(cell)}
    names = list(dict.fromkeys(name for name, _ in cells))
    return [[name, *(cells.get((name, workload), "–") for workload in workloads_of(result))] for name in names]


def workloads_of(result):
    return list(dict.fromkeys(cell["workload"] for cell in result["cells"]))


def number(value):
    """With two digits, or all before the point."""
    return "–" if value is None else f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def ratio(value):
    return f"{value:.2f}" if value < 9.995 else f"{value:.0f}"


def sizes(result):
    """The rows of the table of bytes, for the two largest workloads whose peaks were measured."""
    large = [workload for workload in workloads_of(result)
             if any(cell["workload"] == workload and cell.get("temporaries") is not None for cell in result["cells"])][-2:]
    shown = large or workloads_of(result)[-1:]
    cells = {(cell["name"], cell["workload"]): cell for cell in result["cells"] if "states" in cell}
    rows = []
    for name in dict.fromkeys(name for name, workload in cells if workload in shown):
        mine = [cells.get((name, workload)) for workload in shown]
        last = next(cell for cell in reversed(mine) if cell)
        rows.append([name, f"{last['weights']:.2f}", f"{last['states']:.2f}",
                     *(f"{cell['temporaries']:.2f}" if cell and cell["temporaries"] is not None else "–" for cell in mine)])
    return table(["bytes per parameter", "parameters", "states", *(f"during a step, {title(each)}" for each in shown)], rows)


def tables(result):
    """The lines about one machine."""
    names = [title(workload) for workload in workloads_of(result)]
    lines = table(["time ÷ ceiling (best ns per parameter)", *names],
                  by_workload(result, lambda c: f"{ratio(c['ceiling ratio'])} ({c['best ns']:.2f})", lambda c: True))
    against = {cell["name"]: cell["against"] for cell in result["cells"] if "against" in cell}
    if against:
        rows = by_workload(result, lambda c: ratio(c["times ours"]), lambda c: "times ours" in c)
        lines += table(["peer's time ÷ Adamant's", "Adamant's row", *names],
                       [[row[0], against[row[0]], *row[1:]] for row in rows])
    lines += sizes(result)
    if result["absent"]:
        lines += ["These could not be had:", "", *(f"- {name}: {why}" for name, why in result["absent"].items()), ""]
    return lines


def section(result):
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    load = [f"{result[when][0]:.2f}" for when in ("load before", "load after")]
    return [f"## {machine['cpu']}, {machine['processors']} processors", "",
            f"{machine['caches']}; {machine['memory'] / 2**30:.0f} GiB of memory; instruction set {machine['instruction set']}. "
            f"Measured on {result['date']} at commit {result['commit']}, compiled by {result['compiler']}, with `{result['command']}`. "
            f"The load average of the machine was {load[0]} before and {load[1]} after. Versions: {versions}.", "", *tables(result)]


def text(results):
    files = [json.loads(file.read_text()) for file in sorted(results.glob("*.json"))]
    sections = [line for result in files for line in section(result)] or ["## Machines", "", "No machine has been measured yet."]
    return HEAD + "\n" + "\n".join(sections).rstrip() + "\n" + TAIL


def write(results):
    PAGE.write_text(text(results))
    return 0


def check(results):
    """Status 1 if the page is not what the results give."""
    if PAGE.exists() and PAGE.read_text() == text(results):
        print("docs/benchmarks.md is what bench/results gives")
        return 0
    print("docs/benchmarks.md is not what bench/results gives: bench/peers.py --page writes it")
    return 1
