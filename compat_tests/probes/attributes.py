"""Attributes, and what objects say of themselves."""
import pickle

import rpyc
from rpyc.core import consts

from describe import describe, public_names
from probes.steps import probe, type_of_error

NAMES = ("answer", "exposed_answer", "hidden", "_secret", "exposed_nope", "nope", "_nope", "__class__", "__dict__",
         "__doc__",
         "__module__x", "exposed_", "", "add", "exposed_add", "exposed_exposed_add", "events")
BUILTIN_NAMES = ("append", "pop", "index", "__reversed__", "__len__", "__class__", "__sizeof__", "nope",
                 "exposed_append")
METHOD_NAMES = ("__func__", "__self__", "__code__", "__globals__", "__name__", "__qualname__", "__call__", "__doc__")


def _read(s, root, names):
    for name in names:
        def read():
            value = s.conn.sync_request(consts.HANDLE_GETATTR, root, name)
            return describe(value)[:2] if isinstance(value, rpyc.BaseNetref) else value
        s("%s" % name, read)


@probe("core")
def attributes_of_root(s):
    _read(s, s.root, NAMES)


@probe("core")
def attributes_of_gadget(s):
    _read(s, s.root.make_gadget(), ("value", "exposed_value", "hidden", "_private", "plain", "ro", "bad", "exposed_bad",
                                    "nope",
                                    "exposed_nope", "describe", "__init__", "__dict__", "__module__"))


@probe("core")
def attributes_of_builtins(s):
    _read(s, s.root.get_list(), [name for name in BUILTIN_NAMES if name != "__len__"])


@probe("core")
def attributes_of_methods(s):
    _read(s, s.root.add, [name for name in METHOD_NAMES if name != "__call__"])


@probe("core")
def attributes_of_values(s):
    def get(target, name):
        return s.conn.sync_request(consts.HANDLE_GETATTR, target, name)
    s("bytes name", lambda: get(s.root, b"answer"))
    s("number name", lambda: get(s.root, 5))
    s("none name", lambda: get(s.root, None))
    s("bad utf8", lambda: type(get(s.root, b"\xff")))
    s("str attribute", lambda: get("abc", "upper"))
    s("int attribute", lambda: get(5, "real"))
    s("len of text", lambda: s.conn.sync_request(consts.HANDLE_CALLATTR, "abc", "__len__", (), ()))
    s("item of tuple", lambda: s.conn.sync_request(consts.HANDLE_CALLATTR, (1, 2), "__getitem__", (1,), ()))


@probe("core")
def endpoints(s):
    for endpoint in ("default", "rw", "public", "all", "pickle", "quiet"):
        root = s.connect(endpoint).root
        s(endpoint + " hidden", lambda: root.hidden)
        s(endpoint + " secret", lambda: root._secret)
        s(endpoint + " nope", lambda: root.nope)
        s(endpoint + " private nope", lambda: root._nope)
        s(endpoint + " plain", lambda: root.make_gadget().plain())
        s(endpoint + " set on root", lambda: setattr(root, "answer", 5))
        s(endpoint + " delete on root", lambda: delattr(root, "answer"))
        s(endpoint + " append", lambda: root.get_list().append(5))
        s(endpoint + " keys", lambda: sorted(root.get_dict().keys()))
        s(endpoint + " get", lambda: root.get_dict().get("zz", 7))
        s(endpoint + " pickle", lambda: type(pickle.dumps(root.get_list())))
        s(endpoint + " answer", lambda: root.answer)
        s(endpoint + " bump", lambda: root.bump())


@probe("core")
def setting_attributes(s):
    for endpoint in ("default", "rw", "public", "all"):
        gadget = s.connect(endpoint).root.make_gadget()
        s(endpoint + " value", lambda: (setattr(gadget, "value", 11), gadget.value)[1])
        s(endpoint + " exposed value", lambda: (setattr(gadget, "exposed_value", 12), gadget.value)[1])
        s(endpoint + " hidden", lambda: (setattr(gadget, "hidden", 1), gadget.hidden)[1])
        s(endpoint + " reference", lambda: (setattr(gadget, "value", [1, 2]), gadget.value)[1])
        s(endpoint + " new exposed", lambda: (setattr(gadget, "exposed_new", 5), gadget.new)[1])
        s(endpoint + " new", lambda: (setattr(gadget, "fresh", 5), gadget.fresh)[1])
        s(endpoint + " delete new", lambda: delattr(gadget, "exposed_new"))
        s(endpoint + " deleted", lambda: gadget.new)
        s(endpoint + " delete value", lambda: delattr(gadget, "value"))
        s(endpoint + " describe", lambda: gadget.describe())
        s(endpoint + " delete nope", lambda: type_of_error(lambda: delattr(gadget, "nope")))


@probe("text")
def documentation(s):
    r = s.root
    s("service", lambda: r.__doc__)
    s("add", lambda: r.add.__doc__)
    s("echo", lambda: r.echo.__doc__)
    s("point", lambda: r.make_point(1, 2).__doc__)
    s("point class", lambda: r.Point.__doc__)
    s("gadget", lambda: r.make_gadget().__doc__)
    s("norm1", lambda: r.make_point(1, 2).norm1.__doc__)
    s("describe", lambda: r.make_gadget().describe.__doc__)
    s("name on all", lambda: s.connect("all").root.add.__name__)


@probe("core")
def listings(s):
    s("root", lambda: public_names(dir(s.root)))
    s("point", lambda: public_names(dir(s.root.make_point(1, 2))))
    s("gadget", lambda: public_names(dir(s.root.make_gadget())))
    s("class", lambda: public_names(dir(s.root.Point)))
    s("list has append", lambda: "append" in dir(s.root.get_list()))
    s("all text", lambda: all(type(name) is str for name in dir(s.root)))


@probe("text")
def representations(s):
    r = s.root
    for name, make in (("root", lambda: r), ("method", lambda: r.add), ("point", lambda: r.make_point(3, 4)),
                       ("gadget", lambda: r.make_gadget()), ("list", lambda: r.get_list()),
                       ("dict", lambda: r.get_dict()),
                       ("class", lambda: r.Point), ("generator", lambda: r.count_up(2)), ("set", lambda: r.get_set()),
                       ("empty", lambda: r.empty_list()), ("point method", lambda: r.make_point(1, 2).norm1)):
        s(name + " repr", lambda: repr(make()))
        s(name + " str", lambda: str(make()))
        s(name + " %s", lambda: "%s" % (make(),))
