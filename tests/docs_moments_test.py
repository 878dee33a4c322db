# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Compares docs/moments.md and docs/moments.zh.md with what `adamant claims` measures, and docs/pictures with what it draws.

    docs_moments_test.py [--deep] PROGRAM...    all but the claims that take long; --deep takes those alone
    docs_moments_test.py --write PROGRAM...     writes the numbers and the pictures that the pages name

A number of a page follows its mark, <!-- claim:noise.0.9 -->0.230; theory:, error: (the standard error) and verdict:
likewise. It must be the measured one, rounded to the digits that are shown. Where training makes it, another compiler may
give other digits: it may be as far away as five standard errors.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "docs/moments.md", ROOT / "docs/moments.zh.md"]
PICTURES = ROOT / "docs/pictures"
LONG = ["generalise", "generalise-better", "separable", "transformers", "signs"]
VERDICTS = {"holds": "成立", "holds if": "有条件成立", "not shown": "未能证明", "does not hold": "不成立"}

NUMBER = re.compile(r"(<!-- (claim|theory|error):([\w.-]+) -->)([-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?)( ?%)?")
VERDICT = re.compile(r"<!-- verdict:([\w-]+) -->([^|\n]*)")
MARK = re.compile(r"<!-- (?:claim|theory|error|verdict):")


def shown_like(text, value):
    """The value, written with the digits of the text."""
    if "e" in text:
        mantissa, exponent = f"{value:.{len(text.split('e')[0].partition('.')[2])}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    plain = f"{value:,.{len(text.partition('.')[2])}f}" if abs(value) >= 10000 else f"{value:.{len(text.partition('.')[2])}f}"
    return re.sub(r"^-(?=[0.]*$)", "", plain).replace("-", "−")


class Measured:
    def __init__(self, program, only, pictures):
        command = [*program, "claims", "--json", "--pictures", pictures, *(["--only", only] if only else [])]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
        self.claims = {claim["id"]: claim for claim in json.loads(done.stdout)["claims"]}
        self.figures = {f"{name}.{figure['id']}": figure for name, claim in self.claims.items() for figure in claim["figures"]}

    def value(self, kind, name):
        figure = self.figures.get(name)
        return figure and figure[{"claim": "measured", "theory": "theory", "error": "standard_error"}[kind]]

    def slack(self, name):
        return 5 * (self.figures[name]["standard_error"] or 0.0)


def claim_of(name):
    return name.split(".")[0]


def marks(page):
    return [(kind, name, number, bool(percent)) for _, kind, name, number, percent in NUMBER.findall(page.read_text())]


def number_faults(page, measured):
    for kind, name, number, percent in marks(page):
        if claim_of(name) not in measured.claims:
            continue
        value = measured.value(kind, name)
        if value is None:
            if not measured.claims[claim_of(name)]["notes"]:  # without a text the program cannot say
                yield f"{page.name}: there is no {kind} of {name}"
            continue
        if measured.figures[name]["check"] != "none" and measured.figures[name]["tolerance"] is None:
            continue  # nothing was measured without a text
        value *= 100 if percent else 1
        expected = shown_like(number, value)
        away = abs(float(number.replace(",", "").replace("−", "-")) - value)
        if number != expected and away > measured.slack(name) * (100 if percent else 1):
            yield f"{page.name}: {kind} of {name} is {expected}, not {number}"


def verdict_faults(page, measured):
    for name, shown in VERDICT.findall(page.read_text()):
        if name not in measured.claims:
            continue
        if measured.claims[name]["tolerance"] is None:  # nothing was measured without a text
            continue
        verdict = measured.claims[name]["verdict"]
        word = verdict if page == PAGES[0] else VERDICTS[verdict]
        more = " if" if word == "holds" else "\0"
        if not shown.startswith(word) or shown.startswith(word + more):
            yield f"{page.name}: the verdict of {name} is '{verdict}', not '{shown.strip()}'"
        whole = f"{verdict} {measured.claims[name]['condition']}"
        if page == PAGES[0] and verdict == "holds if" and shown.strip() != whole:
            yield f"{page.name}: the verdict of {name} is '{whole}', not '{shown.strip()}'"


def page_faults(measured):
    """What can be said without the program: both pages say the same, of all claims, and no mark is malformed."""
    numbers = [sorted(marks(page)) for page in PAGES]
    if numbers[0] != numbers[1]:
        yield f"the pages do not say the same: {sorted(set(numbers[0]) ^ set(numbers[1]))}"
    for page in PAGES:
        text = page.read_text()
        read = len(marks(page)) + len(VERDICT.findall(text))
        if read != len(MARK.findall(text)):
            yield f"{page.name}: {len(MARK.findall(text)) - read} marks are not followed by a number"
        for name in measured.claims:
            if name not in {claim_of(mark[1]) for mark in marks(page)} or name not in dict(VERDICT.findall(text)):
                yield f"{page.name}: nothing is said of {name}"


def named_pictures():
    return {name for page in PAGES for name in re.findall(r"\(pictures/([\w-]+\.svg)\)", page.read_text())}


def differs(one, other):
    """Whether pictures differ by more than what rounding can move."""
    number = re.compile(r"-?\d+(?:\.\d+)?")
    if number.sub("#", one) != number.sub("#", other):
        return True
    return any(abs(float(a) - float(b)) > 1.0 for a, b in zip(number.findall(one), number.findall(other)))


def picture_faults(measured, drawn):
    kept = {picture.name for picture in PICTURES.glob("*.svg")}
    if kept != named_pictures():
        yield f"docs/pictures holds what no page shows, or not all: {sorted(kept ^ named_pictures())}"
    for name in sorted(kept):
        claim = name.rpartition("-")[0]
        if claim not in measured.claims:
            continue
        new = pathlib.Path(drawn) / name
        if not new.exists():
            if not measured.claims[claim]["notes"]:
                yield f"docs/pictures/{name}: the program does not draw it"
        elif differs((PICTURES / name).read_text(), new.read_text()):
            yield f"docs/pictures/{name} is not what the program draws"


def write(measured, drawn):
    for page in PAGES:
        def filled(match):
            value = measured.value(match[2], match[3])
            if value is None:
                return match[0]
            return match[1] + shown_like(match[4], value * (100 if match[5] else 1)) + (match[5] or "")
        page.write_text(NUMBER.sub(filled, page.read_text()))
    for name in named_pictures():
        (PICTURES / name).write_text((pathlib.Path(drawn) / name).read_text())


def main():
    mode, program = (sys.argv[1], sys.argv[2:]) if sys.argv[1].startswith("--") else ("", sys.argv[1:])
    ids = re.findall(r"<!-- verdict:([\w-]+) -->", PAGES[0].read_text())
    only = {"": ",".join(name for name in ids if name not in LONG), "--deep": ",".join(LONG), "--write": ""}[mode]
    with tempfile.TemporaryDirectory() as drawn:
        measured = Measured(program, only, drawn)
        if mode == "--write":
            return write(measured, drawn)
        faults = [*page_faults(measured), *picture_faults(measured, drawn)]
        for page in PAGES:
            faults += [*number_faults(page, measured), *verdict_faults(page, measured)]
    print("\n".join(faults) or f"the pages agree with {len(measured.figures)} figures")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
