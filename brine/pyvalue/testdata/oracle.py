"""Answers what a value is to RPyC's brine ('b') or to ast.literal_eval ('l').  See python_test.go for the protocol."""
import ast
import struct
import sys
import warnings

from rpyc.core import brine

warnings.simplefilter("ignore")
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer


def answer(kind, data):
    if kind == b"b":
        return brine.dump(brine.load(data))
    return repr(ast.literal_eval(data.decode("utf8"))).encode("utf8", "surrogatepass")


while True:
    head = stdin.read(5)
    if len(head) < 5:
        break
    data = stdin.read(struct.unpack("!L", head[1:])[0])
    try:
        ok, out = 1, answer(head[:1], data)
    except Exception as e:
        ok, out = 0, repr(e).encode("utf8", "backslashreplace")
    stdout.write(struct.pack("!BL", ok, len(out)) + out)
    stdout.flush()
