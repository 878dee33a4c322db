# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""The tables between the marks of the pages, from the records of bench/results/steps."""

import re
import sys
import typing
from statistics import median

import records
from speed.cases import CASES, EXTRAS

RESULTS = records.RESULTS / "steps"
MARKS = re.compile(r"(?<=<!-- measured:begin speed -->\n).*?(?=<!-- measured:end -->)", re.DOTALL)


class Page(typing.NamedTuple):
    path: str
    language: str
    short: bool  # only the rows of cases that are `short`


PAGES = [Page("README.md", "en", True), Page("README.zh.md", "zh", True), Page("docs/formats.md", "en", False)]

WORDS = {
    "en": {
        "title": "**{cpu}, {processors} processors.** {facts}",
        "none": "No machine has been measured yet.",
        "comma": ", ",
        "besides": {  # of what a case is called, by its extra and its place
            "checks": "{}, with clipping, unscaling, NaN check",
            "statistics": "{}, with statistics",
            "all statistics": "{}, with statistics of all elements",
            "many": "{}; 1000 tensors of 4096",
        },
        "memory": "On all processors, from memory, with {sizes} parameters; medians of {runs} runs:",
        "head": ["parameters, gradients, states", "bytes moved", "ns per parameter", "share of the ceiling",
                 "time ÷ f32 step", "naive loop ÷ step", "eight passes ÷ step"],
        "one tensor": "In f32, 1000 tensors take {:.2f} times as long as one tensor of the same total size.",
        "cache": "On one thread, in cache, with {sizes} parameters, by instruction set: ns per parameter, and in brackets "
                 "time ÷ f32 step; medians of {runs} runs:",
        "cases": "parameters, gradients, states",
        "plain": "fused f32 loop, unrolled by hand",
    },
    "zh": {
        "title": "**{cpu}，{processors} 个处理器。** {facts}",
        "none": "尚未在任何机器上测量。",
        "comma": "、",
        "besides": {  # of what a case is called, by its extra and its place
            "checks": "{}，另加裁剪、反缩放、NaN 检查",
            "statistics": "{}，附带统计量",
            "all statistics": "{}，附带全部元素的统计量",
            "many": "{}；1000 个 4096 元素的张量",
        },
        "memory": "用全部处理器，从内存读写，{sizes} 个参数，{runs} 次运行的中位数：",
        "head": ["参数、梯度、状态", "读写字节数", "纳秒/参数", "占上限的比例", "用时 ÷ f32 更新", "朴素循环 ÷ 更新", "八次遍历 ÷ 更新"],
        "one tensor": "f32 格式下，1000 个张量的用时是同样大小的一个张量的 {:.2f} 倍。",
        "cache": "单线程，在缓存中，{sizes} 个参数，按指令集：纳秒/参数，括号内为用时 ÷ f32 更新；{runs} 次运行的中位数：",
        "cases": "参数、梯度、状态",
        "plain": "手工展开的融合 f32 循环",
    },
}


# ---- Figures


def runs_of(record, case, target=None):
    """What was measured of a case in each run, with the best instruction set or with this one."""
    runs = [run for run in record["runs"] if (run["place"], run["case"]) == (case.place, case.name)]
    target = target or (runs and runs[0]["target"])
    return [run for run in runs if run["target"] == target]


def time_of(run, case):
    return run[EXTRAS[case.extra].time]


def f32_of(record, run, case):
    """Time of the f32 step: measured in turns with the case, or else in the same run."""
    if (key := EXTRAS[case.extra].base) in run:
        return run[key]
    (f32,) = [other for other in record["runs"] if other["case"] == CASES[0].name
              and all(other[key] == run[key] for key in ("place", "target", "run"))]
    return f32["ns_per_param"]


def share(runs):
    """'97 % (94–103)' of the ceiling: the median, the lowest and the highest."""
    least, middle, most = (f"{100 * of(run['ceiling_ratio'] for run in runs):.0f}" for of in (min, median, max))
    return f"{middle} %" if least == most else f"{middle} % ({least}–{most})"


def times_as_long(runs, key):
    """Time of a rival ÷ time of the step; a dash if there is no such rival."""
    return records.multiple(median(run[key] / run["ns_per_param"] for run in runs)) if key in runs[0] else "–"


def size(number):
    for unit, name in ((1 << 20, "Mi"), (1 << 10, "Ki")):
        if number % unit == 0:
            return f"{number // unit}{name}"
    return str(number)


def sizes(record, place):
    """'128Mi–512Mi': the least and the most parameters of its cases."""
    numbers = [run["params"] for run in record["runs"] if run["place"] == place]
    ends = dict.fromkeys([size(min(numbers)), size(max(numbers))])
    return "–".join(ends)


# ---- Tables


def label(case, words):
    weights = "" if case.weights == "plain" else f" + {case.weights}"
    text = words["comma"].join([f"{case.param}{weights}", case.param, case.state])
    for key in (case.extra, case.place):
        text = words["besides"].get(key, "{}").format(text)
    return text


def from_memory(record, cases, words):
    rows = []
    for case in cases:
        runs = runs_of(record, case)
        rows.append([label(case, words), str(runs[0]["bytes_per_param"]),
                     f"{median(time_of(run, case) for run in runs):.2f}", share(runs),
                     records.multiple(median(time_of(run, case) / f32_of(record, run, case) for run in runs)),
                     times_as_long(runs, "naive_ns_per_param"), times_as_long(runs, "unfused_ns_per_param")])
    return records.table(words["head"], rows)


def cell(record, case, target):
    runs = runs_of(record, case, target)
    if not runs:
        return "–"
    ratio = median(time_of(run, case) / f32_of(record, run, case) for run in runs)
    return f"{median(time_of(run, case) for run in runs):.2f} ({records.multiple(ratio)})"


def in_cache(record, cases, words):
    f32 = next(case for case in cases if case.name == CASES[0].name)
    targets = list(dict.fromkeys(run["target"] for run in record["runs"] if run["place"] == "cache"))
    rows = [[label(case, words), *(cell(record, case, target) for target in targets)] for case in cases]
    # The best loop of the machine, whichever instruction set the step is limited to.
    plain = [run["plain_ns_per_param"] for run in runs_of(record, f32)]
    ratio = times_as_long(runs_of(record, f32), "plain_ns_per_param")
    rows.append([words["plain"], f"{median(plain):.2f} ({ratio})", *("–" for _ in targets[1:])])
    return records.table([words["cases"], *targets], rows)


def section(record, language, short):
    """The lines about one machine."""
    words, machine = WORDS[language], record["machine"]
    cases = [case for case in CASES if runs_of(record, case) and (case.short or not short)]
    many = [run for case in cases if case.place == "many" for run in runs_of(record, case) if case.state == "f32"]
    runs = len(dict.fromkeys(run["run"] for run in record["runs"]))
    return [words["title"].format(**machine, facts=records.facts(record, language)), "",
            words["memory"].format(sizes=sizes(record, "memory"), runs=runs), "",
            *from_memory(record, [case for case in cases if case.place != "cache"], words),
            words["one tensor"].format(median(run["ns_per_param"] / run["one_tensor_ns_per_param"] for run in many)), "",
            words["cache"].format(sizes=sizes(record, "cache"), runs=runs), "",
            *in_cache(record, [case for case in cases if case.place == "cache"], words)]


def text(found, language, short):
    """What stands between the marks."""
    lines = [line for record in found for line in section(record, language, short)] or [WORDS[language]["none"]]
    return "\n".join(lines).rstrip() + "\n"


def pages():
    """Each page with its tables as the records give them."""
    found, texts = records.load(RESULTS), {}
    for page in PAGES:
        path = records.ROOT / page.path
        new = text(found, page.language, page.short)
        texts[path], count = MARKS.subn(lambda _: new, path.read_text())
        if count != 1:
            sys.exit(f"{page.path} has {count} times the marks of the tables about speed, not once")
    return texts
