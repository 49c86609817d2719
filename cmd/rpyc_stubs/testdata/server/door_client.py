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
machine, safe = root.machine(), root.machine(True, code=5)
for f in (lambda: machine.state, lambda: machine.go("open").state, lambda: machine.go("locked"),
          lambda: safe == machine, lambda: safe.go("locked").state, lambda: safe.go("closed"),
          lambda: safe.go("closed", 5).state, lambda: safe.states, lambda: safe.log, lambda: root.light()):
    show(f)
