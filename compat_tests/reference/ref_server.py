#!/usr/bin/env python3
"""Serves the behaviour service from CPython.

    ref_server.py [--host HOST] [--port PORT] [--no-stdin]

Prints ``READY host port`` when all eight endpoints accept connections and serves until stdin reaches its end (or for
ever with ``--no-stdin``).
"""
import argparse
import logging
import os
import signal
import sys
from importlib.util import find_spec

# The endpoints differ in protocol configuration alone, but for that named greeting.
CONFIGS = {
    "default": {},
    "rw": {"allow_setattr": True, "allow_delattr": True},
    "public": {"allow_public_attrs": True},
    "all": {"allow_all_attrs": True, "allow_setattr": True, "allow_delattr": True},
    "pickle": {"allow_pickle": True},
    "quiet": {"include_local_traceback": False, "include_local_version": False},
    "greeting": {},
    "codecs": {},
}


def main():
    parser = argparse.ArgumentParser(description="CPython reference server of the behaviour service")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--no-stdin", action="store_true", help="do not stop at the end of stdin")
    options = parser.parse_args()

    logging.basicConfig(level=logging.CRITICAL)
    from rpyc.utils.server import ThreadedServer
    import behaviour_service

    if find_spec("quantity"):  # not where "gorpyc conform --print-service" has printed this
        import quantity
        quantity.register()

    for name, config in CONFIGS.items():
        server = ThreadedServer(
            getattr(behaviour_service, "GreetingService" if name == "greeting" else "BehaviourService"),
            hostname=options.host,
            port=options.port if name == "default" else 0,
            protocol_config=config,
        )
        server._start_in_thread()  # returns once the socket listens
        behaviour_service.ENDPOINTS[name] = server.port

    print("READY", options.host, behaviour_service.ENDPOINTS["default"], flush=True)
    if options.no_stdin:
        signal.pause()
    else:
        sys.stdin.read()
    os._exit(0)  # connections still open must not keep the process


if __name__ == "__main__":
    main()
