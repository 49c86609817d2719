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
// The package does no I/O and keeps no state; everything in it is safe for concurrent use unless said otherwise.
// Its counterparts are rpyc.core.consts, rpyc.lib.get_id_pack and the packing done in rpyc.core.protocol.
package wire
