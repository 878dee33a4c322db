#!/usr/bin/env python3
# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

"""Checks that the binary interface of C is what abi.txt says: the calls with their types, the numbers, and the size of
every struct with the offset and size of each member, on a machine with 64-bit pointers. Also that the libraries export
these calls, and the shared one besides only what the C++ headers declare; and that a test in C makes every call.

    abi.py program HEADER FILE                                writes the program in C that says the numbers, sizes and offsets
    abi.py check FOLDER HEADER NM SHARED STATIC PROGRAM...    compares FOLDER/abi.txt; status 1 if anything differs
    abi.py write FOLDER HEADER PROGRAM...                     writes FOLDER/abi.txt

A change that adds calls, numbers, structs, or members at the end of a struct: `write` it. Any other change breaks
programs that were compiled before: then increase ADAMANT_ABI too.
"""

import pathlib
import re
import subprocess
import sys


def declarations(header):
    """The header without comments and preprocessor lines."""
    text = re.sub(r"//.*", "", pathlib.Path(header).read_text())
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def structs(text):
    """Name of each struct, and the names of its members."""
    for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", text, re.DOTALL):
        members = []
        for declaration in body.split(";"):
            members += [re.search(r"(\w+)(?:\[\d+\])?\s*$", part)[1] for part in declaration.split(",") if part.strip()]
        yield name, members


def numbers(text):
    return [name for body in re.findall(r"\benum \{(.*?)\}", text, re.DOTALL) for name in re.findall(r"(ADAMANT_\w+) =", body)]


def calls(text):
    """Each call with its types, on one line."""
    return [re.sub(r"\s+", " ", call) for call in re.findall(r"ADAMANT_EXPORT ([^;]*\));", text)]


def name_of(call):
    return re.search(r"\b(adamant_\w+)\(", call)[1]


def write_program(header, file):
    text = declarations(header)
    lines = [f'  printf("number {name} %d\\n", (int){name});' for name in ["ADAMANT_ABI", *numbers(text)]]
    for struct, members in structs(text):
        lines.append(f'  printf("struct {struct} %d\\n", (int)sizeof({struct}));')
        lines += [f'  printf("member {struct}.{member} %d %d\\n", (int)offsetof({struct}, {member}), '
                  f"(int)sizeof((({struct}*)0)->{member}));" for member in members]
    pathlib.Path(file).write_text("#include <adamant/adamant.h>\n#include <stdio.h>\n\nint main(void) {\n"
                                  '  printf("pointer %d\\n", (int)sizeof(void*));\n' + "\n".join(lines) +
                                  "\n  return 0;\n}\n")


def interface(header, program):
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()
    return [f"call {call}" for call in calls(declarations(header))] + said


def exported(nm, library, *words):
    """Names that a library shows, demangled."""
    said = subprocess.run([nm, "-C", "--defined-only", *words, library], capture_output=True, text=True, check=True).stdout
    return {match[1] for match in re.finditer(r"^[0-9a-f]+ [A-TV-Za-z] (.*)$", said, re.MULTILINE)}


def is_of_c(name):
    return re.fullmatch(r"adamant_\w+", name)


def wrong_symbols(header, library, names):
    declared = {name_of(call) for call in calls(declarations(header))}
    ours = {name for name in names if is_of_c(name)}
    yield from (f"{name} is in adamant.h but {library} does not export it" for name in sorted(declared - ours))
    yield from (f"{name} is in {library} but not in adamant.h" for name in sorted(ours - declared))


def shown(header, names):
    """Symbols of C++ that no public header declares. The standard library's own templates are shown by every library."""
    words = set(re.findall(r"\w+", " ".join(p.read_text() for p in pathlib.Path(header).parent.glob("*.hpp"))))
    for name in sorted(names):
        bare = re.sub(r"\[abi:\w+\]", "", name)
        for _ in range(9):  # what is in brackets, from the inside out
            bare = re.sub(r"<[^<>]*>|\([^()]*\)", "", bare)
        named = [word for word in bare.split() if "::" in word] or [bare]
        parts = re.findall(r"\w+", named[-1])
        # Sanitizers have sections whose ends the linker names; nm does not know how newer compilers write constraints.
        if name.startswith(("__start_", "__stop_", "_ZNSt")):
            continue
        if not (is_of_c(name) or parts[0] in ("std", "__gnu_cxx") or parts[0] == "adamant" and set(parts) <= words):
            yield f"{name} is exported but no public header declares it"


def untested(folder, header):
    tests = " ".join(p.read_text() for p in pathlib.Path(folder).glob("*_test.c"))
    for call in calls(declarations(header)):
        if not re.search(rf"\b{name_of(call)}\(", tests):
            yield f"{name_of(call)} is called by no test in C"


def check(folder, header, nm, shared, static, *program):
    listed = (pathlib.Path(folder) / "abi.txt").read_text().splitlines()
    actual = interface(header, program)
    if "pointer 8" in actual:
        yield from (f"gone: {line}" for line in listed if line not in actual)
        yield from (f"new: {line}" for line in actual if line not in listed)
        if listed != actual and sorted(listed) == sorted(actual):
            yield "the order has changed"
        if listed != actual:
            yield ("tests/c/abi.txt does not list this interface: if it is meant, run\n"
                   f"    tests/c/abi.py write {folder} {header} {' '.join(program)}\n"
                   "and, if a line is gone, increase ADAMANT_ABI: programs that were compiled before no longer work")
    exports = exported(nm, shared, "-D")
    yield from wrong_symbols(header, shared, exports)
    yield from wrong_symbols(header, static, exported(nm, static, "-g"))
    yield from shown(header, exports)
    if "typeinfo for adamant::Error" not in exports:
        yield f"{shared} does not export the type of adamant::Error, by which it is caught"
    yield from untested(folder, header)


def main():
    command, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 2 else ("", [])
    if command == "program":
        return write_program(*arguments)
    if command == "write":
        folder, header, *program = arguments
        (pathlib.Path(folder) / "abi.txt").write_text("\n".join(interface(header, program)) + "\n")
        return 0
    if command != "check":
        sys.exit(__doc__)
    faults = list(check(*arguments))
    print("\n".join(faults) or "the binary interface is as listed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
