// Package wire knows how RPyC messages, labels and id packs look on the wire. It is the leaf that the connection, the
// handles and every dumper of conversations share, and the only place where the differences between the protocol
// families live: one [Dialect] value per family answers every question of form.
//
// A message is a kind (request, reply, exception), a sequence number chosen by the requester and a body:
//
//	request    (handler number, boxed argument tuple)
//	reply      one boxed value
//	exception  an exception payload, which is not boxed (package vinegar)
//
// A boxed value is a pair of a [Label] and a value. Objects travel as id packs, here called [Ref].
//
//	family  releases       header                                    supported
//	A       3.0.0 – 3.4.4  brine of (kind, seq, body)                yes, see [Survey]
//	B       4.0.0 – 4.0.2  brine of (kind, seq, body)                yes, see [Survey]
//	C       4.1.0 – 5.3.1  brine of (kind, seq, body)                yes
//	D       6.0.0 –        one byte kind, then brine of (seq, body)  yes
//	E       rpyc-ng 7      as D                                      yes, see [Dialect.Settled]
//
// A2, B2 and C2 are the same on Python 2, where names are byte strings.
//
// # Trailers
//
// Every release ignores bytes behind the value that a message is. A [Trailer] uses that to carry what is no argument of
// the call: trace context, the time that the caller waits, a token, and that requests are given up. It stands inside
// the frame, before compression, and behind all else:
//
//	fields    tag (1 byte), length (2 bytes), value; any number of them
//	foot      length of all fields (2 bytes), version (1 byte: 1), magic (4 bytes: ff 52 4d 44)
//
//	tag  field        value
//	1    traceparent  printable ASCII, as in W3C Trace Context
//	2    tracestate   the same
//	3    remaining    8 bytes: how many microseconds the caller waits for the answer from now on
//	4    token        UTF-8
//	5    cancel       8 bytes: the number of a request of the sender's that it has given up; may be repeated
//	6    pair         length of a name (1 byte, not 0), the name, and its value, both UTF-8; may be repeated
//
// Numbers are big endian and, but for numbers of requests, unsigned. The foot included, a trailer has at most
// [MaxTrailer] bytes. It is one only if the value before it ends exactly where it begins: a byte string may end with
// the same bytes. Fields with other tags are skipped; what is malformed or of another version is ignored as a whole.
// The fields 1 to 4 and 6 are about the request they come with, and mean nothing on other messages.
//
// A side that reads trailers puts one, which may be empty, on its requests for the peer's root. Who gets one puts one
// on its next message, and both know then that the other reads them. No others are sent to a peer of which that is not
// known. A request is given up by a trailer on any message; if none is to be sent, on a PING.
//
// The package does no I/O and keeps no state; everything in it is safe for concurrent use unless said otherwise.
// Its counterparts are rpyc.core.consts, rpyc.lib.get_id_pack and the packing done in rpyc.core.protocol.
package wire
