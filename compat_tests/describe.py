"""Turns whatever a client can hold into plain data that two servers can be compared by.

Left out on purpose, each for a reason:

* addresses, line numbers and ports: they differ between two runs of the same server;
* attributes that the interpreter adds to every exception (``add_note``, ``name``, ``obj``, ...): they depend on the
  serving
  Python's version, and a Go server does not speak for one;
* the class in front of a function's name in an arity error: Python 3.10 added it;
* private names in listings: they are how a server is written, not what it offers.
"""
import re
import struct

import rpyc

version = rpyc.version.version  # numbers, texts, or in rpyc-ng one text
RPYC = tuple(int(part) for part in (version.split(".") if isinstance(version, str) else version))

INTERPRETER_ATTRS = {"add_note", "name", "obj", "name_from", "with_traceback", "_remote_tb", "_remote_version",
                     "__notes__",
                     "characters_written", "filename2", "winerror"}
SERVICE_NAMES = {"ALIASES", "on_connect", "on_disconnect", "get_service_name", "get_service_aliases"}
REMOTE_HEADER = re.compile(r"\n*========= Remote Traceback \((\d+)\) =========\n")
VERSION_WARNING = "WARNING: Remote is on RPyC"


def normal_text(text):
    """text without what differs between two runs or two Python versions."""
    text = re.sub(r"\w+-\d{19}-\d+", "TAG", text)  # probes.fresh
    text = re.sub(r"0x[0-9a-fA-F]+", "0xADDR", text)
    text = re.sub(r"\bline \d+", "line N", text)
    text = re.sub(r"\b(?:\w+\.)+((?:exposed_|__)\w+\(\))", r"\1", text)
    return text


def bits(number):
    return struct.pack(">d", number).hex()


def is_netref(value):
    return isinstance(value, rpyc.BaseNetref)


def describe(value):
    """value as nested tuples of strings and such: exact type, exact value; for a reference what it says of itself."""
    if is_netref(value):
        pack = object.__getattribute__(value, "____id_pack__")
        return ("netref", pack[0], "class" if pack[2] == 0 else "instance")
    kind = type(value)
    if kind is float:
        return ("float", bits(value))
    if kind is complex:
        return ("complex", bits(value.real), bits(value.imag))
    if kind is tuple:
        return ("tuple", tuple(describe(item) for item in value))
    if kind is list:  # made by a probe
        return ("list", tuple(describe(item) for item in value))
    if kind is dict:  # made by a probe
        return ("dict", tuple(sorted((str(key), describe(item)) for key, item in value.items())))
    if kind is frozenset:
        return ("frozenset", tuple(sorted(repr(describe(item)) for item in value)))
    if kind is slice:
        return ("slice", tuple(describe(item) for item in (value.start, value.stop, value.step)))
    if kind is str:
        return ("str", normal_text(value))
    if isinstance(value, BaseException):
        return describe_error(value)
    return (kind.__name__, repr(value))


def class_name(error):
    """module.Class as the server named it."""
    kind = type(error)
    if kind.__module__.startswith("rpyc.core.vinegar/"):
        return kind.__name__  # generic classes carry the full name
    return kind.__module__ + "." + kind.__name__


def last_line(text):
    lines = [line for line in text.strip().split("\n") if line.strip() and not line.startswith(VERSION_WARNING)]
    return re.sub(r"\. Did you mean: .*", "", normal_text(lines[-1])) if lines else ""  # suggestions: Python 3.12


def remote_text(error):
    """The traceback text that came with the error, '' if none did."""
    return getattr(error, "_remote_tb", "") or ""


def describe_error(error):
    attrs = {name: value for name, value in vars(error).items() if name not in INTERPRETER_ATTRS}
    for name in ("errno", "strerror", "filename", "encoding", "object", "start", "end", "reason", "code"):
        if name not in attrs and hasattr(error, name):
            attrs[name] = getattr(error, name)
    text = remote_text(error)
    return ("error", class_name(error), describe(tuple(error.args)), describe(attrs),
            {"first": text.split("\n")[0], "last": last_line(text), "inner": REMOTE_HEADER.findall(text),
             "cause": "direct cause" in text})


def message(error):
    """str(error) without the remote traceback."""
    return REMOTE_HEADER.split(str(error))[0]


def public_names(names):
    """A dir() listing without private names and without what rpyc.Service itself has; special methods are the
    interpreter's."""
    return sorted(name for name in names if not name.startswith("_") and name not in SERVICE_NAMES)


def methods(conn, ref):
    """What INSPECT answers for ref: {name: doc}, without private names (special ones are kept)."""
    from rpyc.core import consts
    pack = object.__getattribute__(ref, "____id_pack__")
    found = dict(conn.sync_request(consts.HANDLE_INSPECT, pack))
    return {name: doc for name, doc in found.items() if not name.startswith("_") or name.endswith("__")}


# Special methods that change what a proxy can do.  What else object has (__reduce__, __sizeof__, ...) never reaches the
# server.
OPERATORS = {"__%s__" % name for name in """
    abs add and bool call contains delitem enter exit float floordiv format ge getitem gt iadd imul index int invert
    iter le len length_hint lshift lt mod mul neg next or pos pow radd rmul rshift rsub setitem sub truediv xor
""".split()}


def operators(conn, ref):
    """The operators that the proxy of ref gets.  Comparisons, str, repr and hash always work and are not listed."""
    return sorted(name for name in methods(conn, ref) if name in OPERATORS)
