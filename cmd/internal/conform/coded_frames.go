package conform

import (
	"bytes"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// observation is what must hold in each message that the peer sends, whatever is checked with it.
type observation struct {
	id    string
	level Level
}

var observations = []observation{
	{"frames.length", Core}, {"frames.newline", Core}, {"frames.flag", Core}, {"frames.zlib", Core},
	{"brine.shortest", Core}, {"messages.brine", Core}, {"messages.form", Core}, {"messages.once", Core},
	{"boxing.label", Core}, {"boxing.byvalue", Core}, {"boxing.identity", Core}, {"boxing.reference", Core},
	{"references.del", Core}, {"references.count", Core}, {"exceptions.form", Core}, {"exceptions.private", Core},
}

// codedChecks are those that no row of a table can say.
func codedChecks() []*check {
	return append(append(frameChecks(), referenceChecks()...), append(exceptionChecks(), lifeChecks()...)...)
}

// plainPing is a ping with any sequence number.
func (p *peer) plainPing(seq, data any) []byte {
	return p.encode(wire.Request, seq, tuple(int64(wire.HandlePing), tuple(int64(wire.LabelValue), tuple(data))))
}

// wantReply waits for a reply with this sequence number and this value.
func (t *trial) wantReply(seq, value any) {
	for len(t.unknown) == 0 {
		t.must(t.step())
	}
	m := t.unknown[0]
	t.unknown = t.unknown[1:]
	if !equal(m.seq, seq) {
		t.failf("want an answer to request %s, got one to %s", short(seq), short(m.seq))
	}
	if m.kind != wire.Reply {
		t.failf("want %s, got an exception: %s", short(value), short(m.body))
	}
	v, err := t.unbox(m.body)
	t.must(err)
	t.wants("the reply", v, value)
}

// wantException waits for an exception with this sequence number.
func (t *trial) wantException(seq any) error {
	for len(t.unknown) == 0 {
		t.must(t.step())
	}
	m := t.unknown[0]
	t.unknown = t.unknown[1:]
	if m.kind != wire.Exception || !equal(m.seq, seq) {
		t.failf("want an exception for request %s, got %s to request %s", short(seq), short(m.body), short(m.seq))
	}
	return t.exception(m.body)
}

// alive fails the check if the connection answers no longer.
func (t *trial) alive() {
	t.wants("ping", t.value(t.ask(wire.HandlePing, "still there?")), "still there?")
}

func frameChecks() []*check {
	const seq = "s" // no number of a request of ours
	frames := func(id string, run func(t *trial)) *check { return &check{id: id, level: Core, run: run} }
	list := []*check{
		frames("frames.split_anywhere", func(t *trial) {
			b := framed(t.plainPing(seq, "split"), 0, '\n')
			for cut := 1; cut < len(b); cut += 2 {
				t.must(t.write(b[:cut]))
				t.must(t.write(b[cut:]))
				t.wantReply(seq, "split")
			}
		}),
		frames("frames.many_in_a_write", func(t *trial) {
			var b []byte
			for n := range 200 {
				b = append(b, framed(t.plainPing("n"+show(int64(n)), int64(n)), 0, '\n')...)
			}
			t.must(t.write(b))
			for n := range 200 {
				t.wantReply("n"+show(int64(n)), int64(n))
			}
		}),
		frames("frames.compressed", func(t *trial) {
			for _, level := range []int{0, 1, 9} {
				t.must(t.write(framed(squeezed(t.plainPing(seq, "z"), level), 1, '\n')))
				t.wantReply(seq, "z")
			}
		}),
		frames("frames.any_flag_is_compressed", func(t *trial) {
			for _, flag := range []byte{2, 128, 255} {
				t.must(t.write(framed(squeezed(t.plainPing(seq, "z"), 1), flag, '\n')))
				t.wantReply(seq, "z")
			}
		}),
		frames("frames.bytes_after_compressed", func(t *trial) {
			t.must(t.write(framed(append(squeezed(t.plainPing(seq, "z"), 1), "garbage"...), 1, '\n')))
			t.wantReply(seq, "z")
		}),
		frames("frames.long_compressed", func(t *trial) {
			data := bytes.Repeat([]byte("0123456789"), 100_000)
			t.must(t.write(framed(squeezed(t.plainPing(seq, data), 1), 1, '\n')))
			t.wantReply(seq, data)
		}),
		frames("frames.long_plain", func(t *trial) {
			for _, n := range []int{2980, 3000, 3001, 3020, 63_990, 64_000, 64_010, 1 << 20} {
				data := noise(n)
				t.must(t.send(t.plainPing(seq, data)))
				t.wantReply(seq, data)
			}
		}),
		frames("frames.empty_is_ignored", func(t *trial) {
			t.must(t.write(framed(nil, 0, '\n')))
			t.must(t.write(framed(squeezed(nil, 1), 1, '\n')))
			t.alive()
		}),
		frames("frames.any_last_byte", func(t *trial) {
			t.must(t.write(framed(t.plainPing(seq, "t"), 0, 'X')))
			t.wantReply(seq, "t")
			t.alive()
		}),
		frames("messages.bytes_after_value", func(t *trial) {
			t.must(t.send(append(t.plainPing(seq, "t"), 7, 7)))
			t.wantReply(seq, "t")
		}),
		frames("messages.sequence_is_echoed", func(t *trial) {
			for _, s := range []any{int64(-5), "text", nil, new(big.Int).Lsh(big.NewInt(1), 100), tuple(int64(1), "a"), 1.5} {
				t.must(t.send(t.plainPing(s, "x")))
				t.wantReply(s, "x")
			}
		}),
		frames("messages.sequence_may_come_again", func(t *trial) {
			for range 3 {
				t.must(t.send(t.plainPing(seq, "x")))
				t.wantReply(seq, "x")
			}
		}),
		frames("messages.in_order", func(t *trial) {
			for n := range 50 {
				t.must(t.send(t.plainPing(tuple(int64(n)), int64(n))))
			}
			for n := range 50 {
				t.wantReply(tuple(int64(n)), int64(n))
			}
		}),
		frames("messages.arguments_item_by_item", func(t *trial) {
			t.must(t.send(t.encode(wire.Request, seq, brine.Tuple{int64(wire.HandlePing),
				brine.Tuple{int64(wire.LabelTuple), tuple(brine.Tuple{int64(wire.LabelValue), "t"})}})))
			t.wantReply(seq, "t")
		}),
		frames("messages.label_as_bool", func(t *trial) {
			t.must(t.send(t.encode(wire.Request, seq, brine.Tuple{int64(wire.HandlePing), brine.Tuple{true, tuple("t")}})))
			t.wantReply(seq, "t")
		}),
		frames("messages.malformed_is_answered", func(t *trial) {
			for _, body := range []any{
				tuple(int64(1), tuple(int64(9), tuple("x"))), tuple(int64(1), tuple(int64(1), tuple(), int64(3))),
				tuple(int64(1), tuple(int64(1), int64(5))), tuple(int64(1)), nil, int64(5),
				tuple(int64(1), tuple(int64(2), tuple(tuple(int64(9), "x")))),
			} {
				t.must(t.send(t.encode(wire.Request, seq, body)))
				_ = t.wantException(seq)
			}
			t.alive()
		}),
		frames("messages.answer_nobody_waits_for", func(t *trial) {
			t.must(t.send(t.encode(wire.Reply, int64(777_777), tuple(int64(1), "nobody asked"))))
			t.must(t.send(t.encode(wire.Exception, int64(777_778),
				tuple(tuple("builtins", "KeyError"), tuple("x"), tuple(), "t"))))
			t.alive()
		}),
		frames("brine.odd_forms", func(t *trial) {
			whole := t.plainPing(seq, "MARK")
			mark, _ := brine.Marshal("MARK")
			for _, odd := range []struct {
				form string
				want any
			}{
				{"\x16\x03 +5", int64(5)}, {"\x17\x00\x00\x00\x017", int64(7)}, {"\x16\x04-0_1", int64(-1)}, {"\x14\x00", tuple()},
				{"\x15\x00\x00\x00\x01\x51", tuple(int64(1))}, {"\x0f\x00\x00\x00\x01x", []byte("x")}, {"\x0e\x00", []byte{}},
				{"\x08\x0e\x02ab", "ab"}, {"\x1a\x15\x00\x00\x00\x00", brine.FrozenSet{}},
			} {
				t.must(t.send(bytes.Replace(whole, mark, []byte(odd.form), 1)))
				t.wantReply(seq, odd.want)
			}
		}),
		frames("handlers.number_as_float", func(t *trial) {
			t.must(t.send(t.encode(wire.Request, seq, tuple(1.0, tuple(int64(1), tuple("x"))))))
			t.wantReply(seq, "x")
		}),
		frames("handlers.keywords_in_either_form", func(t *trial) {
			f := ourFunction(t.peer)
			want := tuple(tuple(int64(1)), tuple(tuple("b", int64(2))))
			v := t.value(t.ask(wire.HandleCall, f, tuple(int64(1)), tuple(tuple("b", int64(2)))))
			t.wants("by value", v, want)
			boxed := as{int64(2), tuple(tuple(int64(2), tuple(tuple(int64(1), "b"), tuple(int64(1), int64(2)))))}
			t.wants("item by item", t.value(t.ask(wire.HandleCall, f, tuple(int64(1)), boxed)), want)
			t.wants("left out", t.value(t.ask(wire.HandleCall, f, tuple(int64(1)))), tuple(tuple(int64(1)), tuple()))
		}),
	}
	return list
}

// noise is n bytes that no compression makes shorter, the same each time.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x >> 8)
	}
	return b
}
