"""The instructions that calculate."""

from function import C_TYPES, FLOATS, NARROW, WIDEN, width
from instructions import handles, unsigned

BITS = {"and": "&", "or": "|", "xor": "^"}
SUMS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@handles("and", "or", "xor")
def bitwise(f, i):
    f.write(
        i.operands[0], i.type, f"({f.read(i.operands[1], i.type)} {BITS[i.opcode]} {f.read(i.operands[2], i.type)})"
    )


@handles("not")
def inverted(f, i):
    f.write(i.operands[0], i.type, ("!" if i.type == "pred" else "~") + f.read(i.operands[1], i.type))


@handles("shl", "shr")
def shift(f, i):
    """Shifting by the width or more leaves zeros, or of a signed number its sign."""
    target, value, by = i.operands
    by, size = f.read(by, "u32"), width(i.type)
    if i.opcode == "shr" and i.type.startswith("s"):
        return f.write(target, i.type, f"({f.read(value, i.type)} >> ({by} < {size} ? {by} : {size - 1}))")
    sign = "<<" if i.opcode == "shl" else ">>"
    f.write(target, i.type, f"({by} < {size} ? {f.read(value, unsigned(i.type))} {sign} {by} : 0)")


@handles("shf")
def funnel_shift(f, i):
    target, low, high, by = i.operands
    by = f.read(by, "u32")
    by = f"({by} & 31)" if "wrap" in i.modifiers else f"({by} > 32 ? 32 : {by})"
    whole = f"(((uint64_t){f.read(high, 'b32')} << 32) | {f.read(low, 'b32')})"
    f.write(target, "b32", f"({whole} >> {by})" if i.modifiers[0] == "r" else f"(({whole} << {by}) >> 32)")


@handles("clz")
def leading_zeros(f, i):
    value, size = f.read(i.operands[1], i.type), width(i.type)
    f.write(i.operands[0], "u32", f"({value} ? __builtin_clzll({value}) - {64 - size} : {size})")


@handles("popc")
def ones(f, i):
    f.write(i.operands[0], "u32", f"__builtin_popcountll({f.read(i.operands[1], unsigned(i.type))})")


@handles("bfi")
def insert_bits(f, i):
    target, source, into, start, length = i.operands
    size = width(i.type)
    f.emit(f"{{ uint32_t start = {f.read(start, 'u32')} & 255, length = {f.read(length, 'u32')} & 255;")
    f.emit("uint64_t mask = length < 64 ? (1ull << length) - 1 : ~0ull; mask = start < 64 ? mask << start : 0;")
    placed = f"(start < 64 ? (uint64_t){f.read(source, f'b{size}')} << start : 0)"
    f.write(target, f"b{size}", f"(({f.read(into, f'b{size}')} & ~mask) | ({placed} & mask))")
    f.emit("}")


@handles("copysign")
def copy_sign(f, i):
    name = "copysignf" if i.type == "f32" else "copysign"
    f.write(i.operands[0], i.type, f"{name}({f.read(i.operands[2], i.type)}, {f.read(i.operands[1], i.type)})")


@handles("addc", "subc")
def with_carry(f, i):
    sign = "+" if i.opcode.startswith("add") else "-"
    size, carry = width(i.type), f" {sign} carry" if i.opcode in ("addc", "subc") else ""
    x, y = (f.read(one, unsigned(i.type)) for one in i.operands[1:3])
    f.emit(f"{{ unsigned __int128 whole = (unsigned __int128){x} {sign} (unsigned __int128){y}{carry};")
    keep_carry(f, i, size)


def keep_carry(f, i, size):
    if "cc" in i.modifiers:
        f.emit(f"carry = (whole >> {size}) & 1;")
    f.write(i.operands[0], unsigned(i.type), "whole")
    f.emit("}")


@handles("madc")
def product_with_carry(f, i):
    size, type = width(i.type), unsigned(i.type)
    x, y, z = (f.read(one, type) for one in i.operands[1:4])
    f.emit(f"{{ unsigned __int128 product = (unsigned __int128){x} * {y};")
    half = f"(product >> {size})" if i.modifiers[0] == "hi" else "product"
    carry = " + carry" if i.opcode == "madc" else ""
    f.emit(f"unsigned __int128 whole = (unsigned __int128)({C_TYPES[type]}){half} + {z}{carry};")
    keep_carry(f, i, size)


@handles("add", "sub", "mul", "mad", "fma", "div", "rem", "min", "max", "abs", "neg")
def arithmetic(f, i):
    if "cc" in i.modifiers:
        return product_with_carry(f, i) if i.opcode == "mad" else with_carry(f, i)
    if i.type in FLOATS:
        return of_floats(f, i)
    if i.type in ("f16x2", "bf16x2"):
        return of_pairs(f, i)
    return of_integers(f, i)


def of_integers(f, i):
    type, plain = i.type, unsigned(i.type)
    target, *operands = i.operands
    x = [f.read(one, type) for one in operands]
    u = [f.read(one, plain) for one in operands]
    if i.opcode in ("mul", "mad"):
        return product(f, i)
    if i.opcode in ("add", "sub"):
        value = f"({C_TYPES[plain]})({u[0]} {SUMS[i.opcode]} {u[1]})"
    elif i.opcode in ("div", "rem"):
        value = f"({x[1]} == 0 ? -1 : {x[0]} {'/' if i.opcode == 'div' else '%'} {x[1]})"
    elif i.opcode in ("min", "max"):
        value = f"({x[0]} {'<' if i.opcode == 'min' else '>'} {x[1]} ? {x[0]} : {x[1]})"
    elif i.opcode == "neg":
        value = f"(0 - {u[0]})"
    else:
        value = f"({x[0]} < 0 ? 0 - {u[0]} : {u[0]})"
    f.write(target, type, value)


def product(f, i):
    type, size, sign = i.type, width(i.type), i.type[0].replace("b", "u")
    target, x, y, *z = i.operands
    long = f"{'' if sign == 's' else 'unsigned '}__int128"
    whole = f"(({long}){f.read(x, type)} * ({long}){f.read(y, type)})"
    kind = i.modifiers[0]
    to = f"u{2 * size}" if kind == "wide" else f"u{size}"
    value = f"({C_TYPES[to]})({whole} >> {size if kind == 'hi' else 0})"
    f.write(target, to, f"({value} + {f.read(z[0], to)})" if z else value)


def of_pairs(f, i):
    type = i.type.removesuffix("x2")
    x, y = (f.read(one, "b32") for one in i.operands[1:3])
    halves = (
        f"(uint32_t){NARROW[type]}({WIDEN[type]}({x} >> {at}) {SUMS[i.opcode]} {WIDEN[type]}({y} >> {at})) << {at}"
        for at in (0, 16)
    )
    f.write(i.operands[0], "b32", " | ".join(f"({half})" for half in halves))


def of_floats(f, i):
    """Roundings other than to the nearest are made from the result in the next larger type."""
    target, *operands = i.operands
    x = [f.read(one, i.type) for one in operands]
    end = "" if i.type == "f64" else "f"
    if "sat" in i.modifiers:
        raise NotImplementedError
    if i.opcode in SUMS:
        value = f"({x[0]} {SUMS[i.opcode]} {x[1]})"
    elif i.opcode in ("fma", "mad"):
        exact = i.type in WIDEN
        value = f"((double){x[0]} * {x[1]} + {x[2]})" if exact else f"fma{end}({', '.join(x)})"
    elif i.opcode in ("min", "max"):
        name = f"{i.opcode}_or_nan" if "NaN" in i.modifiers else f"f{i.opcode}{end}"
        value = f"{name}({x[0]}, {x[1]})"
    else:
        value = f"fabs{end}({x[0]})" if i.opcode == "abs" else f"(-{x[0]})"
    rounding = next((one for one in i.modifiers if one in ("rz", "rm", "rp")), None)
    if rounding:
        value = directed(i, rounding, x)
    f.write(target, i.type, value)


def directed(i, rounding, x):
    larger = "double" if i.type == "f32" else "long double"
    if i.opcode == "fma" and i.type == "f32":
        return f"{rounding}32(({larger}){x[0]} * ({larger}){x[1]} + ({larger}){x[2]})"
    if i.opcode in SUMS and (i.type == "f32" or rounding == "rz"):
        return f"{rounding}{width(i.type)}(({larger}){x[0]} {SUMS[i.opcode]} ({larger}){x[1]})"
    raise NotImplementedError


@handles("rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh")
def elementary(f, i):
    """A GPU's approximations are exact here."""
    x, end = f.read(i.operands[1], i.type), "" if i.type == "f64" else "f"
    root = f"sqrt{end}({x})"
    values = {
        "rcp": f"(1 / {x})",
        "sqrt": root,
        "rsqrt": f"(1 / {root})",
        "ex2": f"exp2{end}({x})",
        "lg2": f"log2{end}({x})",
    }
    f.write(i.operands[0], i.type, values.get(i.opcode, f"{i.opcode}{end}({x})"))
