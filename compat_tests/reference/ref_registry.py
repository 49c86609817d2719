"""A registry of the installed RPyC on an ephemeral port.  Runs on Python 2.7, too.

    ref_registry.py --transport udp|tcp [--host HOST] [--port PORT] [--timeout SECONDS] [--listing]

Prints READY host port and serves until stdin ends.
"""
import argparse
import os
import sys
import threading

from rpyc.utils.registry import TCPRegistryServer, UDPRegistryServer

parser = argparse.ArgumentParser()
parser.add_argument("--transport", default="udp", choices=["udp", "tcp"])
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--timeout", type=float, default=240)
parser.add_argument("--listing", action="store_true")
options = parser.parse_args()

more = {"allow_listing": True} if options.listing else {}
make = UDPRegistryServer if options.transport == "udp" else TCPRegistryServer
server = make(host=options.host, port=options.port, pruning_timeout=options.timeout, **more)
print("READY %s %d" % (options.host, server.port))
sys.stdout.flush()
thread = threading.Thread(target=server.start)
thread.daemon = True
thread.start()
sys.stdin.read()
os._exit(0)
