"""The Python side of peer_test.go: answers JSON lines with what RPyC does."""
import json
import sys
import traceback
import types

from rpyc.core import brine, vinegar


def describe(e, text):
    plain = type(e).__mro__[1]
    try:
        message = plain.__str__(e)
    except Exception as err:
        message = "unprintable: %r" % err
    attrs = {n: repr(v) for n, v in vars(e).items() if not n.startswith("_remote")}
    for n in ("errno", "strerror", "filename", "filename2", "characters_written", "encoding", "object", "start",
              "end", "reason", "code", "msg", "lineno", "offset", "text", "name", "path", "obj", "value"):
        try:
            attrs[n] = repr(getattr(e, n))
        except AttributeError:
            pass
    return {"module": plain.__module__, "name": plain.__name__, "args": repr(e.args), "attrs": attrs,
            "message": message, "str": text, "traceback": e._remote_tb,
            "version": getattr(e, "_remote_version", None), "is": [c.__name__ for c in plain.__mro__]}


def load(hexed, custom=False):
    e = vinegar.load(brine.load(bytes.fromhex(hexed)), custom, custom, False)
    try:
        raise e
    except StopIteration as caught:
        return {"module": "builtins", "name": "StopIteration", "args": repr(caught.args)}
    except BaseException as caught:
        repr(caught)
        "".join(traceback.format_exception(type(caught), caught, caught.__traceback__))
        return describe(caught, str(caught))


def dump(src):
    module = types.ModuleType("peer_module")
    try:
        exec(compile(src, "<peer>", "exec"), module.__dict__)
    except BaseException:
        typ, val, tb = sys.exc_info()
    return {"hex": brine.dump(vinegar.dump(typ, val, tb, True, True)).hex(), "args": repr(val.args),
            "traceback": "".join(traceback.format_exception(typ, val, tb)),
            "line": "".join(traceback.TracebackException(typ, val, None).format_exception_only())[:-1]}


def forward(hexed):
    try:
        raise vinegar.load(brine.load(bytes.fromhex(hexed)), False, False, False)
    except BaseException:
        return {"hex": brine.dump(vinegar.dump(*sys.exc_info(), True, True)).hex()}


def show(hexed):
    return {"args": repr(brine.load(bytes.fromhex(hexed)))}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = globals()[request["op"]](*request["args"])
    except BaseException as e:
        answer = {"error": "%s: %s" % (type(e).__name__, e)}
    print(json.dumps(answer))
