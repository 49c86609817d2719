#!/usr/bin/env python3
"""Calls a calculator service, Go's or Python's, with nothing but RPyC.

    python3 examples/calculator/client.py --port 18861
    python3 examples/calculator/client.py --service calculator      # found through the registry
"""
import argparse

import rpyc
from rpyc.utils.registry import UDPRegistryClient


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18861)
    parser.add_argument("--service", help="look the service up in the registry in place of --host and --port")
    parser.add_argument("--registry", help="HOST:PORT of the registry; by default it is found by a broadcast")
    options = parser.parse_args()

    if options.service:
        registrar = None
        if options.registry:
            host, port = options.registry.rsplit(":", 1)
            registrar = UDPRegistryClient(ip=host, port=int(port))
        conn = rpyc.connect_by_service(options.service, registrar=registrar)
    else:
        conn = rpyc.connect(options.host, options.port)
    calc = conn.root
    print("add(2, 3) =", calc.add(2, 3))
    print("sum(1, 2, 3.5) =", calc.sum(1, 2, 3.5))
    try:
        calc.div(7, 0)
    except ZeroDivisionError as error:
        print("div(7, 0) raised", type(error).__name__ + ":", error.args[0])
    print("apply(square, [1, 2, 3]) =", list(calc.apply(lambda x: x * x, [1, 2, 3])))

    def fails(x):
        raise LookupError("no %s here" % x)
    try:
        calc.apply(fails, ["sense"])
    except LookupError as error:
        print("apply(fails, ['sense']) raised", type(error).__name__ + ":", error.args[0])
    slow = rpyc.async_(calc.sum)
    print("asynchronously, ten at once:", [result.value for result in [slow(i, i) for i in range(10)]])
    print("dir(root):", ", ".join(name for name in dir(calc) if name.startswith("exposed_")
                                  and not name.startswith("exposed_get_service")))
    conn.close()


if __name__ == "__main__":
    main()
