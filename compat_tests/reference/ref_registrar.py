"""A registrar of the installed RPyC that does what it is told.  Runs on Python 2.7, too.

    ref_registrar.py --transport udp|tcp [--addr HOST:PORT] [--timeout SECONDS]

Reads one JSON object a line from stdin and prints one for each: {"result": R} or {"error": E}.

    {"op": "discover", "name": N}                               R: list of [host, port]
    {"op": "list", "host": H}                                   R: list of names; E: "disabled"
    {"op": "register", "names": [...], "port": P, "interface": I}   R: true; E: "no answer"
    {"op": "unregister", "port": P}                             R: null
"""
import argparse
import json
import sys

from rpyc.utils.registry import TCPRegistryClient, UDPRegistryClient

parser = argparse.ArgumentParser()
parser.add_argument("--transport", default="udp", choices=["udp", "tcp"])
parser.add_argument("--addr")
parser.add_argument("--timeout", type=float, default=2)
options = parser.parse_args()
where = {"timeout": options.timeout}
if options.addr:
    host, port = options.addr.rsplit(":", 1)
    where.update(ip=host, port=int(port))
registrar = (UDPRegistryClient if options.transport == "udp" else TCPRegistryClient)(**where)


def native(text):
    """Python 2's programs have bytes in their sources."""
    return text if text is None or not isinstance(text, type(u"")) else str(text)


def perform(q):
    if q["op"] == "discover":
        return [list(pair) for pair in registrar.discover(native(q["name"]))]
    if q["op"] == "list":
        names = registrar.list(q.get("host") or None)
        if names is None:
            raise LookupError("disabled")
        return list(names)
    if q["op"] == "register":
        names = tuple(native(name) for name in q["names"])
        if not registrar.register(names, native(q["port"]), **({"interface": q["interface"]} if q.get("interface")
                                                               else {})):
            raise LookupError("no answer")
        return True
    if q["op"] == "unregister":
        return registrar.unregister(native(q["port"]))
    raise ValueError(q["op"])


for line in iter(sys.stdin.readline, ""):
    try:
        answer = {"result": perform(json.loads(line))}
    except LookupError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))
    sys.stdout.flush()
