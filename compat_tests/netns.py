"""A network of one's own: programs in a Linux network namespace, where port 18811 is free and broadcasts reach nobody
else.

Run as a program, in a namespace, this is the far end of a cable: see Cable.
"""
import fcntl
import os
import select
import shutil
import struct
import subprocess
import sys
import threading

# One interface besides lo, with a broadcast address and the default route, as a host in a local network has it.
SETUP = """
ip link set lo up &&
{ ip link add lan0 type dummy || ip link add lan0 type bridge; } 2>/dev/null &&
ip addr add 192.0.2.1/24 broadcast 192.0.2.255 dev lan0 &&
ip link set lan0 up &&
ip route add default dev lan0 &&
exec "$@"
"""


def command(argv):
    """The command that runs argv in a new network."""
    return ["unshare", "--map-root-user", "--net", "sh", "-c", SETUP, "sh"] + list(argv)


def unavailable():
    """Why there can be no network of one's own here, or None."""
    for program in ("unshare", "ip"):
        if shutil.which(program) is None:
            return "no %s here" % program
    done = subprocess.run(command(["true"]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        return "no network namespaces here: %s" % done.stdout.decode("utf-8", "replace").strip()
    return None


def run_tests(file, **environment):
    """Runs a file of tests in a new network, as a pytest of its own; AssertionError with what it said unless all is
    well."""
    here = os.path.dirname(os.path.abspath(__file__))
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", here,
             "--noconftest", "-q", os.path.join(here, file)]
    done = subprocess.run(command(tests), cwd=here, env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **environment),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=170)
    text = done.stdout.decode("utf-8", "replace")
    print(text)
    assert done.returncode == 0, text


def tap(name, address):
    """A network interface of this namespace whose frames are read from and written to a file."""
    file = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(file, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))  # TUNSETIFF: IFF_TAP | IFF_NO_PI
    subprocess.run(["ip", "addr", "add", address, "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    return file


def carry(file, sink, over=None):
    """Carries frames from an interface to a pipe, until over, a pipe, can be read or the far end has gone."""
    while over is None or over not in select.select([file, over], [], [])[0]:
        frame = os.read(file, 1 << 16)
        try:
            sink.write(struct.pack(">H", len(frame)) + frame)
            sink.flush()
        except BrokenPipeError:
            return


def deliver(source, file):
    """Delivers frames from a pipe to an interface, until the pipe ends."""
    while True:
        head = source.read(2)
        if len(head) < 2:
            return
        try:
            os.write(file, source.read(struct.unpack(">H", head)[0]))
        except OSError:
            pass  # the interface is not up yet; frames get lost


class Cable:
    """Another host, in a namespace of its own, and the cable to it.  inside(argv) is the command that runs argv
    there."""

    def __init__(self, near, far):
        self._far = subprocess.Popen(["unshare", "--net", sys.executable, os.path.abspath(__file__), far],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._far.stdout.readline() == b"READY\n"
        self._near = tap("cable0", near)
        over, self._over = os.pipe()  # over can be read once _over is closed: the cable is taken away
        self._threads = [threading.Thread(target=carry, args=(self._near, self._far.stdin, over), daemon=True),
                         threading.Thread(target=deliver, args=(self._far.stdout, self._near), daemon=True)]
        for thread in self._threads:
            thread.start()

    def inside(self, argv):
        return ["nsenter", "--net", "--target", str(self._far.pid)] + list(argv)

    def close(self):
        os.close(self._over)
        self._far.kill()
        self._far.wait()
        for thread in self._threads:  # a thread that lives on could hold stderr when the interpreter ends
            thread.join()


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    file = tap("cable0", sys.argv[1])
    print("READY", flush=True)
    threading.Thread(target=carry, args=(file, sys.stdout.buffer), daemon=True).start()
    deliver(sys.stdin.buffer, file)


if __name__ == "__main__":
    main()
