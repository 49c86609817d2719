"""A program at a terminal: what a person types, and what appears."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

KEYS = {"tab": "\t", "enter": "\r", "up": "\x1b[A", "ctrl-c": "\x03", "ctrl-d": "\x04", "ctrl-u": "\x15"}
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07")


def _take_terminal():
    """Makes the terminal that of the new session, so that Ctrl-C is a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Runs argv at a terminal of its own of 120 columns."""

    def __init__(self, argv, env=None, cwd=None):
        self.seen = ""  # all that has appeared, without escape sequences
        self._from = 0  # where the next expect begins
        self._raw = b""
        self._fd, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(argv, stdin=far, stdout=far, stderr=far, cwd=cwd,
                                        env=dict(os.environ, TERM="xterm", **(env or {})),
                                        start_new_session=True, preexec_fn=_take_terminal)
        os.close(far)

    def type(self, *parts):
        """Types text, and keys by their names in KEYS."""
        os.write(self._fd, "".join(KEYS.get(part, part) for part in parts).encode())

    def editing(self, timeout=20):
        """Waits until the program reads keys by itself, so that Ctrl-C is one and no signal."""
        deadline = time.monotonic() + timeout
        while termios.tcgetattr(self._fd)[3] & termios.ISIG:
            assert time.monotonic() < deadline, "there is no line editing"
            self._read(0.01)

    def _read(self, timeout):
        """Takes in what has come; False at the end."""
        if not select.select([self._fd], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # the other end is closed
            data = b""
        self._raw += data
        self.seen = ESCAPES.sub("", self._raw.decode("utf-8", "replace"))
        return bool(data)

    def expect(self, pattern, timeout=20):
        """Waits until the pattern has appeared behind what was expected before, and returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.compile(pattern).search(self.seen, self._from)
            if match:
                self._from = match.end()
                return match
            more = self._read(max(0.0, deadline - time.monotonic()))
            if not more or time.monotonic() > deadline:
                found = re.compile(pattern).search(self.seen, self._from)
                assert found, "%r has not appeared; there was %r" % (pattern, self.seen[self._from:])

    def end(self, timeout=20):
        """Waits for the end and returns the exit status."""
        deadline = time.monotonic() + timeout
        while self._read(0.05):
            assert time.monotonic() < deadline, "still running; there was %r" % self.seen[-2000:]
        return self.process.wait(timeout)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)
