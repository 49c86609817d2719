#!/usr/bin/env python3
"""For those who run the classic server by a Python: "python rpyc_classic.py ...", or rpyc.classic.connect_subproc(),
which looks for this name on PATH.  It becomes the program rpyc_classic that is installed beside it.
"""
import os
import sys

here = os.path.dirname(os.path.realpath(__file__))
program = os.path.join(here, "rpyc_classic")
if not os.access(program, os.X_OK):
    sys.exit("rpyc_classic.py: there is no program rpyc_classic in " + here)
sys.stdout.flush()
os.execv(program, sys.argv)
