import sys
import rpyc

root = rpyc.connect("localhost", int(sys.argv[1])).root


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__module__, type(e).__name__, e.args)


first = root.submit("mail", {"to": "Ann"}, priority=1)
second = root.submit("print", priority=5)
show(lambda: (first.id, first.kind, str(first.state), second.id))
show(lambda: (second < first, first < second, first.state == root.State, first == first))
show(lambda: root.submit(kind="x"))
show(lambda: root.submit("x", None, 3))
show(lambda: root.load)
show(lambda: [root.submit(str(i)).id for i in range(5)])
show(lambda: [j.id for j in root.results(1)])
show(lambda: [(j.id, j.kind) for j in root.results()])
show(lambda: [j.id for j in root.results()])
show(lambda: root.lookup(1) == first)
show(lambda: root.lookup(id=99))
show(lambda: first.cancel())
show(lambda: first.payload)
ticker = root.ticker(start=98)
show(lambda: [next(ticker), next(ticker)])
show(lambda: next(ticker))
show(lambda: next(ticker))
show(lambda: root.submit.__doc__)
