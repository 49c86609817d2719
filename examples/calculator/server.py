#!/usr/bin/env python3
"""The calculator as a Python service: the same that examples/calculator/server is in Go, for the clients beside it.

    python3 examples/calculator/server.py --port 18861
"""
import argparse

import rpyc
from rpyc.utils.server import ThreadedServer


class CalculatorService(rpyc.Service):
    def exposed_add(self, a, b):
        """Adds two numbers."""
        return a + b

    def exposed_div(self, a, by):
        """Divides a by by, rounding down."""
        return a // by

    def exposed_sum(self, *xs):
        """Adds any number of numbers."""
        return sum(xs)

    def exposed_apply(self, f, xs):
        """Calls f, a function of the caller's, with each of xs and returns the results."""
        return [f(x) for x in xs]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18861, help="0 for any that is free")
    options = parser.parse_args()
    server = ThreadedServer(CalculatorService, hostname=options.host, port=options.port)
    server._listen()  # so that READY is true when it is printed
    print("READY", options.host, server.port, flush=True)
    server.start()


if __name__ == "__main__":
    main()
