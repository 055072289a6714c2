"""Reads PTX: kernels, functions, tables, and the statements of their bodies."""

import re
from dataclasses import dataclass, field

NAME = r"[\w$]+"


@dataclass
class Body:
    """A kernel or a function: its name, its parameters' names and what stands between its braces."""

    name: str
    parameters: list
    text: str
    result: str = None


@dataclass
class Module:
    text: str
    tables: dict = field(default_factory=dict)  # name -> (size, initialiser)
    shared: dict = field(default_factory=dict)  # name -> (alignment, size); size None: given at the launch

    @classmethod
    def parse(cls, text):
        module = cls(re.sub(r"//[^\n]*", "", text))
        for found in re.finditer(
            rf"\.global\s+\.align\s+\d+\s+\.b8\s+({NAME})\[(\d+)\]\s*=\s*(\{{[^}}]*\}})", module.text
        ):
            name, size, values = found.groups()
            module.tables[name] = (int(size), values)
        for found in re.finditer(
            rf"^(?:\.extern\s+)?\.shared\s+\.align\s+(\d+)\s+\.b8\s+({NAME})\[(\d*)\]", module.text, re.M
        ):
            align, name, size = found.groups()
            module.shared[name] = (int(align), int(size) if size else None)
        return module

    def kernel(self, name):
        found = re.search(rf"\.entry\s+{re.escape(name)}\s*\(([^)]*)\)[^{{]*\{{", self.text)
        if not found:
            raise SystemExit(f"no kernel {name} in this module")
        return Body(name, parameter_names(found.group(1)), self.between_braces(found.end() - 1))

    def function(self, name):
        found = re.search(rf"\.func\s*(\([^)]*\))?\s*{re.escape(name)}\s*\(([^)]*)\)\s*\{{", self.text)
        if not found:
            raise NotImplementedError(f"the function {name}")
        result = parameter_names(found.group(1).strip("()")) if found.group(1) else []
        return Body(
            name,
            parameter_names(found.group(2)),
            self.between_braces(found.end() - 1),
            result[0] if result else "no_result",
        )

    def between_braces(self, start):
        depth = 0
        for at in range(start, len(self.text)):
            depth += {"{": 1, "}": -1}.get(self.text[at], 0)
            if depth == 0:
                return self.text[start + 1 : at]
        raise SystemExit("a brace is never closed")


@dataclass
class Instruction:
    """`@!%p1 setp.lt.s32 %p2, %r1, 5`: guard, opcode, modifiers, type (the last modifier) and operands."""

    text: str
    guard: str
    negated: bool
    opcode: str
    modifiers: list
    operands: list

    @property
    def type(self):
        return self.modifiers[-1] if self.modifiers else ""

    @classmethod
    def parse(cls, text):
        found = re.match(rf"(?:@(!?)(%?{NAME})\s+)?([a-z][\w.:]*)\s*(.*)$", text, re.S)
        negated, guard, opcode, rest = found.groups()
        opcode, *modifiers = opcode.split(".")
        return cls(re.sub(r"\s+", " ", text), guard, bool(negated), opcode, modifiers, split_operands(rest))


def parameter_names(text):
    """`.param .u64 a, .param .align 8 .b8 b[16]` -> a, b."""
    return [re.search(rf"({NAME})(?:\[\d+\])?\s*$", one).group(1) for one in text.split(",") if one.strip()]


def split_operands(text):
    """Splits at the commas outside of brackets."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += {"[": 1, "{": 1, "(": 1, "]": -1, "}": -1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return parts + [part.strip()] if part.strip() else parts


def statements(body):
    """Yields `{`, `}`, `label:` and what ends with a semicolon, without it."""
    part = ""
    for letter in body:
        if letter in "{}" and not part.strip():
            yield letter
            part = ""
        elif letter == ";":
            if part.strip():
                yield part.strip()
            part = ""
        else:
            part += letter
            if letter == ":" and re.match(r"\s*\$?\w+:$", part):
                yield part.strip()
                part = ""
