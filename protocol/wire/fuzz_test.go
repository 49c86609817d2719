package wire_test

import (
	"bytes"
	"testing"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// FuzzRead reads arbitrary payloads with every function that reads. Nothing may panic, and what was read without an
// error is written back to bytes that mean the same.
func FuzzRead(f *testing.F) {
	pack := brine.Tuple{"builtins.list", int64(1), int64(2)}
	for _, d := range families {
		for _, seq := range []any{int64(0), "odd", brine.Tuple{nil}} {
			f.Add(message(f, d, wire.Request, seq, brine.Tuple{int64(3), boxed(wire.LabelValue, brine.Tuple{})}))
			f.Add(message(f, d, wire.Request, seq, brine.Tuple{int64(16), boxed(wire.LabelValue, brine.Tuple{pack})}))
			f.Add(message(f, d, wire.Reply, seq, boxed(wire.LabelRemoteRef, pack)))
			f.Add(message(f, d, wire.Reply, seq, boxed(wire.LabelLocalRef, brine.Tuple{[]byte("x"), 1.5, nil, nil})))
			f.Add(message(f, d, wire.Reply, seq, boxed(wire.LabelTuple,
				brine.Tuple{boxed(wire.LabelValue, 1.5), boxed(9, nil)})))
			f.Add(message(f, d, wire.Exception, seq, brine.Tuple{brine.Tuple{"builtins", "KeyError"}, brine.Tuple{"k"},
				brine.Tuple{}, "tb"}))
			f.Add(message(f, d, wire.Exception, seq, int64(1)))
		}
	}
	f.Add([]byte{})
	f.Add([]byte{0x01, 0x15, 0xff, 0xff, 0xff, 0xff})
	f.Add(bytes.Repeat([]byte{0x10}, 2000))
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, _ = wire.Detect(payload)
		for _, d := range families {
			var p wire.Dumper
			first := p.Dump(d, payload)
			if again := p.Dump(d, payload); again != first {
				t.Fatalf("%s, then %s", first, again)
			}
			kind, seq, body, err := d.ReadHeader(payload)
			if err != nil {
				continue
			}
			rest := body
			raw, err := rest.Raw()
			if err != nil {
				t.Fatalf("the body was checked, but %v", err)
			}
			k, s, _, err := d.ReadHeader(append(d.AppendHeader(nil, kind, seq), raw...))
			if err != nil || k != kind || s != seq {
				t.Fatalf("%v %v became %v %v, %v", kind, seq, k, s, err)
			}
			if kind == wire.Request {
				if _, _, err := d.ReadHandler(&body); err != nil {
					continue
				}
			}
			readBoxed(t, d, &body, 0)
		}
	})
}

func readBoxed(t *testing.T, d *wire.Dialect, c *brine.Cursor, depth int) {
	l, err := d.ReadLabel(c)
	if err != nil || depth > 400 {
		return
	}
	switch l {
	case wire.LabelValue:
		if _, err := c.Value(); err != nil {
			t.Fatalf("the body was checked, but %v", err)
		}
	case wire.LabelTuple:
		if c.Kind() != brine.KindTuple {
			return
		}
		n, err := c.Tuple()
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			readBoxed(t, d, c, depth+1)
		}
	default:
		var names wire.Names
		r, err := d.ReadRef(c, &names)
		if err != nil {
			return
		}
		back := brine.NewCursor(d.AppendRef(nil, r))
		if again, err := d.ReadRef(&back, &names); err != nil || again != r {
			t.Fatalf("%v became %v, %v", r, again, err)
		}
		_, _ = r.String(), r.Tuple()
	}
}
