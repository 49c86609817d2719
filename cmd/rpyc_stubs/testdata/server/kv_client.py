import sys
import rpyc

root = rpyc.connect("localhost", int(sys.argv[1])).root


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__module__, type(e).__name__, e.args, getattr(e, "key", None))


store = root.store()
store["a"], store["b"] = 1, (2, "x")
show(lambda: (store["a"], store["b"], len(store), "a" in store, 3 in store, list(store), bool(store)))
show(lambda: store["nope"])
show(lambda: store.__delitem__("nope"))
show(lambda: store)
show(lambda: root.store(name="default") == store)
t = store.begin()
show(lambda: t.set("c", 3))
with t as inner:
    inner.set("c", 3)
    show(lambda: (t.open, len(t), "c" in store))
show(lambda: (t.open, store["c"], root.size))
with store.begin() as t:
    raise KeyError("swallowed, as nothing was changed")
try:
    with store.begin() as t:
        t.set("d", 4)
        raise ValueError("not swallowed")
except ValueError as e:
    print(e, "d" in store)
show(lambda: store.swap("a", 1, 10))
show(lambda: store.swap("a", old=1, new=2))
with root.locked("default") as held:
    show(lambda: held["a"])
show(lambda: [root.parse("1"), root.parse("1.5"), root.parse("one")])
show(lambda: root.store.__doc__)
show(lambda: root._stores)
