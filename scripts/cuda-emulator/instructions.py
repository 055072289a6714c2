"""What each instruction of PTX does, in C. Names and meanings are those of NVIDIA's "Parallel Thread Execution ISA"."""

from function import C_TYPES, FLOATS, NARROW, WIDEN, width

HANDLERS = {}


def handles(*opcodes):
    def register(handler):
        HANDLERS.update(dict.fromkeys(opcodes, handler))
        return handler

    return register


def translate(function, instruction):
    HANDLERS[instruction.opcode](function, instruction)


def unsigned(type):
    return f"u{width(type)}"


def parts(operand):
    return [part.strip() for part in operand.strip("{}").split(",")]


@handles("bra")
def branch(f, i):
    f.emit(f"goto {i.operands[0].replace('$', '_')};")


@handles("ret", "exit")
def leave(f, i):
    f.emit("return DONE;" if f.resumable else "return;")


@handles("trap")
def trap(f, i):
    f.emit('refuse("a trap");')


@handles("bar", "barrier")
def barrier(f, i):
    stop(f, "BARRIER")


@handles("shfl")
def shuffle(f, i):
    target, _, valid = i.operands[0].partition("|")
    value, lane, clamp = (f.read(operand, "b32") for operand in i.operands[1:4])
    kind = {"bfly": "BUTTERFLY", "down": "DOWN", "up": "UP", "idx": "INDEX"}[i.modifiers[1]]
    f.emit(f"lane->shuffle = (Shuffle){{{kind}, {value}, {lane}, {clamp}}};")
    stop(f, "SHUFFLE")
    f.write(target, "b32", "lane->shuffle.got")
    if valid:
        f.emit(f"{f.register(valid)} = lane->shuffle.valid;")


@handles("ldmatrix")
def load_matrices(f, i):
    if "m8n8" not in i.modifiers or i.type != "b16":
        raise NotImplementedError
    targets, transposed = parts(i.operands[0]), int("trans" in i.modifiers)
    f.emit(f"lane->tiles.row = (const uint16_t *){f.address(i.operands[1], 'shared')};")
    f.emit(f"lane->tiles.count = {len(targets)}; lane->tiles.transposed = {transposed};")
    stop(f, "MATRICES")
    for number, target in enumerate(targets):
        f.write(target, "b32", f"lane->tiles.got[{number}]")


@handles("mma")
def multiply_matrices(f, i):
    shape, rows, columns, *types = i.modifiers[2:]
    if (shape, rows, columns) != ("m16n8k16", "row", "col") or types not in (
        ["f32", "f16", "f16", "f32"],
        ["f32", "bf16", "bf16", "f32"],
    ):
        raise NotImplementedError
    target, *given = (parts(operand) for operand in i.operands)
    for name, type, registers in zip(("a", "b", "sum"), ("b32", "b32", "f32"), given, strict=True):
        for number, register in enumerate(registers):
            f.emit(f"lane->tiles.{name}[{number}] = {f.read(register, type)};")
    f.emit(f"lane->tiles.bfloat = {int(types[1] == 'bf16')};")
    stop(f, "PRODUCT")
    for number, register in enumerate(target):
        f.write(register, "f32", f"lane->tiles.sum[{number}]")


@handles("cp")
def copy(f, i):
    if i.modifiers[0] != "async" or not f.resumable:
        raise NotImplementedError
    f.copies = True
    kind = i.modifiers[1]
    if kind in ("commit_group", "wait_all"):
        f.emit("lane->copies.group++;")
    if kind in ("wait_group", "wait_all"):
        f.emit(f"wait_for_copies(&lane->copies, {f.read(i.operands[0], 'u32') if i.operands else 0});")
    if kind in ("ca", "cg"):
        size = i.operands[2]
        given = f.read(i.operands[3], "u32") if len(i.operands) > 3 else size
        to, start = f.address(i.operands[0], "shared"), f.address(i.operands[1], "global")
        f.emit(f"begin_copy(&lane->copies, {to}, {start}, {size}, {given});")


def stop(f, why):
    f.stops += 1
    f.emit(f"lane->resume = {f.stops}; return {why}; STOP_{f.stops}: ;")


@handles("call")
def call(f, i):
    operands = list(i.operands)
    result = operands.pop(0).strip("() \n\t") if operands[0].startswith("(") else "NULL"
    name = operands.pop(0)
    if name == "__assertfail":
        return f.emit('refuse("an assertion of the kernel failed");')
    given = [one.strip() for one in operands[0].strip("()").split(",") if one.strip()] if operands else []
    f.calls.append(name)
    f.emit(f"call_{name}({', '.join([result, *given])});")


@handles("mov")
def move(f, i):
    target, source = i.operands
    if target.startswith("{"):
        size = width(i.type) // len(parts(target))
        f.emit(f"{{ uint64_t whole = {f.read(source, f'b{width(i.type)}')};")
        for number, part in enumerate(parts(target)):
            f.write(part, f"b{size}", f"(whole >> {number * size})")
        f.emit("}")
    elif source.startswith("{"):
        size = width(i.type) // len(parts(source))
        pieces = (f"((uint64_t){f.read(part, f'b{size}')} << {n * size})" for n, part in enumerate(parts(source)))
        f.write(target, f"b{width(i.type)}", " | ".join(pieces))
    else:
        f.write(target, i.type, f.read(source, i.type))


def memory(i, operand, f):
    space = next((one for one in i.modifiers if one in ("param", "global", "shared", "local", "const")), "")
    return f.address(operand, space), {"f16": "b16", "bf16": "b16"}.get(i.type, i.type)


@handles("ld", "ldu")
def load(f, i):
    address, type = memory(i, i.operands[1], f)
    targets = parts(i.operands[0])
    f.emit(f"{{ {C_TYPES[type]} *from = ({C_TYPES[type]} *){address};")
    for number in range(len(targets)):
        f.emit(f"{C_TYPES[type]} got{number} = from[{number}];")
    for number, target in enumerate(targets):
        f.write(target, type, f"got{number}")
    f.emit("}")


@handles("st")
def store(f, i):
    address, type = memory(i, i.operands[0], f)
    f.emit(f"{{ {C_TYPES[type]} *to = ({C_TYPES[type]} *){address};")
    for number, source in enumerate(parts(i.operands[1])):
        f.emit(f"to[{number}] = {f.read(source, type)};")
    f.emit("}")


@handles("cvta")
def generic_address(f, i):
    value = f.read(i.operands[1], "u64")
    if "shared" in i.modifiers:
        value = f"{value} {'-' if 'to' in i.modifiers else '+'} (uint64_t)shared"
    f.write(i.operands[0], "u64", value)


@handles("atom", "red")
def atomic(f, i):
    """Blocks of kernels with these run one after the other, so that nothing has to be locked."""
    f.atomic = True
    operands = ["_", *i.operands] if i.opcode == "red" else i.operands
    type, small = i.type, i.type in WIDEN
    address, kept = memory(i, operands[1], f)
    value = f.read(operands[2], type)
    done = {
        "add": f"{NARROW[type]}({WIDEN[type]}(old) + {value})" if small else f"old + {value}",
        "exch": value,
        "min": f"{value} < old ? {value} : old",
        "max": f"{value} > old ? {value} : old",
    }
    if "cas" in i.modifiers:
        new = f"old == {value} ? {f.read(operands[3], type)} : old"
    else:
        new = next(done[one] for one in i.modifiers if one in done)
    f.emit(f"{{ {C_TYPES[kept]} *to = ({C_TYPES[kept]} *){address}, old = *to; *to = {new};")
    f.write(operands[0], kept, "old")
    f.emit("}")


@handles("setp", "set")
def compare(f, i):
    target, x, y, *third = i.operands
    condition = comparison(i.modifiers[0], f.read(x, i.type), f.read(y, i.type), i.type in FLOATS)
    if i.opcode == "set":
        kind = i.modifiers[-2]
        return f.write(target, kind, f"({condition} ? {'1.0f' if kind in FLOATS else '-1'} : 0)")
    if third:
        joined = {"and": "&", "or": "|", "xor": "^"}[i.modifiers[1]]
        condition = f"({condition} {joined} {f.read(third[0], 'pred')})"
    target, _, other = target.partition("|")
    f.emit(f"{f.register(target)} = {condition};")
    if other:
        f.emit(f"{f.register(other)} = !{f.register(target)};")


SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def comparison(name, x, y, floats):
    """Of floats, `ne` is false of NaN and the names in u are true of it."""
    ordered = f"({x} == {x} && {y} == {y})"
    if not floats:
        name = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}.get(name, name)
        return f"({x} {SIGNS[name]} {y})"
    if name in ("num", "nan"):
        return ordered if name == "num" else f"(!{ordered})"
    if name in SIGNS:
        return f"({ordered} && {x} {SIGNS[name]} {y})"
    return f"(!{ordered} || {x} {SIGNS[name[:2]]} {y})"


@handles("selp")
def select(f, i):
    target, x, y, which = i.operands
    f.write(target, i.type, f"({f.read(which, 'pred')} ? {f.read(x, i.type)} : {f.read(y, i.type)})")


ROUND_TO_INTEGER = {"rni": "nearbyint", "rmi": "floor", "rpi": "ceil", "rzi": "trunc"}


@handles("cvt")
def convert(f, i):
    target, source, *second = i.operands
    *modifiers, to, of = i.modifiers
    if second and modifiers == ["rn"] and to in ("f16x2", "bf16x2"):
        # The first of two numbers goes into the upper half.
        high, low = (f"{NARROW[to.removesuffix('x2')]}({f.read(one, of)})" for one in (source, *second))
        return f.write(target, "b32", f"((uint32_t){high} << 16 | {low})")
    if to not in C_TYPES or of not in C_TYPES or "x2" in to + of:
        raise NotImplementedError
    value = f.read(source, of)
    rounding = next((ROUND_TO_INTEGER[one] for one in modifiers if one in ROUND_TO_INTEGER), None)
    if of not in FLOATS:
        return f.write(target, to, f"(double){value}" if to in NARROW else f"({C_TYPES[to]}){value}")
    if to not in FLOATS:
        return f.write(target, to, f"to_{to}({rounding or 'trunc'}((double){value}))")
    if any(one in ("rz", "rm", "rp") for one in modifiers):
        raise NotImplementedError
    value = f"{rounding}((double){value})" if rounding else value
    value = f"saturated({value})" if "sat" in modifiers else value
    f.write(target, to, value if to in NARROW else f"({C_TYPES[to]}){value}")
