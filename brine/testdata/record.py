"""Records what an installed rpyc writes and reads, one JSON object per line.

    python record.py --reference old.jsonl > new.jsonl   # the run the rows are named for
    python record.py old.jsonl > new.jsonl               # a further run

The rows of the old file are the questions: `expr` (a Python expression to dump)
or `hex` / `hex_rle` (bytes to load, the latter a list of [unit, count]). The answers in it
are replaced. A further run adds `by_version[<environment>]` to the rows whose
outcome differs from the reference and removes it from the others; entries of
other environments stay. To add a question append a row with `id`, `kind` and
`expr` or `hex` and record again.

kind: roundtrip (dump gives hex, load gives the value back), load (canonical = what
dump makes of the value if that is not hex), reject (load fails), dump_reject (dump
fails), skip (the expression cannot be evaluated). Run with PYTHONHASHSEED=0, so
that frozensets keep their order. Needs nothing but rpyc and the standard library.
"""
import json
import re
import sys
from binascii import hexlify, unhexlify

import rpyc
from rpyc.core import brine

ENV = "py%d.%d/rpyc-%s" % (sys.version_info[:2] + (".".join(map(str, rpyc.version.version)),))
LONG = 2000  # hex digits from which hex_rle is used
LONG_REPR = 6000  # characters from which python is left out; expr says it then


def unrle(row):
    if "hex" in row:
        return unhexlify(row["hex"])
    return b"".join(unhexlify(unit) * count for unit, count in row["hex_rle"])


def rle(data):
    text = hexlify(data).decode("ascii")
    if len(text) < LONG:
        return {"hex": text}
    runs = []
    for unit in re.findall("..", text):
        if runs and runs[-1][0] == unit:
            runs[-1][1] += 1
        else:
            runs.append([unit, 1])
    return {"hex_rle": runs} if len(runs) < 50 else {"hex": text}


def shown(value):
    text = repr(value)
    return {"python": text} if len(text) < LONG_REPR else {}


def has_set(value):
    return isinstance(value, frozenset) or isinstance(value, tuple) and any(map(has_set, value))


def dump(row):
    expr = row["expr"]
    try:
        value = eval(expr, {"__name__": "record"})
    except Exception as e:
        return {"kind": "skip", "error": type(e).__name__}
    out = {"kind": "dump_reject", "dumpable": False}
    try:
        out["dumpable"] = brine.dumpable(value)
        data = brine.dump(value)
    except Exception as e:
        out["error"] = type(e).__name__
        return out
    out = {"kind": "roundtrip", "type": type(value).__name__}
    out.update(shown(value), **rle(data))
    if has_set(value):
        out["unordered"] = True
    assert repr(brine.load(data)) == repr(value)
    return out


def load(row):
    data = unrle(row)
    out = rle(data)
    try:
        value = brine.load(data)
    except Exception as e:
        out.update(kind="reject", error=type(e).__name__)
        return out
    out.update(shown(value), kind="load", type=type(value).__name__)
    try:
        again = brine.dump(value)
    except Exception:
        return out
    if again != data:
        out["canonical"] = hexlify(again).decode("ascii")
    return out


def main():
    args = sys.argv[1:]
    reference = "--reference" in args
    with open(args[-1]) as f:
        rows = [json.loads(line) for line in f]
    for old in rows:
        if old["kind"] == "meta":
            new = {"id": old["id"], "kind": "meta", "reference": ENV if reference else old["reference"]}
            new["runs"] = sorted(set(old.get("runs", [])) | {ENV})
        else:
            answer = (dump if "expr" in old else load)(old)
            others = dict(old.get("by_version", {}))
            others.pop(ENV, None)
            if reference:
                new = {"id": old["id"]}
                new.update({"expr": old["expr"]} if "expr" in old else {})
                new.update(answer)
            else:
                new = dict(old)
                differs = {k: v for k, v in answer.items() if old.get(k) != v}
                if "kind" in differs or set(differs) - {"error", "dumpable"}:
                    others[ENV] = answer
            new.pop("by_version", None)
            if others:
                new["by_version"] = others
        print(json.dumps(new))


if __name__ == "__main__":
    main()
