# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Records of measurements, one JSON file for each machine in bench/results, and what the pages made of them share."""

import datetime
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = ROOT / "bench/results"

# What a page says of a record, by language.
FACTS = {
    "en": "{caches}; {memory:.0f} GiB of memory; instruction set {target}. Measured on {date} at commit {commit}, "
          "compiled by {compiler}, with `{command}`. The load average of the machine was {before:.2f} before and "
          "{after:.2f} after.",
    "zh": "{caches}；内存 {memory:.0f} GiB；指令集 {target}。{date} 在提交 {commit} 上测得，由 {compiler} 编译，命令为 "
          "`{command}`。机器的平均负载测量前为 {before:.2f}，测量后为 {after:.2f}。",
}


# ---- Of a record


def machine(cpu, processors, caches, target):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": cpu, "processors": processors, "caches": caches, "memory": memory, "instruction set": target}


def commit():
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or None


def begun():
    """When, of which sources and by which command: what a record begins with, besides the machine."""
    command = [f"bench/{os.path.basename(sys.argv[0])}", *(os.path.basename(each) for each in sys.argv[1:])]
    return {"date": datetime.date.today().isoformat(), "commit": commit(), "command": shlex.join(command)}


def facts(record, language):
    of = record["machine"]
    return FACTS[language].format(
        caches=of["caches"], memory=of["memory"] / 2**30, target=of["instruction set"], date=record["date"],
        commit=record["commit"], compiler=record["compiler"], command=record["command"],
        before=record["load before"][0], after=record["load after"][0])


def rounded(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value


# ---- Files


def file_name(machine):
    """'intel-xeon-2c-avx512' from what the machine says of itself."""
    words = re.sub(r"\((r|tm)\)|@.*|\d+-core|\b(cpu|processor)\b", " ", machine["cpu"].lower())
    sets = {"AVX3": "avx512"}
    return "-".join([*re.findall(r"[a-z0-9]+", words), f"{machine['processors']}c",
                     sets.get(machine["instruction set"], machine["instruction set"].lower())]) + ".json"


def as_text(record, lists):
    """JSON with a line for each element of these lists."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    for key in lists:
        head, rest = text.split(f'\n "{key}": [\n', 1)
        body, end = rest.split("\n ]", 1)
        lines = ",\n".join("  " + json.dumps(each, ensure_ascii=False) for each in json.loads(f"[{body}]"))
        text = f'{head}\n "{key}": [\n{lines}\n ]{end}'
    return text + "\n"


def save(record, lists, folder):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / file_name(record["machine"])
    file.write_text(as_text(record, lists))
    print(f"wrote {file}", file=sys.stderr)


def load(folder):
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]


# ---- Pages


def table(head, rows):
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


def multiple(value):
    return f"{value:.2f}" if value < 9.995 else f"{value:.0f}"


def write(pages):
    """`pages` holds a text for each path."""
    for page, text in pages.items():
        page.write_text(text)
    return 0


def check(pages, writer):
    """Status 1 if a page is not what the records give. `writer` is the command that writes it."""
    stale = False
    for page, text in pages.items():
        name = page.relative_to(ROOT)
        if page.exists() and page.read_text() == text:
            print(f"{name} is what bench/results gives")
        else:
            print(f"{name} is not what bench/results gives: {writer} writes it")
            stale = True
    return int(stale)
