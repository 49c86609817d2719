"""The client of test_old_releases.py, for any Python from 2.7 on: ``old_client.py HOST PORT`` prints what it sees."""
import sys

import rpyc


def show(name, operation):
    try:
        seen = operation()
    except Exception as error:
        seen = "%s%r" % (type(error).__name__.split(".")[-1], tuple(a for a in error.args))
        seen = seen.replace("u'", "'").replace('u"', '"')
    else:
        seen = repr(seen).replace("u'", "'")
    sys.stdout.write("%s %s\n" % (name, seen))


def leave(box):
    with box as value:
        return value


def caught(operation, kind):
    try:
        operation()
    except kind as error:
        return error.errno


def main(host, port):
    conn = rpyc.connect(host, int(port))
    root = conn.root
    show("add", lambda: root.add(2, 3))
    show("big", lambda: root.add(2 ** 70, 1) == 2 ** 70 + 1)
    show("keyword", lambda: root.keywords(1, b=2))
    show("default", lambda: root.keywords(1))
    items = root.items()
    show("list", lambda: list(items))
    show("len", lambda: len(items))
    show("item", lambda: items[1])
    show("slice", lambda: list(items[:2]))
    show("contains", lambda: 2 in items)
    show("index", lambda: items[17])
    table = root.table()
    show("dict", lambda: table[1])
    show("nested", lambda: list(table[2]))
    show("key", lambda: table[3])
    show("callback", lambda: root.call(lambda n: n * 10, 4))
    show("argument", lambda: root.total([1, 2, 3]))
    show("texts", lambda: root.shout("abc", ["d", "e"], {"f": "g"}) == "ABCDEF")
    show("opening", lambda: caught(lambda: root.read("/no/such/file"), IOError))
    show("error", root.fail)
    show("nothing", lambda: root.nothing)
    show("private", lambda: root._private)
    box = root.box(9)
    show("method", lambda: box.get())
    show("size", lambda: len(box))
    show("equal", lambda: (box == 3, box == 4))
    show("hash", lambda: hash(box) == 7)
    show("text", lambda: str(box))
    show("with", lambda: leave(box))
    show("generator", lambda: list(root.count(4)))
    show("buffiter", lambda: list(rpyc.buffiter(root.count(7), 3)))
    show("ping", conn.ping)
    conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
