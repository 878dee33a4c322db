#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Times a step of AdamW in Adamant's Python package beside other packages, in turns; `make peers` calls it.

    bench/peers.py                measures everything; writes bench/results/MACHINE.json and docs/benchmarks.md
    bench/peers.py --short        one tensor, a few rounds, packages of this Python; writes nothing
    bench/peers.py --page         writes docs/benchmarks.md from all of bench/results
    bench/peers.py --page check   says whether docs/benchmarks.md is what those files give; status 1 if not

Without --here or --short the packages are installed in build/peers-venv. It prints the tables of the page for this
machine. docs/benchmarks.md says what is measured. The libraries are those of the preset release, unless the environment
names them: ADAMANT_LIBRARY (target adamant_shared), ADAMANT_CEILING (target adamant_ceiling).
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import records
from peers import packages, page, steps, summary

WORKLOADS = ["16Ki", "1Mi", "1000x4096", "64Mi", "GPT-2 124M"]
LIBRARIES = {"ADAMANT_LIBRARY": "src/libadamant_shared.so", "ADAMANT_CEILING": "bench/libadamant_ceiling.so"}
LIMIT = 1200  # seconds for the peers of one package


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=lambda text: text.split(","), default=WORKLOADS, metavar="LIST",
                        help=f"sizes, COUNTxSIZE or GPT-2 124M [{','.join(WORKLOADS)}]")
    parser.add_argument("--peers", default="", metavar="REGEX",
                        help="only peers whose name has this; none: Adamant alone")
    parser.add_argument("--prime-rl", metavar="FILE", help="kernel.cpp of prime-rl's cpu_adam")
    parser.add_argument("--torch", default="torch==2.13.0", metavar="REQUIREMENT",
                        help="what pip installs for PyTorch [%(default)s]")
    parser.add_argument("--rounds", type=int, default=0, help="[5 to 25, by time]")
    parser.add_argument("--here", action="store_true", help="install nothing: measure the packages of this Python")
    parser.add_argument("--short", action="store_true", help="--here --workloads 64Mi --rounds 3, and no file")
    parser.add_argument("--out", type=pathlib.Path, default=records.RESULTS, metavar="FOLDER",
                        help="of the results [bench/results]")
    parser.add_argument("--page", nargs="?", const="write", choices=["write", "check"])
    parser.add_argument("--package", help=argparse.SUPPRESS)  # what a process of one package is told
    options = parser.parse_args()
    if options.short:
        options.here, options.workloads, options.rounds = True, ["64Mi"], options.rounds or 3
    return options


def selected(options, package=None):
    """The peers that are asked for, of one package or of all."""
    return [peer for peer in steps.PEERS if options.peers != "none" and re.search(options.peers, peer.name)
            and package in (None, peer.package)]


# ---- In a process for each package


def measure_package(options):
    from peers import measuring  # needs NumPy
    progress = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # packages may print; the log gets it

    def save(result):
        options.out.write_text(json.dumps(result))
        if result["heats"]:
            heat = result["heats"][-1]
            print(f"  {heat['workload']}: {heat['peer'] or 'Adamant alone'}, {time.perf_counter() - start:.0f} s",
                  file=progress)
    start = time.perf_counter()
    measuring.measure(selected(options, options.package), options.workloads, options.rounds, save)


def run_package(package, options, out):
    """(what it measured, or None; why it did not come to its end, or None)."""
    command = [sys.executable if options.here else packages.PYTHON, __file__, "--package", package, "--out", out,
               "--workloads", ",".join(options.workloads), "--rounds", str(options.rounds), "--peers", options.peers]
    log = out.with_suffix(".log")
    failed = None
    try:
        with log.open("w") as said:
            done = subprocess.run(command, stdout=sys.stderr, stderr=said, timeout=LIMIT,
                                  env=packages.environment(package))
        if done.returncode:
            failed = f"status {done.returncode}: {(log.read_text().splitlines() or [''])[-1][:200]}"
    except subprocess.TimeoutExpired:
        failed = f"took more than {LIMIT} s"
    return json.loads(out.read_text()) if out.exists() else None, failed


# ---- All of them


def set_environment(options):
    for variable, path in LIBRARIES.items():
        file = pathlib.Path(os.environ.setdefault(variable, str(records.ROOT / "build/release" / path)))
        if not file.exists():
            sys.exit(f"there is no {file}: `make peers` builds it")
    if options.prime_rl:
        os.environ["PRIME_RL_KERNEL"] = str(pathlib.Path(options.prime_rl).resolve())


def install(options):
    """By package, why it cannot be had."""
    if options.here:
        return {}
    packages.make_venv()
    absent = {}
    for package in packages.PACKAGES:
        print(f"{package}: installing", file=sys.stderr)
        if why := packages.install(package, options.torch):
            absent[package] = why
    if "numpy" in absent:
        sys.exit(f"NumPy cannot be had: {absent['numpy']}")
    return absent


def measure(options):
    """The content of a file of bench/results."""
    set_environment(options)
    missing = install(options)
    result = {"machine": {}, **records.begun(), "compiler": "",
              "versions": {"python": sys.version.split()[0]}, "load before": os.getloadavg(), "absent": {}}
    heats, sizes = [], []
    for package in packages.PACKAGES:
        peers = selected(options, package)
        if package in missing:
            result["absent"].update({peer.name: missing[package] for peer in peers})
            continue
        if not peers and package != "numpy":  # whose process measures Adamant alone
            continue
        print(f"{package}: measuring", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            found, failed = run_package(package, options, pathlib.Path(folder) / "result.json")
        if found is None and package == "numpy":
            sys.exit(f"Adamant cannot be measured: {failed}")
        if found:
            for key in ("machine", "compiler"):
                result[key] = found[key]
            for key in ("versions", "absent"):
                result[key].update(found[key])
            heats += found["heats"]
            sizes += found["bytes"]
        if failed:
            done = {(heat["workload"], heat["peer"]) for heat in heats}
            result["absent"].update({peer.name: failed for peer in peers
                                     if not all((workload, peer.name) in done for workload in options.workloads)})
    result["load after"] = os.getloadavg()
    result["cells"] = summary.cells(heats, sizes, options.workloads, [*steps.OURS, *selected(options)])
    return {**result, "heats": heats}


def main():
    options = parsed()
    if options.package:
        return measure_package(options)
    if options.page == "check":
        return records.check(page.pages(), "bench/peers.py --page")
    if options.page:
        return records.write(page.pages())
    result = measure(options)
    print("\n".join(page.tables(result)))
    if not options.short:
        records.save(result, ["cells", "heats"], options.out)
        if options.out == records.RESULTS:
            records.write(page.pages())
    return 0


if __name__ == "__main__":
    sys.exit(main())
