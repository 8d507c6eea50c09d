"""Specs of any size, of kinds that ask for much: each a function from a number to a text."""

from __future__ import annotations

from collections.abc import Callable

MIB = 2**20
Grow = Callable[[int], str]
KINDS: dict[str, Grow] = {}
HEAD = "name: Net\ninputs:\n  x: float[B, 8]\nlayers:\n"
BLOCK = "    inputs:\n      x: float[B, D]\n    layers:\n"


def kind(grow: Grow) -> Grow:
    """A kind of large spec, by the name of its function."""
    KINDS[grow.__name__] = grow
    return grow


def lines(line: str, count: int, first: int = 0) -> str:
    """A line for each number: `#` stands for it, `@` for its successor, `!` for the one before."""
    return "".join(
        line.replace("#", str(k)).replace("@", str(k + 1)).replace("!", str(k - 1))
        + "\n"
        for k in range(first, first + count)
    )


def largest(grow: Grow, size: int = MIB) -> str:
    """The longest text of a kind that is no longer than a size."""
    low, high = 1, 2
    while high < size and len(grow(high)) <= size:
        low, high = high, high * 2
    while high - low > max(low // 50, 1):
        middle = (low + high) // 2
        low, high = (middle, high) if len(grow(middle)) <= size else (low, middle)
    return grow(low)


# Many layers.


@kind
def flat(n: int) -> str:
    return HEAD + lines("  l#: relu", n)


@kind
def linears(n: int) -> str:
    return HEAD + lines("  l#: {op: linear, out_features: 8}", n)


@kind
def growing(n: int) -> str:
    return HEAD + lines("  l#: {op: linear, out_features: @}", n)


@kind
def residual(n: int) -> str:
    chain = "  f#: {op: linear, out_features: 8, in: a!}\n  a#: {op: add, in: [f#, a!]}"
    return HEAD + "  a0: relu\n" + lines(chain, n, 1)


@kind
def fan_out(n: int) -> str:
    return HEAD + lines("  l#: {op: relu, in: x}", n)


@kind
def fan_in(n: int) -> str:
    names = ", ".join(f"l{k}" for k in range(n))
    return (
        HEAD
        + lines("  l#: {op: relu, in: x}", n)
        + f"  a: {{op: add, in: [{names}]}}\n"
    )


@kind
def dense(n: int) -> str:
    """Every layer reads all layers before it."""
    found = HEAD + "  l0: relu\n"
    for k in range(1, max(int(n**0.5), 2)):
        names = ", ".join(f"l{j}" for j in range(k))
        found += f"  l{k}: {{op: add, in: [x, {names}]}}\n"
    return found


@kind
def dense_concat(n: int) -> str:
    found = HEAD + "  l0: relu\n"
    for k in range(1, max(int(n**0.5), 2)):
        names = ", ".join(f"l{j}" for j in range(k))
        found += f"  l{k}: {{op: concat, dim: 1, in: [x, {names}]}}\n"
    return found


@kind
def backwards(n: int) -> str:
    return (
        HEAD + lines("  l#: {op: relu, in: l@}", n) + f"  l{n}: {{op: relu, in: x}}\n"
    )


@kind
def cycle(n: int) -> str:
    return (
        HEAD + lines("  l#: {op: relu, in: l@}", n) + f"  l{n}: {{op: relu, in: l0}}\n"
    )


@kind
def ladder(n: int) -> str:
    """Layers that are read once more at the end, in the other order."""
    turn = f"  u0: {{op: add, in: [d{n - 1}, x]}}\n"
    up = (f"  u{k}: {{op: add, in: [u{k - 1}, d{n - 1 - k}]}}\n" for k in range(1, n))
    return HEAD + lines("  d#: relu", n) + turn + "".join(up)


@kind
def convolutions(n: int) -> str:
    return "name: Net\ninputs:\n  x: float[B, 3, H, W]\nlayers:\n" + lines(
        "  l#: {op: conv2d, out_channels: 3, kernel_size: 3, padding: 1}", n
    )


@kind
def shrinking(n: int) -> str:
    """Convolutions without padding: the sizes differ everywhere."""
    return (
        "name: Net\ndims:\n  H: {min: 1000000}\n  W: {min: 1000000}\n"
        "inputs:\n  x: float[B, 3, H, W]\nlayers:\n"
        + lines("  l#: {op: conv2d, out_channels: 3, kernel_size: 3}", n)
    )


@kind
def strides(n: int) -> str:
    return "name: Net\ninputs:\n  x: float[B, 3, H, W]\nlayers:\n" + lines(
        "  l#: {op: conv2d, out_channels: 3, kernel_size: 3, stride: 2, padding: 1}", n
    )


@kind
def unet(n: int) -> str:
    """A recursion as deep as it may be."""
    return (
        f"name: Net\nparams: {{depth: {n}}}\ninputs:\n  x: float[B, 8]\nlayers:\n  u: {{op: U, n: depth}}\n"
        "blocks:\n  U:\n    params: {n: int}\n"
        + BLOCK
        + "      a: {op: linear, out_features: D + 1}\n      b: {op: U, n: n - 1, when: n > 0}\n"
        "      c: {op: linear, out_features: D}\n"
    )


# Many inputs and outputs.


@kind
def inputs(n: int) -> str:
    names = ", ".join(f"x{k}" for k in range(n))
    return (
        "name: Net\ninputs:\n"
        + lines("  x#: float[B, 8]", n)
        + f"layers:\n  a: {{op: add, in: [{names}]}}\n"
    )


@kind
def optional_inputs(n: int) -> str:
    return (
        "name: Net\ninputs:\n  x: float[B, T, 8]\n"
        + lines("  m#: bool[B, T]?", n)
        + "layers:\n"
        + lines("  a#: {op: attention, in: {query: x, key: x, value: x, mask: m#}}", n)
    )


@kind
def unused_inputs(n: int) -> str:
    return (
        "name: Net\ninputs:\n  x: float[B, 8]\n"
        + lines("  x#: float[B, 8]", n)
        + "layers:\n  a: {op: relu, in: x}\n"
    )


@kind
def outputs(n: int) -> str:
    return (
        HEAD + lines("  l#: {op: relu, in: x}", n) + "outputs:\n" + lines("  o#: l#", n)
    )


@kind
def one_output_often(n: int) -> str:
    return HEAD + "  a: relu\noutputs:\n" + lines("  o#: a", n)


@kind
def symbols(n: int) -> str:
    names = ", ".join(f"x{k}" for k in range(n))
    return (
        "name: Net\ninputs:\n"
        + lines("  x#: float[B#, 8]", n)
        + f"layers:\n  a: {{op: concat, dim: 0, in: [{names}]}}\n"
    )


@kind
def sums_of_symbols(n: int) -> str:
    """A chain of concatenations: sizes of ever more terms."""
    return (
        "name: Net\ninputs:\n"
        + lines("  x#: float[B#, 8]", n)
        + "layers:\n  l0: {op: concat, dim: 0, in: [x0, x0]}\n"
        + lines("  l#: {op: concat, dim: 0, in: [l!, x#]}", n - 1, 1)
    )


@kind
def products_of_symbols(n: int) -> str:
    return (
        "name: Net\ninputs:\n  x: float["
        + ", ".join(f"S{k % 24} + 1" for k in range(min(n, 24)))
        + "]\nlayers:\n"
        + lines("  l#: {op: flatten, in: x}", n)
    )


@kind
def polynomials(n: int) -> str:
    sizes = ", ".join(f"A{k} + 1" for k in range(9))
    return (
        f"name: Net\ninputs:\n  x: float[{sizes}]\nlayers:\n  l0: {{op: flatten, start_dim: 0}}\n"
        + lines("  l#: {op: concat, dim: 0, in: [l!, l!]}", min(n, 30) - 1, 1)
        + lines("  m#: {op: add, in: [l0, l0]}", n)
    )


@kind
def residues(n: int) -> str:
    return (
        "name: Net\ninputs:\n"
        + lines("  x#: float[B, H // @ + W // 11 + 1]", n)
        + "layers:\n"
        + lines("  l#: {op: add, in: [x#, x@]}", n - 1)
    )


@kind
def ranks(n: int) -> str:
    return (
        "name: Net\ninputs:\n  x: float["
        + ", ".join("B" for _ in range(n))
        + "]\nlayers:\n  a: relu\n"
    )


@kind
def ranks_of_a_chain(n: int) -> str:
    return HEAD + lines("  l#: {op: unsqueeze, dim: 0}", n)


# Conditions.


@kind
def off(n: int) -> str:
    return HEAD + lines("  l#: {op: linear, out_features: 8, when: 1 > 2}", n)


@kind
def conditions(n: int) -> str:
    return (
        "name: Net\nparams:\n"
        + lines("  p#: true", n)
        + "inputs:\n  x: float[B, 8]\nlayers:\n"
        + lines("  l#: {op: linear, out_features: 8, when: p#}", n)
    )


@kind
def conditions_off(n: int) -> str:
    return (
        "name: Net\nparams:\n"
        + lines("  p#: false", n)
        + "inputs:\n  x: float[B, 8]\nlayers:\n"
        + lines("  l#: {op: linear, out_features: 8, when: p#}", n)
    )


@kind
def otherwise(n: int) -> str:
    return (
        HEAD
        + "  l0: relu\n"
        + lines("  l#: {op: concat, dim: 1, in: [l!, l!], when: 2 > 3, else: l!}", n, 1)
    )


@kind
def long_condition(n: int) -> str:
    tests = " and ".join("1 < 2" for _ in range(n))
    return HEAD + f"  a: {{op: relu, when: '{tests}'}}\n"


@kind
def one_flag(n: int) -> str:
    return (
        "name: Net\nparams: {on: true}\ninputs:\n  x: float[B, 8]\nlayers:\n"
        + lines("  l#: {op: linear, out_features: 8, when: on}", n)
    )


# Blocks.


@kind
def blocks(n: int) -> str:
    return (
        HEAD
        + lines("  l#: B#", n)
        + "blocks:\n"
        + lines("  B#: {inputs: {x: 'float[B, D]'}, layers: {a: relu}}", n)
    )


@kind
def unused_blocks(n: int) -> str:
    return (
        HEAD
        + "  a: relu\nblocks:\n"
        + lines("  B#: {inputs: {x: 'float[B, D]'}, layers: {a: relu}}", n)
    )


@kind
def nested_blocks(n: int) -> str:
    depth = min(n, 60)
    return (
        HEAD
        + "  a: B0\nblocks:\n"
        + lines(
            f"  B#:\n{BLOCK}      a: B@\n      b: {{op: linear, out_features: D}}",
            depth,
        )
        + f"  B{depth}:\n{BLOCK}      a: relu\n"
        + lines("      l#: relu", n)
    )


@kind
def doubling(n: int) -> str:
    """Each block uses the next twice: instances are shared, paths are not."""
    depth = min(n, 60)
    return (
        HEAD
        + "  a: B0\nblocks:\n"
        + lines(f"  B#:\n{BLOCK}      a: B@\n      b: B@", depth)
        + f"  B{depth}:\n{BLOCK}      a: relu\n"
    )


@kind
def doubling_with_sizes(n: int) -> str:
    depth = min(n, 12)
    return (
        HEAD
        + "  a: B0\nblocks:\n"
        + lines(
            f"  B#:\n{BLOCK}      a: {{op: linear, out_features: 2 * D}}\n      b: B@\n      c: B@",
            depth,
        )
        + f"  B{depth}:\n{BLOCK}      a: relu\n"
        + lines("      l#: relu", n)
    )


@kind
def uses(n: int) -> str:
    """Many uses of one block, each with an argument of its own."""
    return (
        HEAD
        + lines("  l#: {op: Blk, p: 1 / @}", n)
        + "blocks:\n  Blk:\n    params: {p: float}\n"
        + BLOCK
        + "      a: {op: dropout, p: p}\n"
    )


@kind
def uses_of_sizes(n: int) -> str:
    return (
        HEAD
        + lines("  l#: {op: Blk, n: @}", n)
        + "blocks:\n  Blk:\n    params: {n: int}\n"
        + BLOCK
        + "      a: {op: linear, out_features: n}\n"
        "      b: {op: linear, out_features: 8}\n"
    )


@kind
def uses_of_ranks(n: int) -> str:
    return (
        HEAD
        + lines("  l#: {op: unsqueeze, dim: 0}\n  b#: Blk", n)
        + "blocks:\n  Blk:\n    inputs:\n      x: float[..., D]\n    layers:\n      a: {op: linear, out_features: D}\n"
    )


@kind
def block_params(n: int) -> str:
    names = ", ".join(f"p{k}: {k}" for k in range(n))
    return (
        HEAD
        + f"  l: {{op: Blk, {names}}}\nblocks:\n  Blk:\n    params:\n"
        + lines("      p#: int", n)
        + BLOCK
        + lines("      l#: {op: linear, out_features: p# + 1}", n)
    )


@kind
def block_inputs(n: int) -> str:
    names = ", ".join("x" for _ in range(n))
    return (
        HEAD
        + f"  l: {{op: Blk, in: [{names}]}}\nblocks:\n  Blk:\n    inputs:\n"
        + lines("      x#: float[B, D#]", n)
        + "    layers:\n"
        + "      a: {op: concat, dim: 1, in: ["
        + ", ".join(f"x{k}" for k in range(n))
        + "]}\n"
    )


@kind
def block_outputs(n: int) -> str:
    return (
        HEAD
        + "  l: Blk\n  a: {op: add, in: ["
        + ", ".join(f"l.o{k}" for k in range(n))
        + ", x]}\n"
        "blocks:\n  Blk:\n"
        + BLOCK
        + lines("      l#: {op: relu, in: x}", n)
        + "    outputs:\n"
        + lines("      o#: l#", n)
    )


@kind
def groups(n: int) -> str:
    return HEAD + lines(
        "  g#: {layers: {a: relu, b: {op: linear, out_features: 8}}}", n
    )


@kind
def list_groups(n: int) -> str:
    return HEAD + lines("  g#: {layers: [relu, {op: linear, out_features: 8}]}", n)


@kind
def long_group(n: int) -> str:
    return (
        HEAD + "  g:\n    layers:\n" + lines("      - {op: linear, out_features: 8}", n)
    )


@kind
def nested_groups(n: int) -> str:
    depth = min(n, 28)
    return (
        HEAD
        + "  g: "
        + "{layers: {a: " * depth
        + "relu"
        + "}}" * depth
        + "\n"
        + lines("  l#: relu", n)
    )


# Copies.


@kind
def repeats(n: int) -> str:
    return HEAD + lines("  l#: {op: linear, out_features: 8, repeat: 1000000}", n)


@kind
def copies_that_differ(n: int) -> str:
    return (
        f"name: Net\nparams: {{depth: {n}}}\ninputs:\n  x: float[B, 8]\nlayers:\n"
        "  h: {op: Blk, p: 0.5 * i / depth, repeat: depth}\n"
        "blocks:\n  Blk:\n    params: {p: float}\n"
        + BLOCK
        + "      a: {op: dropout, p: p}\n"
    )


@kind
def copies_that_grow(n: int) -> str:
    return (
        f"name: Net\nparams: {{depth: {n}}}\ninputs:\n  x: float[B, 8]\nlayers:\n"
        "  h: {op: Blk, repeat: depth}\n"
        "blocks:\n  Blk:\n" + BLOCK + "      a: {op: linear, out_features: D + 1}\n"
    )


@kind
def copies_of_a_list(n: int) -> str:
    widths = ", ".join(str(k % 50 + 1) for k in range(n))
    return (
        f"name: Net\nparams: {{widths: [{widths}]}}\ninputs:\n  x: float[B, 8]\nlayers:\n"
        "  h: {op: linear, out_features: 'widths[i]', repeat: len(widths)}\n"
    )


@kind
def tower(n: int) -> str:
    depth = min(n, 60)
    return (
        HEAD
        + "  a: B0\nblocks:\n"
        + lines(f"  B#:\n{BLOCK}      a: {{op: B@, repeat: 1000}}", depth)
        + f"  B{depth}:\n{BLOCK}      a: relu\n"
        + lines("      l#: relu", n)
    )


@kind
def stacks(n: int) -> str:
    return (
        HEAD
        + lines("  l#: {op: Blk, in: x, repeat: {count: 3, stack: {all: y}}}", n)
        + ("blocks:\n  Blk:\n" + BLOCK + "      y: relu\n    outputs: {y: y}\n")
    )


@kind
def shared_repeats(n: int) -> str:
    return HEAD + lines(
        "  l#: {op: linear, out_features: 8, repeat: {count: 100, share: true}}", n
    )


@kind
def scans(n: int) -> str:
    return (
        "name: Net\ninputs:\n  x: float[B, T, 8]\nlayers:\n"
        + lines('  l#: {op: Cell, in: x, scan: T, carry: {h: "zeros[B, 8]"}}', n)
        + "blocks:\n  Cell:\n    inputs:\n      x: float[B, D]\n      h: float[B, D]\n    layers:\n"
        "      h: {op: add, in: [x, h]}\n    outputs: {y: h, h: h}\n"
    )


# Sharing, ties, initialisation.


@kind
def shares(n: int) -> str:
    return (
        HEAD
        + "  l0: {op: linear, out_features: 8}\n"
        + lines("  l#: {share: l0}", n, 1)
    )


@kind
def chain_of_shares(n: int) -> str:
    return (
        HEAD
        + "  l0: {op: linear, out_features: 8}\n"
        + lines("  l#: {share: l!}", n, 1)
    )


@kind
def ties(n: int) -> str:
    return (
        HEAD
        + "  l0: {op: linear, out_features: 8}\n"
        + lines("  l#: {op: linear, out_features: 8, tie: {weight: l0.weight}}", n, 1)
    )


@kind
def chain_of_ties(n: int) -> str:
    return (
        HEAD
        + "  l0: {op: linear, out_features: 8}\n"
        + lines("  l#: {op: linear, out_features: 8, tie: {weight: l!.weight}}", n, 1)
    )


@kind
def inits(n: int) -> str:
    return HEAD + lines(
        "  l#: {op: linear, out_features: 8, init: {weight: {normal: {std: 0.@}}, bias: zeros}}",
        n,
    )


@kind
def init_rules(n: int) -> str:
    return HEAD + "  a: relu\ninit:\n" + lines("  op#: {weight: zeros}", n)


@kind
def parametrizations(n: int) -> str:
    return HEAD + lines(
        "  l#: {op: linear, out_features: 8, parametrize: {weight: spectral_norm}}", n
    )


# Params, lists, expressions, numbers.


@kind
def params(n: int) -> str:
    return (
        "name: Net\nparams:\n"
        + lines("  p#: #", n)
        + "inputs:\n  x: float[B, 8]\nlayers:\n  a: relu\n"
    )


@kind
def params_in_a_chain(n: int) -> str:
    return (
        "name: Net\nparams:\n  p0: 1\n"
        + lines("  p#: p! + 1", n, 1)
        + "inputs:\n  x: float[B, 8]\nlayers:\n"
        + f"  a: {{op: linear, out_features: p{n}}}\n"
    )


@kind
def params_used(n: int) -> str:
    return (
        "name: Net\nparams:\n"
        + lines("  p#: @", n)
        + "inputs:\n  x: float[B, 8]\nlayers:\n"
        + lines("  l#: {op: linear, out_features: p#}", n)
    )


@kind
def variants(n: int) -> str:
    return (
        "name: Net\nparams: {p: 1}\nvariants:\n"
        + lines("  v#: {p: #}", n)
        + "inputs:\n  x: float[B, 8]\nlayers:\n  a: {op: linear, out_features: p}\n"
    )


@kind
def long_list(n: int) -> str:
    items = ", ".join(map(str, range(n)))
    layer = "  a: {op: linear, out_features: 'w[1] + len(w)'}\n"
    return f"name: Net\nparams: {{w: [{items}]}}\ninputs:\n  x: float[B, 8]\nlayers:\n{layer}"


@kind
def items_of_a_list(n: int) -> str:
    items = ", ".join(str(k + 1) for k in range(n))
    return (
        f"name: Net\nparams: {{w: [{items}]}}\ninputs:\n  x: float[B, 8]\nlayers:\n"
        + lines("  l#: {op: linear, out_features: 'w[#]'}", n)
    )


@kind
def huge_integers(n: int) -> str:
    return HEAD + lines("  l#: {op: linear, out_features: 9223372036854775807}", n)


@kind
def long_expressions(n: int) -> str:
    formula = " + ".join("8 * 2 // 2 - 7" for _ in range(16))
    return HEAD + lines(f"  l#: {{op: linear, out_features: {formula} + 8}}", n)


@kind
def long_expression(n: int) -> str:
    return (
        HEAD
        + f"  a: {{op: linear, out_features: {' + '.join('1' for _ in range(n))}}}\n"
    )


@kind
def shapes(n: int) -> str:
    return (
        HEAD
        + f"  a: {{op: reshape, shape: [B, {', '.join('1' for _ in range(n))}, 8]}}\n"
    )


@kind
def dimensions(n: int) -> str:
    return (
        "name: Net\ndims:\n"
        + lines("  S#: {min: 2, multiple_of: 2}", n)
        + "inputs:\n  x: float[B, 8]\nlayers:\n  a: relu\n"
    )


# Text.


@kind
def comments(n: int) -> str:
    return HEAD + lines("  # comment #", n) + "  a: relu\n"


@kind
def long_comment(n: int) -> str:
    return HEAD + f"  a: relu  # {'x' * n}\n"


@kind
def descriptions(n: int) -> str:
    return HEAD + lines("  l#: {op: relu, description: what the layer is for}", n)


@kind
def long_name(n: int) -> str:
    return HEAD + f"  {'a' * n}: relu\n"


@kind
def long_names(n: int) -> str:
    return HEAD + lines(f"  l{'a' * 100}#: relu", n)


@kind
def names_alike(n: int) -> str:
    """Names that collide with what generated code needs."""
    return HEAD + lines("  self_#: relu\n  x_#: relu", n)


@kind
def blank_lines(n: int) -> str:
    return HEAD + "\n" * n + "  a: relu\n"


@kind
def imports(n: int) -> str:
    return HEAD + "  a: relu\nimport:\n" + lines("  B#: blocks#.yaml", n)


@kind
def expectations(n: int) -> str:
    return HEAD + lines("  l#: relu", n) + "expect:\n" + lines("  l#: float[B, 8]", n)


@kind
def checkpoint_rules(n: int) -> str:
    return (
        HEAD
        + "  a: {op: linear, out_features: 8}\ncheckpoint:\n  tensors:\n"
        + lines("    a#: b#", n)
    )


@kind
def checkpoint_of_copies(n: int) -> str:
    return (
        HEAD
        + "  h: {op: linear, out_features: 8, repeat: 1000000}\ncheckpoint:\n  tensors:\n"
        + lines("    'h.{i}.weight#': 'g.{i}.w#'", n)
    )


@kind
def checkpoint_of_many(n: int) -> str:
    return (
        HEAD
        + lines("  l#: {op: linear, out_features: 8}", n)
        + "checkpoint:\n  tensors:\n"
        + lines("    l#: m#", n)
    )


# Errors.


@kind
def unknown_keys(n: int) -> str:
    return HEAD + "  a: relu\n" + lines("key#: 1", n)


@kind
def unknown_ops(n: int) -> str:
    return HEAD + lines("  l#: {op: lineer, out: 8}", n)


@kind
def unknown_arguments(n: int) -> str:
    return HEAD + lines("  l#: {op: linear, out_featurs: 8}", n)


@kind
def unknown_layers(n: int) -> str:
    return HEAD + lines("  l#: {op: relu, in: m#}", n)


@kind
def wrong_sizes(n: int) -> str:
    return (
        HEAD
        + "  a: {op: linear, out_features: 7}\n"
        + lines("  l#: {op: add, in: [x, a]}", n)
    )


@kind
def wrong_kinds(n: int) -> str:
    return HEAD + lines(
        "  l#: {op: embedding, num_embeddings: 3, embedding_dim: 8, in: x}", n
    )


@kind
def wrong_in_blocks(n: int) -> str:
    return (
        HEAD
        + lines("  l#: {op: Blk, n: @}", n)
        + (
            "blocks:\n  Blk:\n    params: {n: int}\n"
            + BLOCK
            + "      a: {op: linear, out_features: n + 100}\n      b: {op: add, in: [x, a]}\n"
        )
    )


@kind
def bad_names(n: int) -> str:
    return HEAD + lines("  L-#: relu", n)


@kind
def duplicate_keys(n: int) -> str:
    return HEAD + lines("  a: relu", n)


@kind
def bad_expressions(n: int) -> str:
    return HEAD + lines("  l#: {op: linear, out_features: '8 +'}", n)


@kind
def deep(n: int) -> str:
    return "name: " + "[" * n


@kind
def deep_lists(n: int) -> str:
    return "name: Net\n" + "".join(" " * k + "- \n" for k in range(min(n, 1400)))
