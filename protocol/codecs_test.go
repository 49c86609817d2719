package protocol_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// length is sent by value, behind a tag of its own.
type length struct{ Metres float64 }

func lengths(t *testing.T) *brine.Codecs {
	cs := &brine.Codecs{}
	require.NoError(t, brine.Register(cs, 0xfa, brine.OneValue,
		func(l length) (any, error) { return l.Metres, nil },
		func(body any) (length, error) {
			m, ok := body.(float64)
			if !ok {
				return length{}, errors.New("a length is a float")
			}
			return length{m}, nil
		}))
	return cs
}

type surveyor struct{}

func (surveyor) Double(l length) length { return length{2 * l.Metres} }

func (surveyor) Sum(all ...length) (sum length) {
	for _, l := range all {
		sum.Metres += l.Metres
	}
	return sum
}

func (surveyor) Each(f func(length) (length, error), all []length) ([]length, error) {
	for i, l := range all {
		var err error
		if all[i], err = f(l); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (surveyor) Token(ctx context.Context, _ length) string {
	m, _ := protocol.MetadataFrom(ctx)
	return m.Token
}

func (surveyor) Pair(v any) brine.Tuple { return brine.Tuple{v, surveyor{}, length{7}} }

// TestCodecsOfAConnection sends values of a codec both ways: as arguments, results, in tuples with references, and in
// exceptions.
func TestCodecsOfAConnection(t *testing.T) {
	ctx := protocol.WithMetadata(t.Context(), protocol.Metadata{Token: "secret"})
	for i, d := range []*wire.Dialect{wire.FamilyD, wire.FamilyC, wire.FamilyA, wire.FamilyD, wire.FamilyC} {
		cfg := &protocol.Config{Dialect: d, Codecs: lengths(t)}
		if i > 2 {
			cfg.Metadata = protocol.MetadataAlways // which stands where the value ends, also one of a codec
		}
		a, b, err := protocol.Pair(t.Context(), nil, surveyor{}, cfg)
		require.NoError(t, err)
		root := a.Root()
		l, err := netref.Call[length](ctx, root, "double", length{1.5})
		require.NoError(t, err)
		require.Equal(t, length{3}, l)
		l, err = netref.Call[length](ctx, root, "sum", length{1}, length{2})
		require.NoError(t, err)
		require.Equal(t, length{3}, l)
		add := func(l length) (length, error) { return length{l.Metres + 1}, nil }
		all, err := netref.Call[[]length](ctx, root, "each", add, []length{{1}, {2}})
		require.NoError(t, err)
		require.Equal(t, []length{{2}, {3}}, all)
		v, err := root.CallMethod(ctx, "pair", length{5})
		require.NoError(t, err)
		require.Equal(t, length{5}, v.(brine.Tuple)[0])
		require.Equal(t, length{7}, v.(brine.Tuple)[2])
		token, err := netref.Call[string](ctx, root, "token", length{1})
		require.NoError(t, err)
		require.Equal(t, i > 2, token == "secret")
		_, _ = a.CloseNow(), b.CloseNow()
		<-a.Done()
		<-b.Done()
	}
}

// TestUnknownTag sends values behind a tag that this side knows no codec for. The request or the call fails with an
// error that names the tag, and the connection goes on.
func TestUnknownTag(t *testing.T) {
	c, p := scripted(t, surveyor{}, nil)
	root := p.root()
	coded := brine.Tuple{int64(7), "marker"} // in whose place the unknown value is put
	send := func(frame []byte) {
		payload := payloadOf(t, frame)
		marker, err := brine.Marshal(coded)
		require.NoError(t, err)
		unknown := []byte("\xfa\x50")
		i := 0
		for ; string(payload[i:i+len(marker)]) != string(marker); i++ {
		}
		p.write(frameOf(append(append(append([]byte(nil), payload[:i]...), unknown...), payload[i+len(marker):]...)))
	}
	send(p.encode(wire.Request, int64(1), brine.Tuple{int64(wire.HandleCallAttr),
		tup(yours(root), val("double"), val(brine.Tuple{coded}), val(brine.Tuple{}))}))
	m := p.expectException(int64(1), "builtins.ValueError")
	require.Contains(t, m.body.(brine.Tuple)[1].(brine.Tuple)[0], "unknown tag 0xfa")

	result := make(chan error, 1)
	go func() {
		_, err := c.Ping(context.Background())
		result <- err
	}()
	ping := p.next()
	send(p.encode(wire.Reply, ping.seq, val(coded)))
	var unknown *brine.UnknownTagError
	require.ErrorAs(t, <-result, &unknown)
	require.Equal(t, byte(0xfa), unknown.Tag)
	p.alive()
}

// TestCodecsRunOnHandlersOnly has load functions that wait: the connection answers meanwhile.
func TestCodecsRunOnHandlersOnly(t *testing.T) {
	cs, gate := &brine.Codecs{}, make(chan struct{})
	require.NoError(t, brine.Register(cs, 0xfa, brine.OneValue,
		func(l length) (any, error) { return l.Metres, nil },
		func(body any) (length, error) { <-gate; return length{body.(float64)}, nil }))
	_, p := scripted(t, surveyor{}, &protocol.Config{Codecs: cs})
	body, err := cs.Append(nil, length{2}, 0)
	require.NoError(t, err)
	p.write(frameOf(append([]byte("\x01\x11\x51\x11"), "\x51\x11\x52\x10\x11\x51"+string(body)...))) // PING
	p.root()
	close(gate)
	payload, err := readPayload(p.r)
	require.NoError(t, err)
	require.Equal(t, "\x02\x11\x51\x11\x51"+string(body), string(payload)) // the reply
}

// TestCodecsThatPanic has functions of codecs panic, for what a peer has sent and for what it has asked for: requests
// and calls fail, wherever the function runs.
func TestCodecsThatPanic(t *testing.T) {
	cs := &brine.Codecs{}
	require.NoError(t, brine.Register(cs, 0xfa, brine.OneValue,
		func(l length) (any, error) { return l.Metres, nil },
		func(body any) (length, error) { return length{body.(brine.Tuple)[5].(float64)}, nil }))
	require.NoError(t, brine.Register(cs, 0xfb, brine.OneValue,
		func(l *length) (any, error) { return l.Metres, nil }, // which nil has not
		func(any) (*length, error) { panic(struct{ key string }{"secret"}) }))
	c, p := scripted(t, surveyor{}, &protocol.Config{Codecs: cs})
	body := map[int64]string{1: "\xfa\x10\x51", 2: "\xfa\x51", 3: "\xfb\x00"}
	text := map[int64]string{1: "index out of range", 2: "not brine.Tuple", 3: "with a struct { key string }"}
	for seq, b := range body { // PING
		head, err := brine.Marshal(seq)
		require.NoError(t, err)
		p.write(frameOf([]byte("\x01\x11" + string(head) + "\x11\x51\x11\x52\x10\x11\x51" + b)))
		m := p.expectException(seq, "builtins.RuntimeError")
		require.Contains(t, m.body.(brine.Tuple)[1].(brine.Tuple)[0], text[seq])
	}
	require.ErrorContains(t, c.Request(t.Context(), nil, wire.HandlePing, (*length)(nil)), "nil pointer")
	p.alive()
}
