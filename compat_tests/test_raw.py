"""Raw sockets: the forms a peer may use, the mistakes it may make, and what they may not do to others."""
import os
import random
import struct

import pytest
import rpyc
from rpyc.core import brine, consts

import raw
from harness import eventually
from raw import LOCAL, REMOTE, REPLY, EXCEPTION, REQUEST, TUPLE, VALUE, Peer, frame, message, plain, request, squeezed

LIST = "builtins.list"
FUNCTION = "builtins.function"


@pytest.fixture
def peer(server):
    found = Peer(server)
    yield found
    found.close()


@pytest.fixture
def others_live(server):
    """At the end of the test, an ordinary client must be served: an old connection as well as a new one."""
    old = rpyc.connect(server.host, server.port)
    assert old.root.add(1, 1) == 2
    yield
    assert old.root.add(1, 2) == 3
    old.close()
    new = rpyc.connect(server.host, server.port)
    assert new.root.add(1, 2) == 3
    new.close()


def test_a_conversation(peer):
    label, pack = peer.root()
    assert pack[0] == "behaviour_service.BehaviourService"
    assert pack[2] != 0
    assert peer.call("add", (VALUE, 2), (VALUE, 3)) == (VALUE, 5)
    assert peer.root() == (label, pack)  # one object, one id


# Unusual, but allowed.

@pytest.mark.parametrize("seq", [0, -5, "text", None, 10 ** 40, (1, "a"), 1.5], ids=repr)
def test_the_sequence_number_is_echoed(peer, seq):
    peer.send(plain(seq, consts.HANDLE_PING, "x"))
    assert peer.answer(seq) == ("reply", (VALUE, "x"))


def test_a_sequence_number_may_come_again(peer):
    for _ in range(3):
        peer.send(plain(7, consts.HANDLE_PING, "x"))
        assert peer.answer(7) == ("reply", (VALUE, "x"))


def test_byte_by_byte(peer):
    for byte in frame(plain(1, consts.HANDLE_PING, "slow")):
        peer.sock.sendall(bytes([byte]))
    assert peer.answer(1) == ("reply", (VALUE, "slow"))


def test_many_frames_in_one_write(peer):
    peer.sock.sendall(b"".join(frame(plain(seq, consts.HANDLE_PING, seq)) for seq in range(200)))
    for seq in range(200):
        assert peer.answer(seq) == ("reply", (VALUE, seq))


def test_a_frame_split_anywhere(peer):
    data = frame(plain(1, consts.HANDLE_PING, "split")) + frame(plain(2, consts.HANDLE_PING, "again"))
    for cut in range(1, len(data) - 1, 3):
        peer.sock.sendall(data[:cut])
        peer.sock.sendall(data[cut:])
        assert peer.answer(1) == ("reply", (VALUE, "split"))
        assert peer.answer(2) == ("reply", (VALUE, "again"))


@pytest.mark.parametrize("flag", [1, 2, 255])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_any_flag_means_compressed(peer, flag, level):
    peer.send(squeezed(plain(1, consts.HANDLE_PING, "z"), level), flag=flag)
    assert peer.answer(1) == ("reply", (VALUE, "z"))


def test_bytes_after_the_compressed_stream_are_ignored(peer):
    peer.send(squeezed(plain(1, consts.HANDLE_PING, "z")) + b"garbage", flag=1)
    assert peer.answer(1) == ("reply", (VALUE, "z"))


def test_empty_frames_are_ignored(peer):
    peer.send(b"")
    peer.send(squeezed(b""), flag=1)
    assert peer.alive()


def test_the_trailing_byte_does_not_matter(peer):
    peer.send(plain(1, consts.HANDLE_PING, "t"), trailer=b"X")
    assert peer.answer(1) == ("reply", (VALUE, "t"))
    assert peer.alive()


def test_bytes_after_the_message_are_ignored(peer):
    peer.send(plain(1, consts.HANDLE_PING, "t") + b"\x07\x07")
    assert peer.answer(1) == ("reply", (VALUE, "t"))


def test_noncanonical_integers_and_lengths(peer):
    # ping(5) with 5 as text with a sign and blanks; in an explicit-length tuple
    body = plain(1, consts.HANDLE_PING, "MARK")
    mark = brine.dump("MARK")
    for odd, value in ((b"\x16\x03 +5", 5), (b"\x17\x00\x00\x00\x01" + b"7", 7), (b"\x16\x04-0_1", -1),
                       (b"\x14\x00", ()),
                       (b"\x15\x00\x00\x00\x01\x51", (1,)), (b"\x0f\x00\x00\x00\x01x", b"x"), (b"\x0e\x00", b""),
                       (b"\x08\x0e\x02ab", "ab")):
        peer.send(body.replace(mark, odd))
        assert peer.answer(1) == ("reply", (VALUE, value)), odd


def test_arguments_in_either_form(peer):
    peer.send(plain(1, consts.HANDLE_PING, "v"))
    assert peer.answer(1) == ("reply", (VALUE, "v"))
    peer.send(request(2, consts.HANDLE_PING, (VALUE, "t")))
    assert peer.answer(2) == ("reply", (VALUE, "t"))
    peer.send(message(REQUEST, 3, (consts.HANDLE_PING, (VALUE, "s"))))  # text is spread as arguments
    assert peer.answer(3) == ("reply", (VALUE, "s"))


def test_keyword_arguments_in_either_form(peer):
    add = peer.method("add")
    assert peer.ask(consts.HANDLE_CALL, add, (VALUE, (1,)), (VALUE, (("b", 2),))) == (VALUE, 3)
    boxed = (TUPLE, ((TUPLE, ((VALUE, "b"), (VALUE, 5))),))
    assert peer.ask(consts.HANDLE_CALL, add, (TUPLE, ((VALUE, 1),)), boxed) == (VALUE, 6)
    assert peer.ask(consts.HANDLE_CALL, add, (VALUE, (1, 2))) == (VALUE, 3)


# Mistakes that are answered; the connection goes on.

def test_malformed_requests_are_answered(peer):
    assert peer.refused(99) == ("KeyError", (99,))
    assert peer.refused(consts.HANDLE_PING)[0] == "TypeError"
    assert peer.refused(consts.HANDLE_REPR, (LOCAL, (LIST, 1, 2)))[0] == "KeyError"
    assert peer.refused(consts.HANDLE_DEL, (LOCAL, (LIST, 1, 2)), (VALUE, 1))[0] == "KeyError"
    assert peer.refused(consts.HANDLE_INSPECT, (VALUE, (LIST, 1, 2)))[0] == "KeyError"
    assert peer.refused(consts.HANDLE_GETATTR, peer.root(), (VALUE, 5)) == ("TypeError", ("name must be a string",))
    for body in ((consts.HANDLE_PING, (9, ("x",))), (consts.HANDLE_PING, ("1", ("x",))),
                 (consts.HANDLE_PING, (1, (), 3)),
                 (consts.HANDLE_PING, (VALUE, 5)), (consts.HANDLE_PING,), None, 5):
        peer.send(message(REQUEST, 5, body))
        kind, payload = peer.answer(5)
        assert kind == "exception" and len(payload) == 4, (body, payload)
    assert peer.alive()


def test_odd_references_are_answered(peer):
    label, (name, class_id, object_id) = peer.root()
    for pack in ((name + "x", class_id, object_id), (name, class_id, object_id + 1), (name, class_id), "text", 5, None,
                 ()):
        peer.seq += 1
        peer.send(request(peer.seq, consts.HANDLE_REPR, (LOCAL, pack)))
        assert peer.answer(peer.seq)[0] == "exception", pack
    assert peer.alive()


@pytest.mark.parametrize("count", [0, -3, 1, 5, 10 ** 30, "x", None, 1.5], ids=repr)
def test_odd_counts_do_no_harm(peer, count):
    label, pack = peer.call("get_list")
    peer.seq += 1
    peer.send(request(peer.seq, consts.HANDLE_DEL, (LOCAL, pack), (VALUE, count)))
    peer.answer(peer.seq)
    assert peer.alive()
    assert peer.call("add", (VALUE, 1), (VALUE, 2)) == (VALUE, 3)


def test_a_released_reference_is_gone(peer):
    label, pack = peer.call("get_list")
    assert peer.ask(consts.HANDLE_REPR, (LOCAL, pack)) == (VALUE, "[1, 2, 3]")
    peer.ask(consts.HANDLE_DEL, (LOCAL, pack), (VALUE, 1))
    assert peer.refused(consts.HANDLE_REPR, (LOCAL, pack))[0] == "KeyError"


def test_counts_are_additive(peer):
    shared = [peer.call("shared_list") for _ in range(4)]
    assert len(set(shared)) == 1
    pack = shared[0][1]
    peer.ask(consts.HANDLE_DEL, (LOCAL, pack), (VALUE, 3))
    assert peer.ask(consts.HANDLE_REPR, (LOCAL, pack)) == (VALUE, "[1, 2, 3]")
    peer.ask(consts.HANDLE_DEL, (LOCAL, pack), (VALUE, 1))
    assert peer.refused(consts.HANDLE_REPR, (LOCAL, pack))[0] == "KeyError"


def test_the_root_can_be_had_again_after_its_release(peer):
    root = peer.root()
    peer.ask(consts.HANDLE_DEL, root, (VALUE, 1))
    assert peer.call("add", (VALUE, 1), (VALUE, 2)) == (VALUE, 3)


def test_references_of_one_connection_mean_nothing_on_another(server, peer):
    label, pack = peer.call("shared_list")
    stranger = Peer(server)
    try:
        assert stranger.refused(consts.HANDLE_REPR, (LOCAL, pack))[0] == "KeyError"
    finally:
        stranger.close()


# References of the peer's.

def taken_back(peer, pack):
    """Waits until the server has given this reference back and returns how often it did."""
    eventually(lambda: peer.alive() and peer.released[pack], what="DEL of %r" % (pack,))
    peer.alive()
    return peer.released[pack]


@pytest.mark.parametrize("name", [LIST, FUNCTION, "builtins.object"])
def test_every_arrival_is_taken_back(peer, name):
    pack = (name, 4001, 4002)
    echo_type = peer.method("echo_type")
    for _ in range(5):
        peer.send(request(7, consts.HANDLE_CALL, echo_type, (TUPLE, ((REMOTE, pack),)), (VALUE, ())))
    for _ in range(5):
        assert peer.answer(7) == ("reply", (VALUE, "netref"))
    eventually(lambda: peer.alive() and peer.released[pack] >= 5, what="5 DELs of %r" % (pack,))
    assert peer.alive() and peer.released[pack] == 5


def test_a_reference_comes_back_as_it_was_sent(peer):
    echo = peer.method("echo")
    for pack in ((LIST, 1, 2), (FUNCTION, 2 ** 63, 2 ** 64), (LIST, -1, -2), (FUNCTION, 5, 10 ** 30)):
        peer.send(request(8, consts.HANDLE_CALL, echo, (TUPLE, ((REMOTE, pack),)), (VALUE, ())))
        assert peer.answer(8) == ("reply", (LOCAL, pack))


def test_late_replies_are_dropped_and_their_references_released(peer):
    peer.send(message(REPLY, 777, (VALUE, "nobody asked")))
    peer.send(message(EXCEPTION, 778, (("builtins", "KeyError"), ("x",), (), "text")))
    assert peer.call("add", (VALUE, 2), (VALUE, 3)) == (VALUE, 5)  # by which it also shows its protocol family
    pack = (LIST, 5001, 5002)
    peer.send(message(REPLY, 779, (REMOTE, pack)))
    assert taken_back(peer, pack) == 1
    assert peer.alive()


# Callbacks by hand.

def called(peer):
    """Has the server call our function, with request 50; returns the sequence number of the server's request."""
    call = peer.method("call_catching")
    peer.send(request(50, consts.HANDLE_CALL, call, (TUPLE, ((REMOTE, (FUNCTION, 6001, 6002)),)), (VALUE, ())))
    kind, seq, (handler, (label, value)) = peer.receive()
    assert (kind, handler) == (REQUEST, consts.HANDLE_CALL)
    return seq


@pytest.mark.parametrize("payload, expected", [
    (1, ("StopIteration", ())),
    ((("builtins", "ValueError"), ("a", 1), (), "Traceback"), ("ValueError", ("a", 1))),
    ((("builtins", "KeyError"), ("k",), (("extra", 5),), ""), ("KeyError", ("k",))),
    ((("elsewhere", "Strange"), (1, (2,)), (("_private", 1),), "text"), ("elsewhere.Strange", (1, (2,)))),
    ((("builtins", "OSError"), (2, "no"), (("errno", 2), ("filename", "/x")), "t"), ("OSError", (2, "no"))),
], ids=["stop", "value", "key", "strange", "os"])
def test_answers_that_are_exceptions(peer, payload, expected):
    seq = called(peer)
    peer.send(message(EXCEPTION, seq, payload))
    assert peer.answer(50) == ("reply", (VALUE, expected))
    assert peer.alive()


def test_requests_are_served_while_the_server_waits(peer):
    bump = peer.method("bump")
    seq = called(peer)
    for n in range(1, 6):
        peer.send(request(100 + n, consts.HANDLE_CALL, bump, (VALUE, ()), (VALUE, ())))
        assert peer.answer(100 + n) == ("reply", (VALUE, n))
    peer.send(message(REPLY, seq, (VALUE, "done")))
    assert peer.answer(50) == ("reply", (VALUE, ("ok", "done")))


def test_a_close_ends_a_waiting_call(server, tag, logged):
    peer = Peer(server)
    peer.call("tag", (VALUE, tag))
    called(peer)
    peer.send(message(REQUEST, 60, (consts.HANDLE_CLOSE, (VALUE, ()))))
    assert peer.ended()
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")
    peer.close()


def test_a_lost_socket_ends_a_waiting_call(server, tag, logged):
    peer = Peer(server)
    peer.call("tag", (VALUE, tag))
    called(peer)
    peer.close()
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")


# Mistakes that may cost the connection, but nobody else's.

def test_close_closes_the_socket(peer):
    assert peer.alive()
    peer.send(plain(1, consts.HANDLE_CLOSE))
    assert peer.ended(5)


def test_the_end_of_the_stream_closes_the_socket(server, others_live):
    for sent in (b"", b"\0", b"\0\0\0\x10\0abc", frame(plain(1, consts.HANDLE_PING, "x"))[:-1]):
        peer = Peer(server)
        peer.sock.sendall(sent)
        peer.sock.shutdown(1)
        assert peer.ended(), sent
        peer.close()


PING = plain(1, consts.HANDLE_PING, "x")
KILLERS = {
    "unknown tag": frame(b"\x07" * 3),
    "empty tuple": frame(b"\x02"),
    "message type 0": frame(message(0, 1, (1, (1, ())))),
    "message type 4": frame(message(4, 1, (1, (1, ())))),
    "message type 255": frame(b"\xff" + brine.dump((1, (1, (1, ()))))),
    "no sequence number": frame(PING[:1] + brine.dump((1,)) if raw.BARE else brine.dump((1,))),
    "other family": frame(brine.dump((1, 0, (3, (1, ())))) if raw.BARE else b"\x01" + brine.dump((0, (3, (1, ()))))),
    "not brine": frame(b"GET / HTTP/1.1\r\n\r\n"),
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tls": bytes.fromhex("16030100a5010000a10303") + bytes(range(200)),
    "bad compression": frame(b"not zlib", flag=1),
    "compression cut short": frame(squeezed(PING * 50)[:-8], flag=1),
    "bad reply label": frame(message(REPLY, 77, (9, 5))),
    "bad exception": frame(message(EXCEPTION, 77, 5)),
    "bad utf8": frame(PING.replace(brine.dump("x"), b"\x08\x0b\xc3\x28")),
    "surrogate": frame(PING.replace(brine.dump("x"), b"\x08\x0c\xed\xa0\x80")),
    "bad integer": frame(PING.replace(brine.dump("x"), b"\x16\x02xy")),
    "5000 digits": frame(PING.replace(brine.dump("x"), b"\x17" + struct.pack(">L", 5000) + b"9" * 5000)),
    "deep tuples": frame(PING.replace(brine.dump("x"), b"\x10" * 50000 + b"\x02")),
    "tuple with a huge length": frame(PING.replace(brine.dump("x"), b"\x15\xff\xff\xff\xff")),
    "bytes with a huge length": frame(PING.replace(brine.dump("x"), b"\x0f\xff\xff\xff\xff")),
    "double cut short": frame(PING.replace(brine.dump("x"), b"\x18\0\0")),
    "huge frame": struct.pack(">LB", 0xffffffff, 0) + b"x" * 100,
    "huge compressed frame": struct.pack(">LB", 0xffffffff, 1) + b"x" * 100,
}


@pytest.mark.parametrize("name", sorted(KILLERS))
def test_garbage_harms_nobody_else(server, others_live, name):
    peer = Peer(server)
    try:
        peer.sock.sendall(KILLERS[name])
        peer.sock.shutdown(1)
        peer.ended(20)
    except OSError:  # it is gone already
        pass
    finally:
        peer.close()


@pytest.mark.parametrize("name", sorted(KILLERS))
def test_garbage_in_the_middle_of_a_conversation(server, others_live, name, tag, logged):
    peer = Peer(server)
    try:
        peer.call("tag", (VALUE, tag))
        called(peer)
        peer.sock.sendall(KILLERS[name])
        peer.sock.shutdown(1)
        peer.ended(20)
    except OSError:  # it is gone already
        pass
    finally:
        peer.close()
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")


def test_random_frames_harm_nobody_else(server, others_live):
    numbers = random.Random(20251121)
    seeds = [PING, request(1, consts.HANDLE_CALL, (LOCAL, (LIST, 1, 2)), (TUPLE, ((REMOTE, (LIST, 3, 4)),)),
                           (VALUE, ())),
             message(REPLY, 0, (TUPLE, ((VALUE, 1), (REMOTE, (FUNCTION, 1, 2))))),
             message(EXCEPTION, 0, (("a", "B"), (1,), (("x", 2),), "tb"))]
    for _ in range(150):
        body = bytearray(numbers.choice(seeds))
        for _ in range(numbers.randint(1, 4)):
            body[numbers.randrange(len(body))] = numbers.randrange(256)
        peer = Peer(server, timeout=5)
        try:
            peer.send(bytes(body))
            peer.sock.shutdown(1)
        except OSError:
            pass
        finally:
            peer.close()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_announced_lengths_are_not_believed(fresh_server):
    def resident():
        with open("/proc/%d/status" % fresh_server.process.pid) as status:
            return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) // 1024
    before = resident()
    peers = [Peer(fresh_server) for _ in range(8)]
    for peer in peers:
        peer.sock.sendall(struct.pack(">LB", 0xfffffff0, 0) + b"x" * 1000)
    conn = rpyc.connect(fresh_server.host, fresh_server.port)
    for _ in range(20):
        assert conn.root.add(1, 2) == 3
    assert resident() < before + 256
    conn.close()
    for peer in peers:
        peer.close()
