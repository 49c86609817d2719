"""A peer made of bytes: frames and messages of the dialect of the installed RPyC, sent as they should be or as they
should not."""
import collections
import socket
import struct
import time
import zlib

from rpyc.core import brine, consts

from describe import RPYC

REQUEST, REPLY, EXCEPTION = 1, 2, 3
VALUE, TUPLE, LOCAL, REMOTE = 1, 2, 3, 4
BARE = RPYC >= (6,)  # the message type stands in front of the brine instead of inside
ANSWERS = {consts.HANDLE_DEL: (VALUE, None), consts.HANDLE_INSPECT: (VALUE, ()),
           consts.HANDLE_GETROOT: (REMOTE, ("rpyc.core.service.VoidService", 98, 99))}


def message(kind, seq, args):
    if BARE:
        return struct.pack(">B", kind) + brine.dump((seq, args))
    return brine.dump((kind, seq, args))


def parse(payload):
    if BARE:
        return (payload[0],) + tuple(brine.load(payload[1:]))
    return tuple(brine.load(payload))


def frame(payload, flag=0, trailer=b"\n"):
    return struct.pack(">LB", len(payload), flag) + payload + trailer


def squeezed(payload, level=1):
    return zlib.compress(payload, level)


def request(seq, handler, *args):
    """A request whose arguments are (label, value) pairs."""
    return message(REQUEST, seq, (handler, (TUPLE, args)))


def plain(seq, handler, *args):
    """A request whose arguments are all values."""
    return message(REQUEST, seq, (handler, (VALUE, args)))


class Peer:
    """One connection.  DEL and INSPECT requests are answered as they come, and the one for the root object by which a
    Go server finds out which of the releases before 6 it has to do with; the rest is the test's business.

    released counts, per reference, how often the server gave it back.
    """

    def __init__(self, server, timeout=20):
        self.sock = socket.create_connection((server.host, server.port))
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seq = 1000
        self.released = collections.Counter()

    def close(self):
        self.sock.close()

    def send(self, payload, **options):
        self.sock.sendall(frame(payload, **options))

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                raise EOFError("connection closed after %d of %d bytes" % (len(data), n))
            data += part
        return data

    def receive(self):
        """The next message (kind, seq, args) but DEL, INSPECT and GETROOT; EOFError at the end of the connection."""
        while True:
            length, flag = struct.unpack(">LB", self._exactly(5))
            payload = self._exactly(length)
            assert self._exactly(1) == b"\n"
            kind, seq, args = parse(zlib.decompress(payload) if flag else payload)
            if kind == REQUEST and args[0] in ANSWERS:
                self._housekeeping(seq, *args)
            else:
                return kind, seq, args

    def _housekeeping(self, seq, handler, boxed):
        if handler == consts.HANDLE_DEL:
            target, count = boxed[1] if boxed[0] == TUPLE else [(LOCAL, None), (VALUE, 0)]
            assert target[0] == LOCAL and count[0] == VALUE, boxed
            self.released[target[1]] += count[1]
        self.send(message(REPLY, seq, ANSWERS[handler]))

    def answer(self, seq):
        """The next message, which must be the answer to seq: ("reply", boxed) or ("exception", payload)."""
        kind, got, args = self.receive()
        assert (got, type(got)) == (seq, type(seq)), (kind, got, args)
        return {REPLY: "reply", EXCEPTION: "exception"}[kind], args

    def ask(self, handler, *args):
        """Sends a request with boxed arguments and returns what was replied; an exception payload fails the test."""
        self.seq += 1
        self.send(request(self.seq, handler, *args))
        kind, value = self.answer(self.seq)
        assert kind == "reply", value
        return value

    def refused(self, handler, *args):
        """Like ask, for a request that must fail: returns (class name, args) of the exception."""
        self.seq += 1
        self.send(request(self.seq, handler, *args))
        kind, payload = self.answer(self.seq)
        assert kind == "exception", payload
        (module, name), arguments, _, text = payload
        assert type(text) is str
        return name, arguments

    def alive(self):
        """Is the connection still answering?"""
        return self.ask(consts.HANDLE_PING, (VALUE, "still there?")) == (VALUE, "still there?")

    def root(self):
        label, pack = self.ask(consts.HANDLE_GETROOT)
        assert label == REMOTE
        return (LOCAL, pack)

    def method(self, name):
        label, pack = self.ask(consts.HANDLE_GETATTR, self.root(), (VALUE, name))
        assert label == REMOTE
        return (LOCAL, pack)

    def call(self, name, *args):
        """Calls a function of the root with boxed arguments."""
        return self.ask(consts.HANDLE_CALL, self.method(name), (TUPLE, args), (VALUE, ()))

    def ended(self, seconds=20):
        """Waits for the end of the connection; whatever comes before it is thrown away."""
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                if not self.sock.recv(65536):
                    return True
        except ConnectionError:
            return True
        except socket.timeout:
            pass
        return False
