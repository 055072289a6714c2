"""The translation of one kernel or function: its registers, its memory, and how operands are read and written."""

import re

from ptx import Instruction, statements

C_TYPES = {
    "pred": "uint8_t",
    "b8": "uint8_t", "u8": "uint8_t", "s8": "int8_t",
    "b16": "uint16_t", "u16": "uint16_t", "s16": "int16_t", "f16": "uint16_t", "bf16": "uint16_t",
    "b32": "uint32_t", "u32": "uint32_t", "s32": "int32_t", "f16x2": "uint32_t", "bf16x2": "uint32_t",
    "b64": "uint64_t", "u64": "uint64_t", "s64": "int64_t",
    "f32": "float", "f64": "double",
}  # fmt: skip
SPECIAL = {
    "%tid.x": "at->tid[0]", "%tid.y": "at->tid[1]", "%tid.z": "at->tid[2]",
    "%ntid.x": "at->ntid[0]", "%ntid.y": "at->ntid[1]", "%ntid.z": "at->ntid[2]",
    "%ctaid.x": "at->ctaid[0]", "%ctaid.y": "at->ctaid[1]", "%ctaid.z": "at->ctaid[2]",
    "%nctaid.x": "at->nctaid[0]", "%nctaid.y": "at->nctaid[1]", "%nctaid.z": "at->nctaid[2]",
    "WARP_SZ": "32",
}  # fmt: skip
FLOATS = ("f32", "f64", "f16", "bf16")
# How the bits of the small floating-point types become a float, and back with one rounding.
WIDEN = {"f16": "from_half", "bf16": "from_bfloat"}
NARROW = {"f16": "to_half", "bf16": "to_bfloat"}


def width(type):
    return int(re.search(r"\d+", type).group()) * (2 if type.endswith("x2") else 1)


def identifier(name):
    return "v_" + re.sub(r"\W", "_", name)


class Function:
    """Translates `body`. With `resumable`, registers live in a struct: a thread can stop at a barrier and go on."""

    def __init__(self, module, body, translate, resumable=False):
        self.module, self.body, self.resumable = module, body, resumable
        self.registers, self.declared, self.scoped = {}, [], set()
        self.shared, self.shared_size = {}, 0
        self.arrays, self.lines, self.stops, self.depth = [], [], 0, 0
        self.tables, self.calls, self.atomic, self.copies = set(), [], False, False
        for name, (align, size) in module.shared.items():
            if size is not None and re.search(re.escape(name) + r"\b", body.text):
                self.reserve(name, align, size)
        for statement in statements(body.text):
            self.statement(statement, translate)

    def emit(self, line):
        self.lines.append(line)

    def reserve(self, name, align, size):
        start = (self.shared_size + align - 1) // align * align
        self.shared[name], self.shared_size = start, start + size

    def statement(self, text, translate):
        if text in "{}":
            self.depth += 1 if text == "{" else -1
            self.emit(text)
        elif text.endswith(":"):
            self.emit(text[:-1].replace("$", "_") + ": ;")
        elif text.startswith("."):
            self.directive(text)
        else:
            self.instruction(Instruction.parse(text), translate)

    def instruction(self, instruction, translate):
        if instruction.guard:
            self.emit(f"if ({'!' if instruction.negated else ''}{self.register(instruction.guard)}) {{")
        try:
            translate(self, instruction)
        except (NotImplementedError, KeyError) as missing:
            # A kernel may hold what this emulator cannot do as long as it is not reached.
            self.emit(f'refuse("{instruction.text} ({type(missing).__name__})");'.replace("\\", ""))
        if instruction.guard:
            self.emit("}")

    def directive(self, text):
        kind = text.split()[0]
        if kind == ".reg":
            type, names = re.match(r"\.reg\s*\.(\w+)\s+(.*)$", text, re.S).groups()
            for name in names.split(","):
                self.declare(type, name.strip())
        elif kind == ".param":
            name, size = re.search(r"(\w+)(?:\[(\d+)\])?$", text).groups()
            self.emit(f"unsigned char {name}[{max(int(size or 8), 8)}] ALIGNED;")
        elif kind == ".shared":
            align, type, name, count = re.match(
                r"\.shared\s+\.align\s+(\d+)\s+\.(\w+)\s+([\w$]+)(?:\[(\d+)\])?$", text
            ).groups()
            self.reserve(name, int(align), int(count or 1) * width(type) // 8)
        elif kind == ".local":
            name, size = re.search(r"([\w$]+)\[(\d+)\]$", text).groups()
            self.arrays.append((name, int(size)))

    def declare(self, type, name):
        several = re.match(r"(%[\w$]+)<(\d+)>$", name)
        names = [f"{several.group(1)}{i}" for i in range(int(several.group(2)))] if several else [name]
        for name in names:
            self.registers[name] = type
            if self.depth == 0:
                self.declared.append((C_TYPES[type], identifier(name)))
            else:
                self.scoped.add(name)
                self.emit(f"{C_TYPES[type]} {identifier(name)} = 0;")

    def register(self, name):
        here = identifier(name)
        return f"lane->{here}" if self.resumable and name not in self.scoped else here

    def read(self, operand, type):
        """The C expression of an operand's value; of f16 and bf16, as a float."""
        operand = operand.strip()
        if operand.startswith("!"):
            return f"(!{self.read(operand[1:], type)})"
        if operand in SPECIAL:
            return f"(({C_TYPES[type]}){SPECIAL[operand]})"
        if operand in self.registers:
            return self.read_register(operand, type)
        literal = re.match(r"0[fFdD]([0-9a-fA-F]+)$", operand)
        if literal or re.match(r"-?(0x[0-9a-fA-F]+|\d+)U?$", operand):
            value = f"0x{literal.group(1)}ull" if literal else operand.rstrip("U") + "ll"
            return from_bits(value, type)
        return self.symbol(operand)

    def read_register(self, name, type):
        here, own = self.register(name), self.registers[name]
        if type == "pred" or own == type and type in ("f32", "f64"):
            return here
        return from_bits({"f32": f"bits32({here})", "f64": f"bits64({here})"}.get(own, here), type)

    def write(self, target, type, value):
        """Sets a register; a value of f16 or bf16 is given as a float or double."""
        if target == "_":
            return self.emit(f"(void)({value});")
        here, own = self.register(target), self.registers[target]
        if type in NARROW:
            value = f"{NARROW[type]}({value})"
        elif type in ("f32", "f64") and own != type:
            value = f"bits{width(type)}({value})"
        elif type not in ("f32", "f64") and own in ("f32", "f64"):
            value = from_bits(f"({value})", own)
        else:
            value = f"({C_TYPES[own]})({value})"
        self.emit(f"{here} = {value};")

    def symbol(self, name):
        if name in self.shared:
            return f"((uint64_t){self.shared[name]})"
        if name in self.module.shared:
            return "((uint64_t)SHARED)"
        if name in self.module.tables:
            self.tables.add(name)
            return f"((uint64_t)table_{name})"
        return f"((uint64_t){name.replace('$', '_')})"

    def address(self, operand, space):
        base, offset = re.match(r"\[\s*([%$\w]+)\s*(?:\+\s*(-?\w+))?\s*\]$", operand).groups()
        start = f"(uint64_t){self.register(base)}" if base in self.registers else self.symbol(base)
        here = f"({start} + (int64_t){offset or 0})"
        return f"((uint64_t)shared + {here})" if space == "shared" else here


def from_bits(bits, type):
    if type in WIDEN:
        return f"{WIDEN[type]}({bits})"
    if type in ("f32", "f64"):
        return f"float{width(type)}({bits})"
    return f"(({C_TYPES[type]}){bits})"
