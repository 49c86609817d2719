"""Deadlines, cancellation, trace context and tokens beside RPyC calls, for RPyC 4.1 to 6 on Python 3.7 and later.

Copy this file next to your program, and call install() once, before the first connection:

    import gorpyc_meta
    gorpyc_meta.install()

    conn = rpyc.connect(...)
    with gorpyc_meta.sending(timeout=2, token="secret"):    # the call, and those that it makes in its turn, have 2 s
        conn.root.work()

In a service, current() is what came with the request that is being served:

    def exposed_work(self):
        call = gorpyc_meta.current()
        while not call.cancelled():     # the caller has given up, or its time is over
            ...

Peers are Go programs with protocol.Config.Metadata, and Python programs with this file. It sends an empty trailer with
the request for a peer's root, which every RPyC release ignores, and more only to peers that have answered in kind. The
form is specified in the documentation of the Go package protocol/wire.

What a handler calls takes over the trace context and what is left of the time; the token and the pairs go to the
peer that they were given for alone. If opentelemetry is installed, its current span is sent, and a handler runs in the
context of the span that came.

install() replaces _send, _dispatch, async_request and sync_request of Connection, wait, ready and expired of
AsyncResult, and brine.dump, by functions that do the same and more.
"""
import contextlib
import contextvars
import io
import os
import struct
import threading
import time

from rpyc.core import async_, brine, consts, protocol

try:
    from opentelemetry import context as _otel_context, propagate as _propagate
except ImportError:
    _propagate = None

__all__ = ["install", "sending", "current", "cancel", "new_traceparent", "Call"]

MAX_TRAILER = 8 << 10
_MAGIC = b"\xffRMD"
_VERSION = 1
_FOOT = 2 + 1 + len(_MAGIC)
_TRACEPARENT, _TRACESTATE, _REMAINING, _TOKEN, _CANCEL, _PAIR = range(1, 7)
_PLAIN = (consts.HANDLE_DEL, consts.HANDLE_CLOSE, consts.HANDLE_PING)  # requests that no handler runs for

_always = False
_current = contextvars.ContextVar("gorpyc_meta.current", default=None)
_sending = contextvars.ContextVar("gorpyc_meta.sending", default=None)
_local = threading.local()  # .trailer: what brine.dump is to append; .timeout: of the request that is being sent


class Call:
    """What came with a request. Its fields must not be changed.

    traceparent, tracestate: the headers of W3C Trace Context, or None
    token: a text, or None
    pairs: a dict of texts
    deadline: when the caller stops waiting, as time.monotonic() counts, or None
    """

    def __init__(self, conn=None):
        self.traceparent = self.tracestate = self.token = self.deadline = None
        self.pairs = {}
        self._conn = conn
        self._given_up = False

    def remaining(self):
        """Seconds until the deadline, not less than 0; None if there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def cancelled(self):
        """Whether the caller has given up, or its time is over.

        RPyC serves a connection on the thread that runs the handler, so this takes in what has arrived meanwhile. That
        may run other requests of the peer, as any call of the peer's objects by a handler may.
        """
        if not self._given_up and self.remaining() != 0 and self._conn is not None:
            with contextlib.suppress(EOFError, OSError):
                self._conn.poll_all()
            self._given_up = self._given_up or self._conn.closed
        return self._given_up or self.remaining() == 0


def current():
    """The Call of the request that is being served; an empty one where nothing has come."""
    return _current.get() or Call()


@contextlib.contextmanager
def sending(traceparent=None, tracestate=None, token=None, pairs=None, timeout=None):
    """What requests made in the block carry. Blocks add up; timeout, in seconds, never extends that of an outer block.

    A request that is still waited for when the time is over raises RPyC's AsyncResultTimeout.
    """
    outer, call = _sending.get(), Call()
    if outer is not None:
        call.traceparent, call.tracestate, call.token = outer.traceparent, outer.tracestate, outer.token
        call.deadline = outer.deadline
        call.pairs.update(outer.pairs)
    if traceparent is not None:
        call.traceparent, call.tracestate = traceparent, tracestate
    if token is not None:
        call.token = token
    call.pairs.update(pairs or {})
    if timeout is not None:
        deadline = time.monotonic() + timeout
        call.deadline = deadline if call.deadline is None else min(deadline, call.deadline)
    said = [text for text in (call.traceparent, call.tracestate, call.token) if text is not None]
    for text in [*said, *call.pairs, *call.pairs.values()]:
        if not isinstance(text, str):
            raise TypeError("metadata is str, not {}".format(type(text).__name__))  # the text may be secret
    _encode(_fields(call))  # says now what cannot be sent
    before = _sending.set(call)
    try:
        yield call
    finally:
        _sending.reset(before)


def new_traceparent():
    """The traceparent of a new trace that is to be recorded."""
    return "00-{}-{}-01".format(os.urandom(16).hex(), os.urandom(8).hex())


def cancel(result):
    """Gives up the request behind an AsyncResult, as rpyc.async_ and timed return it: the peer is told, and the result
    has expired."""
    conn = result._conn
    for seq, callback in list(conn._request_callbacks.items()):
        if callback is result:
            conn._request_callbacks.pop(seq, None)
            result.set_expiry(0)
            _tell(conn, seq)


def install(always=False):
    """Has the connections of this process send and read metadata.

    :param always: send it to peers that have not shown that they read it, too
    """
    global _always
    _always = always
    if protocol.Connection._send is not _send:
        protocol.Connection._send = _send
        protocol.Connection._dispatch = _dispatch
        protocol.Connection.async_request = _async_request
        protocol.Connection.sync_request = _sync_request
        async_.AsyncResult.wait = _wait
        async_.AsyncResult.ready = property(_ready)
        async_.AsyncResult.expired = property(_expired)
        brine.dump = _dump


class _State:
    """What is known of a connection's peer."""

    def __init__(self):
        self.known = False  # it reads trailers
        self.told = False  # it has been sent one
        self.running = {}  # Call by number of the request

    @property
    def sends(self):
        return self.known or _always


def _state(conn):
    try:
        return conn._gorpyc_meta
    except AttributeError:
        return conn.__dict__.setdefault("_gorpyc_meta", _State())


_old_send = protocol.Connection._send
_old_dispatch = protocol.Connection._dispatch
_old_async_request = protocol.Connection.async_request
_old_wait = async_.AsyncResult.wait
_old_ready = async_.AsyncResult.ready.fget
_old_expired = async_.AsyncResult.expired.fget
_old_dump = brine.dump


def _send(self, msg, seq, args):
    state, fields = _state(self), b""
    greets = not state.told and state.known
    if msg == consts.MSG_REQUEST:
        if state.sends and args[0] not in _PLAIN:
            fields = _request_fields()
        greets = greets or not state.told and args[0] == consts.HANDLE_GETROOT
    cancels, _local.cancels = getattr(_local, "cancels", b""), b""
    fields += cancels
    before = getattr(_local, "trailer", b"")  # a garbage collection may send a request in the midst of another
    _local.trailer = _encode(fields) if fields or greets else b""
    state.told = state.told or state.sends and _local.trailer != b""
    try:
        return _old_send(self, msg, seq, args)
    finally:
        _local.trailer = before


def _dump(obj):
    data, trailer = _old_dump(obj), getattr(_local, "trailer", b"")
    if trailer:
        _local.trailer = b""
        data += trailer
    return data


def _dispatch(self, data):
    state = _state(self)
    if not state.known and not data.endswith(_MAGIC):
        return _old_dispatch(self, data)
    kind, seq, end = _parse(data)
    fields = _decode(data[end:])
    if fields is not None:
        state.known = True
        for tag, value in fields:
            if tag == _CANCEL and struct.unpack("!q", value)[0] in state.running:
                state.running[struct.unpack("!q", value)[0]]._given_up = True
    if kind != consts.MSG_REQUEST or not state.known:
        return _old_dispatch(self, data)
    call = _call(self, fields or ())
    state.running[seq] = call
    before, span = _current.set(call), None
    outer = _sending.set(None)
    if _propagate is not None and call.traceparent is not None:
        carrier = {"traceparent": call.traceparent, "tracestate": call.tracestate or ""}
        span = _otel_context.attach(_propagate.extract(carrier))
    try:
        return _old_dispatch(self, data)
    finally:
        if span is not None:
            _otel_context.detach(span)
        _sending.reset(outer)
        _current.reset(before)
        if state.running.get(seq) is call:
            del state.running[seq]


def _async_request(self, handler, *args, **kwargs):
    before, _local.timeout = getattr(_local, "timeout", None), kwargs.get("timeout")
    try:
        return _old_async_request(self, handler, *args, **kwargs)
    finally:
        _local.timeout = before


def _sync_request(self, handler, *args):
    result = self.async_request(handler, *args, timeout=self._config["sync_request_timeout"])
    try:
        return result.value
    except BaseException:  # a KeyboardInterrupt, or what another signal's handler raises: nobody has the result
        _give_up(result)  # unless it has come
        raise


def _ready(self):
    ready = _old_ready(self)
    if not ready:
        _expired(self)
    return ready


def _expired(self):
    expired = _old_expired(self)
    if expired:
        _give_up(self)
    return expired


def _wait(self):
    remaining = _deadline()
    if remaining is not None:
        left = self._ttl.timeleft()
        remaining = max(0.0, remaining - time.monotonic())
        if left is None or left > remaining:
            self.set_expiry(remaining)
    try:
        return _old_wait(self)
    except async_.AsyncResultTimeout:
        _give_up(self)
        raise


def _give_up(result):
    """cancel, of what a peer is to do that reads metadata. Of others an expired result can still come, as without this
    file, if the expiry is set anew before."""
    if _state(result._conn).sends:
        cancel(result)


def _tell(conn, seq):
    if _state(conn).sends and not conn.closed:
        _local.cancels = _field(_CANCEL, struct.pack("!q", seq))
        with contextlib.suppress(EOFError, OSError):
            conn._async_request(consts.HANDLE_PING, (None,))


def _deadline():
    """When the time of what runs here is over, as time.monotonic() counts; None if it has no end."""
    calls = [call for call in (_sending.get(), _current.get()) if call is not None]
    return min((call.deadline for call in calls if call.deadline is not None), default=None)


def _request_fields():
    call, asked, served = Call(), _sending.get(), _current.get()
    if asked is not None:
        call.traceparent, call.tracestate, call.token, call.pairs = (
            asked.traceparent, asked.tracestate, asked.token, asked.pairs)
    if call.traceparent is None and _propagate is not None:
        carrier = {}
        _propagate.inject(carrier)
        call.traceparent, call.tracestate = carrier.get("traceparent"), carrier.get("tracestate")
    if call.traceparent is None and served is not None:
        call.traceparent, call.tracestate = served.traceparent, served.tracestate
    deadlines = [_deadline()]
    left = async_.Timeout(getattr(_local, "timeout", None)).timeleft()
    if left is not None:
        deadlines.append(time.monotonic() + left)
    call.deadline = min((d for d in deadlines if d is not None), default=None)
    return _fields(call)


def _fields(call):
    fields = b""
    for tag, text in ((_TRACEPARENT, call.traceparent), (_TRACESTATE, call.tracestate)):
        if text:
            if not all(" " <= c <= "~" for c in text):
                raise ValueError("trace context that is not printable ASCII: {!r}".format(text))
            fields += _field(tag, text.encode("ascii"))
    if call.token:
        fields += _field(_TOKEN, call.token.encode("utf-8"))
    if call.deadline is not None:
        fields += _field(_REMAINING, struct.pack("!Q", int(call.remaining() * 1e6)))
    for name, value in sorted(call.pairs.items()):
        key = name.encode("utf-8")
        if not 0 < len(key) < 256:
            raise ValueError("the name of a pair has 1 to 255 bytes: {!r}".format(name))
        fields += _field(_PAIR, bytes([len(key)]) + key + value.encode("utf-8"))
    return fields


def _field(tag, value):
    if len(value) > MAX_TRAILER:
        raise ValueError("more than 8 KiB of metadata")
    return struct.pack("!BH", tag, len(value)) + value


def _encode(fields):
    if len(fields) + _FOOT > MAX_TRAILER:
        raise ValueError("more than 8 KiB of metadata")
    return fields + struct.pack("!HB", len(fields), _VERSION) + _MAGIC


def _parse(data):
    """The kind of a message, its number, and where its value ends."""
    if data[0] <= consts.MSG_EXCEPTION:  # RPyC 6
        stream = io.BytesIO(data)
        stream.seek(1)
        return data[0], brine._load(stream)[0], stream.tell()
    stream = io.BytesIO(data)
    kind, seq, _ = brine._load(stream)
    return kind, seq, stream.tell()


def _decode(trailer):
    """The fields of a trailer as pairs of tag and value, texts decoded; None if it is none, or malformed."""
    size = len(trailer) - _FOOT
    if size < 0 or len(trailer) > MAX_TRAILER or trailer[size:] != struct.pack("!HB", size, _VERSION) + _MAGIC:
        return None
    fields, at = [], 0
    try:
        while at < size:
            tag, n = struct.unpack_from("!BH", trailer, at)
            value, at = trailer[at + 3:at + 3 + n], at + 3 + n
            if at > size or tag in (_REMAINING, _CANCEL) and n != 8 or tag == _PAIR and not 0 < value[0] < n:
                return None
            if tag in (_TRACEPARENT, _TRACESTATE, _TOKEN):
                value = value.decode("utf-8" if tag == _TOKEN else "ascii")
                if tag != _TOKEN and not all(" " <= c <= "~" for c in value):
                    return None
            elif tag == _PAIR:
                value = value[1:1 + value[0]].decode("utf-8"), value[1 + value[0]:].decode("utf-8")
            fields.append((tag, value))
    except (struct.error, UnicodeDecodeError, IndexError):
        return None
    return fields


def _call(conn, fields):
    call = Call(conn)
    for tag, value in fields:
        if tag == _TRACEPARENT:
            call.traceparent = value
        elif tag == _TRACESTATE:
            call.tracestate = value
        elif tag == _TOKEN:
            call.token = value
        elif tag == _REMAINING:
            call.deadline = time.monotonic() + struct.unpack("!Q", value)[0] / 1e6
        elif tag == _PAIR:
            call.pairs[value[0]] = value[1]
    return call
