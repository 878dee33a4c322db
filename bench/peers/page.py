# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""docs/benchmarks.md from the files of bench/results."""

import records
from records import multiple, table

PAGE = records.ROOT / "docs/benchmarks.md"

HEAD = """# Benchmarks: a step of AdamW in Adamant and in other packages

`bench/peers.py` writes this page from the files in `bench/results/`; a test compares the two. `make peers` measures the
machine on which it runs.

## What is compared

The step of one optimizer, called from Python, with parameters, gradients and states in memory, on all processors. All
are AdamW with weight decay and without a check for NaN. Adamant is measured through both its Python packages, `adamant`
on NumPy arrays and `adamant.torch` on torch tensors, in four formats:

| row | parameters and gradients | states | further weight bits |
|---|---|---|---|
| f32 | f32 | f32 | none |
| bf16 | bf16 | f32 | none |
| all bf16 | bf16 | 16 bits (`b16`) | none |
| q8 | bf16 | 8 bits (`q8`) | 8 (`split8`) |

The workloads are one tensor of 16Ki, 1Mi and 64Mi parameters, 1000 tensors of 4096, and the 148 tensors of GPT-2 with
124.4 million parameters. Each peer takes turns in one process with Adamant's f32 rows, its rows of the same bits, and
the *ceiling*, for 5 to 25 rounds, every other round backwards. The ceiling is a loop that loads and stores what an f32
step does, 28 bytes per parameter, in as much memory and on all processors, and computes nothing; up to 64Ki parameters
it stays on one thread. A step with fewer bytes can be faster than this ceiling. Short steps are repeated within a turn,
after a few untimed ones.

The peers:

- PyTorch's AdamW as it comes, which is a loop over tensors, and its `foreach` and `fused`
- DeepSpeed's `DeepSpeedCPUAdam`
- the kernel of prime-rl's `cpu_adam`, from a source file that `--prime-rl` names
- optax's `adamw`, compiled, with donated buffers
- the 8-bit and 4-bit AdamW of bitsandbytes and of its fork for CPUs, `bitsandbytes-cpu-fork`, with f32 parameters
- torchao's `AdamW8bit`, compiled, with bf16 parameters and stochastic rounding

Peers with 8 or 4 bits are compared with q8, although those with f32 parameters move more bytes than q8 does.

## How to read the tables

The first table of each machine gives the median of step time ÷ ceiling of the same round, and in brackets the best time
in ns per parameter. The second one gives the median of the peer's time ÷ the time of the named row of Adamant in the
same round: above 1, Adamant is faster; below 1, the peer is. The third one gives bytes per parameter: of the parameters
with their further bits; of the states, counted from their tensors; and by how much the memory of the process grows
during a step.
"""

TAIL = """
## What is not covered

Loss is not compared here: [loss.md](loss.md) and [fidelity.md](fidelity.md) say what Adamant's formats cost. Clipping,
unscaling, checks of gradients, accelerators and several processes are not measured. `adamant bench` measures a step in
C++, and `bench/libtorch.cc` compares it with libtorch's.

## How to add a machine

Run `make peers` when nothing else runs, and send the new file of `bench/results/` with this page in a pull request. It
takes 2 GB for packages in `build/`, 9 GB of memory, and ten to twenty minutes. `TORCH=torch==2.13.0` is the version of
PyTorch; where the package index has it only with gigabytes for other devices, set
`PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu`. `PEERS='--prime-rl FILE'` passes an option on;
`bench/peers.py --help` lists them.
"""


def title(workload):
    return workload.replace("x", " × ")


def by_workload(result, text, keep):
    """Rows of the kept names, a column for each workload."""
    cells = {(cell["name"], cell["workload"]): text(cell) for cell in result["cells"] if keep(cell)}
    names = list(dict.fromkeys(name for name, _ in cells))
    return [[name, *(cells.get((name, workload), "–") for workload in workloads_of(result))] for name in names]


def workloads_of(result):
    return list(dict.fromkeys(cell["workload"] for cell in result["cells"]))


def sizes(result):
    """The table of bytes; what a step takes is known for large workloads."""
    cells = {(cell["name"], cell["workload"]): cell for cell in result["cells"] if "states" in cell}
    large = [workload for workload in workloads_of(result)
             if any(cell["temporaries"] is not None for (_, where), cell in cells.items() if where == workload)]
    rows = []
    for name in dict.fromkeys(name for name, _ in cells):
        mine = {workload: cell for (whose, workload), cell in cells.items() if whose == name}
        last = list(mine.values())[-1]
        rows.append([name, f"{last['weights']:.2f}", f"{last['states']:.2f}",
                     *(f"{mine[each]['temporaries']:.2f}" if each in mine else "–" for each in large)])
    during = [f"during a step, {title(each)}" for each in large]
    return table(["bytes per parameter", "parameters", "states", *during], rows)


def tables(result):
    """The lines about one machine."""
    names = [title(workload) for workload in workloads_of(result)]
    lines = table(["time ÷ ceiling (best ns per parameter)", *names],
                  by_workload(result, lambda c: f"{multiple(c['ceiling ratio'])} ({c['best ns']:.2f})", lambda c: True))
    against = {cell["name"]: cell["against"] for cell in result["cells"] if "against" in cell}
    if against:
        rows = by_workload(result, lambda c: multiple(c["times ours"]), lambda c: "times ours" in c)
        lines += table(["peer's time ÷ Adamant's", "Adamant's row", *names],
                       [[row[0], against[row[0]], *row[1:]] for row in rows])
    lines += sizes(result)
    if result["absent"]:
        lines += ["These could not be had:", "", *(f"- {name}: {why}" for name, why in result["absent"].items()), ""]
    return lines


def section(result):
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return [f"## {machine['cpu']}, {machine['processors']} processors", "",
            f"{records.facts(result, 'en')} Versions: {versions}.", "", *tables(result)]


def pages():
    """The one page, with its text."""
    sections = [line for result in records.load(records.RESULTS) for line in section(result)] or [
        "## Machines", "", "No machine has been measured yet."]
    return {PAGE: HEAD + "\n" + "\n".join(sections).rstrip() + "\n" + TAIL}
