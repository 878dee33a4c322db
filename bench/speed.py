#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Measures steps with `adamant bench`, in several runs over all cases; `make speed` calls it.

    bench/speed.py                 measures; writes bench/results/steps/MACHINE.json and the tables of the pages
    bench/speed.py --tables        writes the tables of the pages from all of bench/results/steps
    bench/speed.py --tables check  says whether the tables are what those files give; status 1 if not

The tables are those about speed in README.md, README.zh.md and docs/formats.md. The cases are in bench/speed/cases.py.
Each run goes through all of them, so that a slow minute of the machine hits few figures of any case.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

import records
from speed import tables
from speed.cases import CASES


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="[%(default)s]")
    parser.add_argument("--seconds", metavar="NUMBER", help="for each case that is not from memory [as `adamant bench`]")
    parser.add_argument("--size", metavar="NUMBER", help="parameters of each case from memory [as `adamant bench`]")
    parser.add_argument("--cases", default="", metavar="REGEX",
                        help="only cases with this in their place and name, as in 'cache f32/f32/f32'; needs --out")
    parser.add_argument("--program", type=shlex.split, metavar="COMMAND",
                        default=[str(records.ROOT / "build/release/bin/adamant")], help="[build/release/bin/adamant]")
    parser.add_argument("--out", type=pathlib.Path, default=tables.RESULTS, metavar="FOLDER",
                        help="of the results [bench/results/steps]")
    parser.add_argument("--tables", nargs="?", const="write", choices=["write", "check"])
    options = parser.parse_args()
    if options.runs < 1:
        parser.error(f"--runs {options.runs} must be at least 1")
    if options.cases and options.out == tables.RESULTS:
        parser.error("--cases needs --out: a file of bench/results/steps has all cases")
    return options


def said(command):
    """The JSON object that a command prints."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"there is no {command[0]}: `make build` makes it")
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def figures(result):
    """The numbers of a result."""
    return {key: records.rounded(value) for key, value in result.items() if isinstance(value, (int, float))}


def further(options, case):
    """Arguments of `adamant bench` that make its turn shorter or longer."""
    name, value = ("--size", options.size) if case.place == "memory" else ("--seconds", options.seconds)
    return [name, value] if value else []


def measure(options):
    """The content of a file of bench/results/steps."""
    known = said([*options.program, "targets", "--json"])["targets"]
    turns = [(case, target) for case in CASES if re.search(options.cases, f"{case.place} {case.name}")
             for target in case.targets(known)]
    record = {"machine": {}, **records.begun(), "compiler": "", "load before": os.getloadavg()}
    runs, start = [], time.perf_counter()
    for run in range(1, options.runs + 1):
        for at, (case, target) in enumerate(turns, 1):
            print(f"run {run}/{options.runs}, case {at}/{len(turns)}, {time.perf_counter() - start:.0f} s: "
                  f"{case.place}, {case.name}, {target}", file=sys.stderr)
            found = said([*options.program, "bench", "--json", *case.arguments, "--target", target,
                          *further(options, case)])
            (result,), machine = found["results"], found["machine"]
            runs.append({"place": case.place, "case": case.name, "target": machine["target"], "run": run,
                         **figures(result)})
    record["machine"] = records.machine(machine["cpu"], machine["threads"], machine["caches"], known[0])
    record["compiler"] = machine["compiler"]
    return {**record, "load after": os.getloadavg(), "runs": runs}


def main():
    options = parsed()
    if options.tables == "check":
        return records.check(tables.pages(), "bench/speed.py --tables")
    if not options.tables:
        records.save(measure(options), ["runs"], options.out)
    if options.out == tables.RESULTS:
        records.write(tables.pages())
    return 0


if __name__ == "__main__":
    sys.exit(main())
