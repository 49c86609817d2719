#!/usr/bin/env python3
"""Records what teleporting the functions of functions.py sends and asks: record.py with a CPython 3.11 that has rpyc 6.

functions.brine gets, for each function: its name, what rpyc.utils.teleportation.export_function makes of it, what the expression
sourceOf of ../teleport.go is asked for and gives, and the repr of its results or the class of its exceptions.
"""
import linecache
import os
import re

from rpyc.core import brine
from rpyc.utils.teleportation import export_function

os.chdir(os.path.dirname(os.path.abspath(__file__)))
names = {"__name__": "functions"}
with open("functions.py", encoding="utf-8") as file:
    exec(compile(file.read(), "functions.py", "exec"), names)  # so that no path is in it
with open("../teleport.go", encoding="utf-8") as file:
    ask = re.search("const sourceOf = `(.*?)`", file.read(), re.S).group(1)


def outcome(f, arguments):
    try:
        result = eval("f" + arguments, {"f": f})
    except Exception as e:
        return "raises " + type(e).__name__
    return repr(list(result) if hasattr(result, "__next__") else result)


recorded = []
for name, calls in names["CALLS"].items():
    f = names[name]
    code = f.__code__
    question = ask % (repr("functions.py"), code.co_firstlineno, repr(code.co_name))
    linecache.clearcache()
    recorded.append((name, export_function(f), question, eval(question), tuple((c, outcome(f, c)) for c in calls)))
with open("functions.brine", "wb") as file:
    file.write(brine.dump(tuple(recorded)))
