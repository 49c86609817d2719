import sys
import rpyc

root = rpyc.connect("localhost", int(sys.argv[1])).root


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__module__, type(e).__name__, str(e).splitlines()[0])


badge, card = root.Badge(7, exposed_color="blue"), root.Badge(7, "nobody", "blue")
for f in (lambda: badge, lambda: str(badge), lambda: badge.color, lambda: badge.number, lambda: badge == card,
          lambda: badge == root.Badge(7), lambda: badge != 7, lambda: root.Badge(), lambda: root.Badge(1, color=2),
          lambda: hash(badge), lambda: isinstance(badge, root.Badge)):
    show(f)
p = root.Position(1)
for f in (lambda: p, lambda: p[0], lambda: p[-1], lambda: p[5], lambda: p[0:1], lambda: len(p), lambda: list(p),
          lambda: p == (1, 0), lambda: p == root.Position(1), lambda: p < (3, 4), lambda: 2 in p, lambda: p.x,
          lambda: hash(p) == hash((1, 0)), lambda: [a + b for a, b in [p]]):
    show(f)
low = root.Level(1)
for f in (lambda: low == 1, lambda: low == root.Level(1), lambda: low is root.Level(1), lambda: int(low),
          lambda: [5, 6, 7][low], lambda: root.Level(8), lambda: low < 2, lambda: low < root.Level(9), lambda: low + 1,
          lambda: 1 + low, lambda: hash(low) == hash(1), lambda: low.name, lambda: repr(low), lambda: {low: 1}[low]):
    show(f)
red = root.Light("red")
for f in (lambda: red, lambda: red == "red", lambda: red == root.Light("red"), lambda: root.Light("blue"),
          lambda: str(red), lambda: red + "dish"):
    show(f)
S, A, Z = root.Side, root.Access, root.Size
for f in (lambda: [S.LEFT, S.TOP, S.BOTH], lambda: S.LEFT | S.RIGHT, lambda: S.LEFT | S.TOP,
          lambda: str(S.LEFT | S.TOP),
          lambda: S.BOTH & S.LEFT == S.LEFT, lambda: bool(S.LEFT & S.TOP), lambda: S.LEFT in S.BOTH, lambda: ~S.TOP,
          lambda: S.BOTH ^ S.RIGHT, lambda: S(5), lambda: S["TOP"], lambda: S["X"], lambda: len(S.BOTH),
          lambda: hash(S(5)) == hash(S.LEFT | S.TOP), lambda: S.LEFT | 2, lambda: list(S.BOTH),
          lambda: root.limit, lambda: root.half()):
    show(f)
for f in (lambda: A.OPEN | A.LOCK, lambda: A.OPEN | 8, lambda: int(A(3)), lambda: A.LOCK == 2, lambda: str(A(3)),
          lambda: root.may(A.OPEN), lambda: root.may(3), lambda: root.may(A.NONE), lambda: root.light(root.Level.HIGH)):
    show(f)
for f in (lambda: list(Z), lambda: len(Z), lambda: Z["BIG"], lambda: Z.BIG, lambda: Z.SMALL in Z,
          lambda: root.usual in Z,
          lambda: S.TOP in Z, lambda: Z["NONE"], lambda: iter(Z.SMALL), lambda: [int(v) for v in root.Level]):
    show(f)
machine, safe = root.machine(), root.machine(True, code=5)
for f in (lambda: machine.state, lambda: machine.go("open").state, lambda: machine.go("locked"),
          lambda: safe == machine, lambda: safe.go("locked").state, lambda: safe.go("closed"),
          lambda: safe.go("closed", 5).state, lambda: safe.states, lambda: safe.log, lambda: root.light()):
    show(f)
