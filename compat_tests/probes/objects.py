"""Objects and classes of the service."""
import operator

from probes.steps import probe, type_of_error


@probe("core")
def points(s):
    r = s.root
    p = r.make_point(3, 4)
    s("xy", lambda: (p.x, p.y, p.exposed_x))
    s("norm1", lambda: (p.norm1(), r.make_point(-3, 4).norm1()))
    s("origin", lambda: repr(p.origin()))
    s("class origin", lambda: repr(r.Point.origin()))
    s("repr", lambda: (repr(p), str(p)))
    s("eq", lambda: (p == r.make_point(3, 4), p != r.make_point(3, 4), p == r.make_point(4, 3), p == 5, p != 5, 5 == p))
    s("eq none", lambda: (p == None, p != None, p == (3, 4)))  # noqa: E711
    s("hash", lambda: (hash(p), hash(r.make_point(-1, 2))))
    s("less", lambda: (p < r.make_point(3, 5), r.make_point(9, 9) < p, p > r.make_point(0, 9)))
    s("less or equal", lambda: p <= p)
    s("less number", lambda: p < 5)
    s("add", lambda: repr(p + p))
    s("add number", lambda: p + 5)
    s("add left", lambda: 5 + p)
    s("subtract", lambda: p - p)
    s("times", lambda: (repr(p * 2), repr(2 * p), repr(-p), repr(p(3))))
    s("call wrong", lambda: p())
    s("len", lambda: len(p))
    s("items", lambda: (p[0], p[1]))
    s("item 2", lambda: p[2])
    s("item -1", lambda: p[-1])
    s("item text", lambda: p["x"])
    s("in", lambda: (3 in p, 4 in p, 5 in p))
    s("iter", lambda: (list(p), tuple(p), [a for a in p]))
    s("unpack", lambda: (lambda x, y: (x, y))(*p))
    s("bool", lambda: (bool(p), bool(r.make_point(0, 0))))
    s("int", lambda: (int(p), float(p), operator.index(p)))
    s("as index", lambda: "abcdefghij"[p])
    s("as list index", lambda: r.get_list()[r.make_point(1, 1)])
    s("as key", lambda: {p: 1}[r.make_point(3, 4)])
    s("float coordinates", lambda: repr(r.make_point(1.5, "y")))
    s("constructor", lambda: repr(r.Point(5, 6)))
    s("constructor keywords", lambda: repr(r.Point(y=5, x=6)))
    s("point3", lambda: (repr(r.Point3(1, 2)), r.Point3(1, 2).colour, r.Point3(1, 2, "blue").colour,
                         r.Point3(1, 2, colour="x").colour))
    s("set denied", lambda: setattr(p, "x", 5))


@probe("core")
def classes(s):
    r = s.root
    s("isinstance", lambda: (isinstance(r.make_point(1, 2), r.Point), isinstance(r.Point(1, 2), r.Point)))
    s("isinstance 3", lambda: (isinstance(r.Point3(1, 2), r.Point3), isinstance(r.make_point(1, 2), r.Point3)))
    s("isinstance other", lambda: (isinstance(r.make_gadget(), r.Point), isinstance(5, r.Point) if False else None))
    s("not a class", lambda: isinstance(r.make_point(1, 2), r.make_gadget()))
    s("class twice", lambda: r.Point is r.Point)
    s("class eq", lambda: (r.Point == r.Point, r.Point == r.Point3))
    s("class hash", lambda: hash(r.Point) == hash(r.Point))
    s("class denied", lambda: r.make_point(1, 2).__class__)


@probe("quirk")
def subclass_instances(s):
    s("isinstance", lambda: isinstance(s.root.Point3(1, 2), s.root.Point))


@probe("core")
def gadgets(s):
    g = s.root.make_gadget()
    s("value", lambda: (g.value, g.exposed_value))
    s("counter once", lambda: (s.root.make_gadget().exposed_counter))
    s("bad", lambda: g.bad)
    s("ro", lambda: g.ro)
    s("describe", lambda: (g.describe(), g.describe(True), g.describe(verbose=1)))
    s("describe doc", lambda: g.describe.__doc__)
    s("set ro", lambda: type_of_error(lambda: setattr(s.connect("rw").root.make_gadget(), "ro", 1)))
    s("eq", lambda: (g == g, g != g, g == s.root.make_gadget(), g == 5))
    s("hash", lambda: (hash(g) == hash(g), hash(g) == hash(s.root.make_gadget())))
    s("bool", lambda: bool(g))
    s("len", lambda: len(g))
    s("item", lambda: g[0])
    s("iter", lambda: iter(g))
    s("add", lambda: g + 1)
    s("less", lambda: g < g)


@probe("quirk")
def double_evaluation(s):
    g = s.root.make_gadget()
    s("unprefixed", lambda: (g.counter, g.counter))
    h = s.root.make_gadget()
    s("prefixed", lambda: (h.exposed_counter, h.exposed_counter))


@probe("core")
def methods_compare(s):
    r = s.root
    p = r.make_point(1, 2)
    s("eq", lambda: (r.add == r.add, r.add != r.add, r.add == r.echo, p.norm1 == p.norm1))
    s("hash", lambda: (hash(r.add) == hash(r.add), hash(r.add) == hash(r.echo)))
    s("other object", lambda: p.norm1 == r.make_point(1, 2).norm1)
    s("key", lambda: {r.add: 1}.get(r.add))
