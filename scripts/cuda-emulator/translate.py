#!/usr/bin/env python3
"""Translates a kernel of a PTX file into C: translate.py MODULE.ptx KERNEL OUT.c

Kernels whose threads wait for each other (barriers, shuffles, products of tiles) become functions that stop there and
go on (together.h runs a block's threads side by side); the others are a loop over their threads (apart.h).
"""

import re
import sys
from pathlib import Path

import arithmetic  # noqa: F401  its instructions are found by their names
from function import Function
from instructions import translate
from ptx import Module


def main():
    source, name, out = sys.argv[1:]
    module = Module.parse(Path(source).read_text())
    body = module.kernel(name)
    together = bool(re.search(r"\b(bar|barrier|shfl|ldmatrix|mma|cp\.async)\.", body.text))
    kernel = Function(module, body, translate, resumable=together)
    functions = called(module, kernel)
    lines = ['#include "kernel.h"', f"#define ALONE {int(any(one.atomic for one in [kernel, *functions]))}"]
    for table in sorted(set().union(*(one.tables for one in [kernel, *functions]))):
        size, values = module.tables[table]
        lines.append(f"static const unsigned char table_{table}[{size}] ALIGNED = {values};")
    for one in functions:
        lines.append(f"static void call_{one.body.name}({signature(one)});")
    for one in functions:
        lines += function_in_c(one)
    lines += kernel_in_c(kernel)
    Path(out).write_text("\n".join(lines) + "\n")


def called(module, kernel):
    """The functions that the kernel calls, and those that they call."""
    found, waiting = {}, list(kernel.calls)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = Function(module, module.function(name), translate)
            waiting += found[name].calls
    return list(found.values())


def signature(function):
    return ", ".join(f"unsigned char *{name}" for name in [function.body.result, *function.body.parameters])


def variables(function):
    yield from (f"{type} {name} = 0;" for type, name in function.declared)
    yield from (f"unsigned char {name}[{size}] ALIGNED;" for name, size in function.arrays)
    yield "unsigned carry = 0;"


def function_in_c(function):
    return [
        f"static void call_{function.body.name}({signature(function)}) {{",
        *variables(function),
        *function.lines,
        "}",
    ]


def kernel_in_c(kernel):
    parameters = [f"unsigned char *{name} = parameters[{n}];" for n, name in enumerate(kernel.body.parameters)]
    size = (kernel.shared_size + 15) // 16 * 16
    lines = [f"#define SHARED {size}"]
    if not kernel.resumable:
        head = "static inline void run(Position *at, unsigned char *shared, unsigned char **parameters) {"
        return lines + [head, *parameters, *variables(kernel), *kernel.lines, "}", '#include "apart.h"']
    lines += ['#include "tensor.h"']
    lines += ["typedef struct {", "Position position; Shuffle shuffle; Tiles tiles; uint32_t resume, state, carry_;"]
    lines += ["Copies copies;"] if kernel.copies else []
    set_copies = "(lane).copies.early = (value)" if kernel.copies else "(void)0"
    lines += [f"{type} {name};" for type, name in kernel.declared]
    lines += [f"unsigned char {name}_[{size}] ALIGNED;" for name, size in kernel.arrays]
    lines += (
        ["} Lane;"] + [f"#define {name} (lane->{name}_)" for name, _ in kernel.arrays] + ["#define carry lane->carry_"]
    )
    lines += ["static uint32_t run(Lane *lane, unsigned char *shared, unsigned char **parameters) {"]
    lines += ["Position *at = &lane->position;", *parameters]
    lines += ["switch (lane->resume) {"] + [f"case {n}: goto STOP_{n};" for n in range(1, kernel.stops + 1)] + ["}"]
    lines += [*kernel.lines, "return DONE;", "}", "#undef carry", f"#define SET_COPIES(lane, value) {set_copies}"]
    return lines + ['#include "together.h"']


main()
