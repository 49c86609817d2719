"""gorpyc's handshakes with a token and with a key, for RPyC programs of any release.

A client says who it is before RPyC begins:

    conn = rpyc_auth.connect("localhost", 18861, rpyc_auth.say_hmac, "ann", b"a key of 16 bytes or more")
    conn = rpyc_auth.connect("localhost", 18861, rpyc_auth.say_token, b"a-token-of-16-bytes-or-more")

A server of RPyC's own gets one of the authenticators:

    ThreadedServer(Service, port=18861, authenticator=rpyc_auth.hmac_authenticator({"ann": [b"a key of ..."]}))

Copy what is needed. What goes over the wire is described in gorpyc's package protocol/transport/auth.
"""
import binascii
import hashlib
import hmac
import os
import socket

import rpyc
from rpyc.core.stream import SocketStream
from rpyc.utils.authenticators import AuthenticationError


def read_line(sock):  # and not a byte more: what follows is RPyC's
    line = b""
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        if not byte or len(line) == 1024:
            raise EOFError("the other end does not follow the handshake")
        line += byte
    return line[:-1].split(b" ")


def proof(key, *fields):
    return binascii.hexlify(hmac.new(key, b" ".join((b"RPYC-HMAC-SHA256",) + fields), hashlib.sha256).digest())


def expect(sock, *answer):
    got = read_line(sock)
    if got != list(answer):
        raise AuthenticationError(b" ".join(got).decode("ascii", "replace"))


def say_token(sock, token):
    sock.sendall(b"RPYC-TOKEN " + token + b"\n")
    expect(sock, b"RPYC-OK")


def say_hmac(sock, name, key):
    name, theirs, ours = name.encode("utf-8"), read_line(sock)[-1], binascii.hexlify(os.urandom(32))
    sock.sendall(b" ".join([name, ours, proof(key, b"client", theirs, ours, name)]) + b"\n")
    expect(sock, b"RPYC-OK", proof(key, b"server", theirs, ours, name))


def connect(host, port, say, *secret, **options):
    sock = socket.create_connection((host, port))
    try:
        say(sock, *secret)
    except BaseException:
        sock.close()
        raise
    return rpyc.connect_stream(SocketStream(sock), **options)


def token_authenticator(tokens):
    """tokens: {name: [token, ...]}; the credentials are the name."""
    def authenticate(sock):
        said = read_line(sock)
        token = said[1] if len(said) == 2 and said[0] == b"RPYC-TOKEN" else b""
        names = [name for name, keys in tokens.items() for key in keys if hmac.compare_digest(key, token)]
        sock.sendall(b"RPYC-OK\n" if names else b"RPYC-NO unknown token\n")
        if not names:
            raise AuthenticationError("unknown token")
        return sock, names[0]
    return authenticate


def hmac_authenticator(keys):
    """keys: {name: [key, ...]}; the credentials are the name."""
    def authenticate(sock):
        ours = binascii.hexlify(os.urandom(32))
        sock.sendall(b"RPYC-HMAC-SHA256 " + ours + b"\n")
        name, theirs, given = (read_line(sock) + [b"", b""])[:3]
        for key in keys.get(name.decode("utf-8", "replace"), []):
            if hmac.compare_digest(given, proof(key, b"client", ours, theirs, name)):
                sock.sendall(b"RPYC-OK " + proof(key, b"server", ours, theirs, name) + b"\n")
                return sock, name.decode("utf-8")
        sock.sendall(b"RPYC-NO unknown name or wrong key\n")
        raise AuthenticationError("unknown name or wrong key")
    return authenticate
