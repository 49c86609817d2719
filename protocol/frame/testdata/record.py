"""Records the frames an installed rpyc writes, one JSON object per line.

    python record.py > frames.jsonl
    other/bin/python record.py >> frames.jsonl   # a further release

A row gives the payload (`unit` hex repeated `count` times, or `lcg` pseudo-random
bytes: x=12345; repeat x=(x*1103515245+12345)&0x7fffffff, byte=(x>>16)&0xff), whether compression
was allowed, the frame's flag and body length, the sizes of the single writes, and the
frame itself if it is short. Needs nothing but rpyc and the standard library.
"""
import json
import sys
from binascii import hexlify, unhexlify

import rpyc
from rpyc.core.channel import Channel
from rpyc.core.stream import SocketStream

ENV = "py%d.%d/rpyc-%s" % (sys.version_info[:2] + (".".join(map(str, rpyc.version.version)),))


class Sink(object):
    MAX_IO_CHUNK = SocketStream.MAX_IO_CHUNK

    def __init__(self):
        self.writes = []

    def write(self, data):
        self.writes.append(bytes(data))


def lcg(n):
    x, out = 12345, bytearray()
    for _ in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        out.append((x >> 16) & 0xFF)
    return bytes(out)


def record(payload, row):
    for compress in (True, False):
        sink = Sink()
        Channel(sink, compress).send(payload)
        frame = b"".join(sink.writes)
        out = {"env": ENV, "compress": compress}
        out.update(row)
        out["flag"] = bytearray(frame)[4]
        out["body_len"] = len(frame) - 6
        out["writes"] = [len(w) for w in sink.writes]
        if len(frame) < 500:
            out["frame"] = hexlify(frame).decode("ascii")
        print(json.dumps(out))


for unit, count in (("61", 0), ("61", 1), ("6162", 5), ("7a", 2999), ("7a", 3000), ("7a", 3001),
                    ("7a", 5000), ("7a", 63994), ("7a", 63995), ("7a", 100000)):
    record(unhexlify(unit) * count, {"unit": unit, "count": count})
for n in (3000, 3001, 63990, 63995, 130000):
    record(lcg(n), {"lcg": n})
