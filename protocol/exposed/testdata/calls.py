"""Reads {"params": [[str, …], …], "calls": [[number of positional arguments, [keyword, …]], …]} from stdin, makes a
function and a method of every parameter list and prints what every call of it does in CPython, one JSON list
[result or null, error or null] per line; a result is the repr of the parameters' values."""
import json
import sys

job = json.load(sys.stdin)
print(json.dumps({"version": list(sys.version_info[:2])}))


def values(params):
    names = []
    for p in params:
        n = p.split("=")[0]
        if n in ("*", "/"):
            continue
        names.append("tuple(%s.items())" % n[2:] if n.startswith("**") else n.lstrip("*"))
    return "(%s)" % "".join(n + ", " for n in names)


for i, params in enumerate(job["params"]):
    src = "def f%d(%s): return %s\nclass Host:\n def exposed_f%d(%s): return %s" % (
        i, ", ".join(params), values(params), i, ", ".join(["self"] + params), values(params))
    ns = {}
    exec(src, ns)
    for f in (ns["f%d" % i], getattr(ns["Host"](), "exposed_f%d" % i)):
        for n, keys in job["calls"]:
            try:
                r = [repr(f(*range(n), **{k: k.upper() for k in keys})), None]
            except TypeError as e:
                r = [None, "TypeError: " + str(e)]
            print(json.dumps(r))
