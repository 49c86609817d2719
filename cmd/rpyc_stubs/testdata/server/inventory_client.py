import sys
import rpyc

root = rpyc.connect("localhost", int(sys.argv[1])).root


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        kind = type(e)
        print(kind.__module__, kind.__name__, e.args, sorted((k, v) for k, v in vars(e).items() if k in ("name", "there") and type(e).__name__ != "AttributeError"))


show(lambda: root.put("tea"))
show(lambda: root.put(name="tea", count=5))
show(lambda: root.put("cup", 2000, unit="box"))
show(lambda: root.put("cup", -1))
show(lambda: root.take("tea", count=2))
show(lambda: root.take("tea", 40))
show(lambda: root.take())
show(lambda: root.take("tea", amount=1))
show(lambda: list(root.names()))
show(lambda: root.report())
show(lambda: root.report("tea", "pot", width=4, sep="|"))
show(lambda: root.report.__doc__)
show(lambda: root._counts)
show(lambda: root.InventoryError)
show(lambda: root.get_service_name())
