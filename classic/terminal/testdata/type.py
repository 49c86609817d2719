"""Types at a program in a pseudo-terminal.  Usage: type.py PROGRAM ARG..., with lines of JSON on stdin: [wanted, keys].

For each, waits until the program has shown the wanted text (after what was waited for before), and then types the keys.
Prints what the program has shown when it has ended, and ends with its status.
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

steps = [json.loads(line) for line in sys.stdin]
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
shown, seen, deadline = "", 0, time.time() + 20


def more():
    global shown
    if not select.select([fd], [], [], max(0, deadline - time.time()))[0]:
        print("TIMED OUT", repr(shown))
        os.kill(pid, 9)
        sys.exit(1)
    try:
        data = os.read(fd, 65536)
    except OSError:
        data = b""
    shown += data.decode("utf-8", "replace")
    return bool(data)


for wanted, keys in steps:
    while wanted not in shown[seen:]:
        if not more():
            print("ENDED BEFORE", repr(wanted), repr(shown))
            sys.exit(1)
    seen = shown.index(wanted, seen) + len(wanted)
    os.write(fd, keys.encode("utf-8"))
while more():
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown)
sys.exit(0 if status == 0 else 1)
