"""Like containers.py, for the methods of numbers."""
import json
import os
import sys

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "containers.py")) as f:
    exec(f.read().split("\nL, D, S =")[0])

cases = []


def case(target, method, *args, **kwargs):
    cases.append((target, method, args, kwargs))


INTS = [0, 1, -1, 7, -7, 12, 255, 2 ** 70, -2 ** 70]
for a in INTS:
    for b in INTS:
        for m in ("__divmod__", "__rdivmod__", "__and__", "__or__", "__xor__"):
            case(a, m, b)
    for b in (0, 1, 3, 65, -1):
        for m in ("__lshift__", "__rshift__", "__pow__"):
            if not (m == "__pow__" and a and b < 0 and abs(a) > 1):
                case(a, m, b)
        case(a, "__round__", b)
        case(a, "__round__", -b)
    case(a, "bit_length")
    case(a, "__round__")
    case(a, "__pow__", 5, 13)
case(2, "__pow__", 3, 0)
case(1.5, "__divmod__", 0.4)
case(1.5, "__divmod__", 0)
for f in (0.5, 1.5, 2.5, -2.5, 2.675, 1e300, 123.456, -0.04, float("nan")):
    for d in (0, 1, 2, 400):
        case(f, "__round__", d)
    if f == f:
        case(f, "__round__")
    case(f, "__round__", -1)
    case(f, "is_integer")
case(2.0, "__pow__", 0.5)
case(0.0, "__pow__", -1)

print(json.dumps({"version": list(sys.version_info[:2])}))
for target, method, args, kwargs in cases:
    line = {"method": method, "args": [enc(a) for a in args], "kwargs": [[k, enc(v)] for k, v in kwargs.items()], "target": enc(target)}
    try:
        line["result"] = repr(getattr(target, method)(*args, **kwargs))
    except Exception as e:
        line["error"] = type(e).__name__ + ": " + str(e)
    line["after"] = repr(target)
    print(json.dumps(line))
