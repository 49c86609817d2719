package protocol_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// nameOf is the encoding of a GETATTR of the root whose name is a tuple of n Nones. Unless all of them are given, they
// are to follow.
func nameOf(t *testing.T, root any, n uint32, all bool) []byte {
	b := []byte{byte(wire.Request), 0x11, 0x51} // the kind, a tuple of two, number 1
	b = append(b, 0x11, byte(0x50+wire.HandleGetAttr), 0x11, 0x52, 0x11)
	b, err := brine.Append(b, yours(root))
	require.NoError(t, err)
	b = append(b, 0x11, 0x51, 0x15)
	b = binary.BigEndian.AppendUint32(b, n)
	if all {
		b = append(b, make([]byte, n)...)
	}
	return b
}

func deflated(t *testing.T, payload []byte) []byte {
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, zlib.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(payload)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return z.Bytes()
}

// allocated returns how much memory is taken while f runs, by anybody.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestDeflatedName asks for an attribute whose name is a tuple of 2³⁰ Nones, which is about a megabyte when deflated
// and would take 17 GB. It meets the limit of inflated messages, and a smaller one that of decoded values.
func TestDeflatedName(t *testing.T) {
	c, p := scripted(t, nil, nil)
	root := p.root()
	// The stream is made by hand, as one piece that repeats: a deflate block of a MiB of zeros, and the header in
	// front.
	head := nameOf(t, root, 1<<30, false)
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, zlib.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	block := z.Bytes()[2:] // without zlib's header
	body := []byte{0x78, 0xda, 0, byte(len(head)), 0, ^byte(len(head)), 0xff}
	body = append(append(body, head...), bytes.Repeat(block, 1024)...)
	require.Less(t, len(body), 1100<<10)
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), 1)
	frame = append(append(frame, body...), '\n')
	took := allocated(func() {
		p.write(frame)
		p.expectEOF()
		<-c.Done()
	})
	var limit *protocol.LimitError
	require.ErrorAs(t, c.Err(), &limit)
	require.Equal(t, "inflated length", limit.What)
	require.Less(t, took, uint64(16<<20))

	c, p = scripted(t, nil, nil)
	payload := nameOf(t, p.root(), 60<<20, true)
	body = deflated(t, payload)
	frame = append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), 1)
	frame = append(append(frame, body...), '\n')
	took = allocated(func() {
		p.write(frame)
		p.expectException(int64(1), "builtins.MemoryError")
	})
	require.Less(t, took, uint64(len(payload)+16<<20), "what was inflated, and nothing of what it stands for")
	p.alive()
	require.Zero(t, c.Imported())

	// Below all limits a name is looked at before it is decoded.
	p.write(frameOf(nameOf(t, p.root(), 1<<20, true)))
	p.expectException(int64(1), "builtins.TypeError")
}

// heavyValues are encodings of about a megabyte that take a hundred times as much, or twenty times.
func heavyValues() map[string]string {
	members := make([]string, 1<<18)
	for i := range members {
		members[i] = fmt.Sprintf("\x0c%c%c%c", i&127, i>>7&127, i>>14)
	}
	return map[string]string{
		"a tuple":                "\x15\x00\x10\x00\x00" + strings.Repeat("\x00", 1<<20),
		"a frozenset":            "\x1a\x15\x00\x04\x00\x00" + strings.Join(members, ""),
		"slices of a frozenset":  "\x15\x00\x01\x00\x00" + strings.Repeat("\x19\x1a\x12\x50\x51\x52", 1<<16),
		"tuples in one another":  "\x15\x00\x00\x10\x00" + strings.Repeat(strings.Repeat("\x10", 200)+"\x00", 1<<12),
		"a long sequence number": "",
	}
}

// TestHeavyValues sends values that become large when decoded, as arguments and as results: the call fails and the
// connection goes on, without anything having been decoded.
func TestHeavyValues(t *testing.T) {
	limits := protocol.Limits{Decoded: 8 << 20}
	for name, value := range heavyValues() {
		t.Run(name, func(t *testing.T) {
			if value == "" {
				c, p := scripted(t, nil, &protocol.Config{Limits: limits})
				p.write(frameOf([]byte("\x01\x11\x15\x00\x10\x00\x00" + strings.Repeat("\x00", 1<<20) + "\x11\x53\x11\x51\x02")))
				p.expectEOF()
				var limit *protocol.LimitError
				require.ErrorAs(t, c.Err(), &limit)
				return
			}
			c, p := scripted(t, nil, &protocol.Config{Limits: limits})
			took := allocated(func() {
				p.write(frameOf([]byte("\x01\x11\x51\x11\x51\x11\x52\x10\x11\x51" + value))) // PING, boxed in a tuple
				p.expectException(int64(1), "builtins.MemoryError")

				r, err := c.Start(t.Context(), wire.HandlePing, "x")
				require.NoError(t, err)
				seq := p.next().payload[2] // a number of one byte
				p.write(frameOf([]byte("\x02\x11" + string(seq) + "\x11\x51" + value)))
				_, err = netref.Await[any](t.Context(), r)
				var limit *protocol.LimitError
				require.ErrorAs(t, err, &limit)
				require.Equal(t, limits.Decoded, limit.Limit)
				require.Greater(t, limit.Got, limit.Limit)
			})
			require.Less(t, took, uint64(16<<20))
			p.alive()
			require.NoError(t, c.Err())
		})
	}
}

// TestHeavyReferences sends more references than their handles may weigh, either way.
func TestHeavyReferences(t *testing.T) {
	limits := protocol.Limits{Decoded: 1 << 20} // 2048 handles
	c, p := scripted(t, nil, &protocol.Config{Limits: limits})
	refs := func(n int) brine.Tuple {
		boxed := make([]any, n)
		for i := range boxed {
			boxed[i] = mine(id("a.B", 1, int64(i+1)))
		}
		return tup(boxed...)
	}
	p.request(int64(1), wire.HandlePing, refs(2500))
	p.expectException(int64(1), "builtins.MemoryError")
	require.LessOrEqual(t, c.Imported(), 2048)

	r, err := c.Start(t.Context(), wire.HandlePing, "x")
	require.NoError(t, err)
	m := p.next()
	for m.kind != wire.Request || !strings.Contains(m.text, "PING") { // a DEL may come first
		m = p.next()
	}
	p.reply(m.seq, refs(2500))
	_, err = netref.Await[any](t.Context(), r)
	var limit *protocol.LimitError
	require.ErrorAs(t, err, &limit)
	p.alive()
}

// TestManyArguments has more arguments than any handler takes, in every form of an argument tuple.
func TestManyArguments(t *testing.T) {
	_, p := scripted(t, nil, nil)
	const n = 1 << 20
	nones := make(brine.Tuple, n)
	boxed := make([]any, n)
	for i := range boxed {
		boxed[i] = val(nil)
	}
	for i, args := range []brine.Tuple{
		tup(boxed...), val(nones), val(strings.Repeat("é", n)), val(make([]byte, n)),
		val(brine.FrozenSet{int64(1), int64(2)}),
	} {
		p.send(wire.Request, int64(i), brine.Tuple{int64(wire.HandlePing), args})
		m := p.expectException(int64(i), "builtins.TypeError")
		want := fmt.Sprintf("handler PING takes 1 to 1 arguments but %d were given", n)
		switch i {
		case 2, 3:
			want = "more arguments than any handler takes"
		case 4:
			want = "handler PING takes 1 to 1 arguments but 2 were given"
		}
		require.Equal(t, brine.Tuple{want}, m.body.(brine.Tuple)[1])
	}
}
