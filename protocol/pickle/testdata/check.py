"""Loads pickles that Go has written and compares them with what Python expressions make.

Reads lines of {"name", "protocol", "pickle" (base64), "expression", "expression2"} from stdin; expression2 is what the
value is before protocol 3, if that is something else. Writes what is wrong, and at last how many pickles it has seen.
"""
from __future__ import print_function

import argparse
import base64
import collections
import datetime
import decimal
import fractions
import json
import pickle
import sys
import uuid

from record import PY2, Range, describe

NAMES = dict(datetime=datetime.datetime, date=datetime.date, time=datetime.time, timedelta=datetime.timedelta,
             Decimal=decimal.Decimal, Fraction=fractions.Fraction, UUID=uuid.UUID, OrderedDict=collections.OrderedDict, Range=Range)
if not PY2:
    import types
    NAMES["zone"] = lambda s: datetime.timezone(datetime.timedelta(seconds=s))


def ring():
    x = [1]
    x.append(x)
    return x


def normal(d):
    """Python 2 does not keep the order of dicts."""
    if isinstance(d, dict):
        return dict((k, sorted((normal(p) for p in v), key=json.dumps) if k in ("dict", "state", "pairs") else normal(v)) for k, v in d.items())
    if isinstance(d, list):
        return [normal(x) for x in d]
    return d


def main():
    seen = 0
    for line in sys.stdin:
        row = json.loads(line)
        seen += 1
        protocol = row["protocol"]
        try:
            value = pickle.loads(base64.b64decode(row["pickle"]))
            got = describe(value)
        except Exception as e:
            print(row["name"], protocol, repr(e))
            continue
        names = dict(NAMES, ring=ring, struct=argparse.Namespace if protocol < 3 else types.SimpleNamespace)
        expression = protocol < 3 and row.get("expression2") or row["expression"]
        want = describe(eval(expression, names))
        if PY2:
            got, want = normal(got), normal(want)
        if got != want:
            print(row["name"], protocol, "got", json.dumps(got)[:300], "want", json.dumps(want)[:300])
    print("seen", seen)


main()
