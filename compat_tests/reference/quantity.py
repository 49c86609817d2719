"""A type that programs add to brine, behind a tag of its own, as RPyC's users do."""
from rpyc.core import brine


class Quantity:
    def __init__(self, value, unit):
        self.value, self.unit = value, unit

    def __eq__(self, other):
        return isinstance(other, Quantity) and (self.value, self.unit) == (other.value, other.unit)

    def __hash__(self):
        return hash((self.value, self.unit))


def dump(quantity, stream):
    stream.append(b"\xfa")
    brine._dump((quantity.value, quantity.unit), stream)


def load(stream):
    return Quantity(*brine._load(stream))


def register():
    brine._dump_registry[Quantity] = dump
    brine._load_registry[b"\xfa"] = load
    brine.simple_types = frozenset(brine.simple_types) | {Quantity}


def echoed(host, port):
    """What a client gets back of the quantities that it sends to a behaviour service."""
    import rpyc
    register()
    conn = rpyc.connect(host, port)
    plain, nested = Quantity(1.5, "m"), Quantity((1, Quantity(2 ** 70, "s")), "m")
    root, mine = conn.root, [Quantity(3, "kg")]
    outcome = [root.echo(plain) == plain, root.echo((plain, (nested, "x"))) == (plain, (nested, "x")),
               root.call(lambda q: q.value, nested) == nested.value,
               root.call(lambda q, unit: Quantity(q.value, unit), plain, unit="s") == Quantity(1.5, "s"),
               root.echo((plain, mine))[1] is mine]
    try:
        root.call(lambda: root.no_such(plain))
    except AttributeError:
        outcome.append("AttributeError")
    conn.close()
    return outcome


def unknown(host, port):
    """What a client gets that sends a quantity to a service that does not know it."""
    import rpyc
    register()
    conn = rpyc.connect(host, port)
    try:
        conn.root.echo(Quantity(1, "m"))
    except Exception as error:
        outcome = [type(error).__name__, str(error).split("\n")[0]]
    return outcome + [conn.root.add(1, 2)]
