package protocol_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

const (
	traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	emptyHex    = "000001ff524d44" // the empty trailer, by the form in package wire's documentation
)

// metaService says what came with its calls.
type metaService struct {
	begun chan struct{}
	ended chan error
	next  *netref.Object // what Chain calls
}

func newMetaService() *metaService {
	return &metaService{begun: make(chan struct{}, 100), ended: make(chan error, 100)}
}

// What is what came with the call, as a text.
func (s *metaService) What(ctx context.Context) string {
	m, ok := protocol.MetadataFrom(ctx)
	if !ok {
		return "nothing"
	}
	return fmt.Sprint(m.TraceParent, " ", m.TraceState, " ", m.Token, " ", m.Pairs)
}

// Ask calls the method what of the peer's root with the handler's context.
func (s *metaService) Ask(ctx context.Context) (string, error) {
	return netref.Call[string](ctx, protocol.FromContext(ctx).Root(), "what")
}

// Wait waits for its context to end.
func (s *metaService) Wait(ctx context.Context) error {
	s.begun <- struct{}{}
	<-ctx.Done()
	s.ended <- errors.Join(ctx.Err(), context.Cause(ctx))
	return context.Cause(ctx)
}

// Poll looks every millisecond whether its context has ended.
func (s *metaService) Poll(ctx context.Context) {
	s.begun <- struct{}{}
	for ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	s.ended <- ctx.Err()
}

// WaitBelow is Wait in a context derived from the handler's.
func (s *metaService) WaitBelow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	return s.Wait(ctx)
}

// Chain sleeps for a second, and returns how much of the caller's time is left then, and of those that it calls.
func (s *metaService) Chain(ctx context.Context) ([]time.Duration, error) {
	time.Sleep(time.Second)
	deadline, ok := ctx.Deadline()
	if !ok {
		return []time.Duration{-1}, nil
	}
	left := []time.Duration{time.Until(deadline)}
	if s.next == nil {
		return left, nil
	}
	ns, err := netref.Call[[]int64](ctx, s.next, "chain_ns")
	for _, n := range ns {
		left = append(left, time.Duration(n))
	}
	return left, err
}

// ChainNs is Chain in nanoseconds.
func (s *metaService) ChainNs(ctx context.Context) ([]int64, error) {
	left, err := s.Chain(ctx)
	ns := make([]int64, len(left))
	for i, d := range left {
		ns[i] = int64(d)
	}
	return ns, err
}

func (s *metaService) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(time.Minute):
		require.Fail(t, "the handler's context has not ended")
		return nil
	}
}

// metaPair makes two connections with metadata of which the second is the client.
func metaPair(t *testing.T, server, client any, cfg *protocol.Config) *protocol.Conn {
	t.Helper()
	a, b, err := protocol.Pair(context.Background(), server, client, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = b.Close()
		<-a.Done()
		<-b.Done()
	})
	return b
}

var negotiated = &protocol.Config{Metadata: protocol.MetadataNegotiated}

func TestMetadataTravels(t *testing.T) {
	for _, d := range []*wire.Dialect{wire.FamilyA, wire.FamilyB, wire.FamilyC, wire.FamilyD, wire.FamilyE,
		wire.FamilyC.BindThreads(), wire.FamilyD.BindThreads()} {
		for _, compress := range []bool{false, true} {
			c := metaPair(t, newMetaService(), newMetaService(),
				&protocol.Config{Dialect: d, Compress: compress, Metadata: protocol.MetadataNegotiated})
			plain := t.Context()
			got, err := netref.Call[string](plain, c.Root(), "what")
			require.NoError(t, err, "%v", d)
			require.Equal(t, "nothing", got)
			ctx := protocol.WithMetadata(plain, protocol.Metadata{TraceParent: "old", TraceState: "old",
				Token: "secret", Pairs: map[string]string{"a": "1", "b": "2"}})
			ctx = protocol.WithMetadata(ctx, protocol.Metadata{TraceParent: traceParent,
				Pairs: map[string]string{"a": strings.Repeat("x", 4000)}})
			got, err = netref.Call[string](ctx, c.Root(), "what")
			require.NoError(t, err)
			require.Equal(t, traceParent+"  secret map[a:"+strings.Repeat("x", 4000)+" b:2]", got)
			got, err = netref.Call[string](ctx, c.Root(), "ask")
			require.NoError(t, err)
			require.Equal(t, traceParent+"   map[]", got, "%v: a handler's call takes the trace over, and nothing else", d)
			r, err := c.Root().CallMethodAsync(ctx, "what")
			require.NoError(t, err)
			got, err = netref.Await[string](plain, r)
			require.NoError(t, err)
			require.Contains(t, got, "secret")
		}
	}
	_, ok := protocol.MetadataFrom(t.Context())
	require.False(t, ok)
}

func TestMetadataThatIsTooLong(t *testing.T) {
	c := metaPair(t, newMetaService(), nil, negotiated)
	_, err := netref.Call[string](t.Context(), c.Root(), "what")
	require.NoError(t, err)
	var limit *protocol.LimitError
	_, err = netref.Call[string](protocol.WithMetadata(t.Context(),
		protocol.Metadata{Token: strings.Repeat("x", wire.MaxTrailer)}), c.Root(), "what")
	require.ErrorAs(t, err, &limit)
	ctx := protocol.WithMetadata(t.Context(), protocol.Metadata{TraceParent: "\n"})
	_, err = netref.Call[string](ctx, c.Root(), "what")
	var form *wire.FormError
	require.ErrorAs(t, err, &form)
	_, err = netref.Call[string](t.Context(), c.Root(), "what")
	require.NoError(t, err, "the connection goes on")
}

// TestPlainPeersGetNoMetadata compares what a peer gets that sends none of its own, byte for byte.
func TestPlainPeersGetNoMetadata(t *testing.T) {
	said := func(mode protocol.MetadataMode) (out []string) {
		c, p := scripted(t, newMetaService(), &protocol.Config{Metadata: mode})
		ctx := protocol.WithMetadata(t.Context(), protocol.Metadata{TraceParent: traceParent, Token: "secret"})
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		result := make(chan error, 1)
		go func() {
			_, err := c.Root().CallMethod(ctx, "m")
			result <- err
		}()
		hear := func() { out = append(out, hex.EncodeToString(p.next().payload)) }
		hear()
		p.send(wire.Reply, 0, mine(id("x.Root", 1, 2)))
		hear()
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
		p.send(wire.Request, 7, brine.Tuple{int64(wire.HandleGetRoot), tup()})
		hear()
		p.send(wire.Request, 8, brine.Tuple{int64(wire.HandlePing), tup(val("x"))})
		hear()
		return out
	}
	off, on, always := said(protocol.MetadataOff), said(protocol.MetadataNegotiated), said(protocol.MetadataAlways)
	require.Equal(t, "01115011531152"+"02", off[0], "as without")
	require.Equal(t, off[0]+emptyHex, on[0], "the request for the root")
	require.Equal(t, off[1:], on[1:])
	require.NotEqual(t, off[1], always[1])
	require.True(t, strings.HasPrefix(always[1], off[1]))
	require.Contains(t, always[2], "0500080000000000000001", "the cancel of request 1")
}

// TestMetadataIsAnsweredByMetadata has a peer that reads trailers say so.
func TestMetadataIsAnsweredByMetadata(t *testing.T) {
	c, p := scripted(t, newMetaService(), negotiated)
	trailed := func(seq any, trailer string, h wire.Handler, boxed ...any) {
		b, err := hex.DecodeString(trailer)
		require.NoError(t, err)
		m := payloadOf(t, p.encode(wire.Request, seq, brine.Tuple{int64(h), tup(boxed...)}))
		_, err = p.rw.Write(frameOf(append(m, b...)))
		require.NoError(t, err)
	}
	trailed(1, "0000"+"02ff524d44", wire.HandlePing, val("x"))
	p.expect(`REPLY 1 "x"`) // of another version
	trailed(2, emptyHex, wire.HandlePing, val("x"))
	require.True(t, bytes.HasSuffix(p.expect(`REPLY 2 "x" {}`).payload, []byte("\xffRMD")))
	trailed(3, emptyHex, wire.HandlePing, val("x"))
	p.expect(`REPLY 3 "x"`)
	go func() { _, _ = c.Root().CallMethod(context.Background(), "m") }()
	p.expect(`REQUEST 0 GETROOT () {within 30s}`)
}

// TestGivenUpCallsEnd gives calls up in each way that there is.
func TestGivenUpCallsEnd(t *testing.T) {
	var service *metaService
	for name, giveUp := range map[string]func(c *protocol.Conn, method string){
		"the context ends": func(c *protocol.Conn, method string) {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-service.begun
				cancel()
			}()
			_, err := c.Root().CallMethod(ctx, method)
			require.ErrorIs(t, err, context.Canceled)
		},
		"the result is abandoned": func(c *protocol.Conn, method string) {
			r, err := c.Root().CallMethodAsync(t.Context(), method)
			require.NoError(t, err)
			<-service.begun
			r.Abandon()
		},
		"a batch's context ends": func(c *protocol.Conn, method string) {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-service.begun
				cancel()
			}()
			var b netref.Batch
			for range 3 {
				b.Call(nil, c.Root(), method)
			}
			require.ErrorIs(t, b.Do(ctx), context.Canceled)
		},
		"the default timeout": func(c *protocol.Conn, method string) {
			_, err := c.Root().CallMethod(t.Context(), method)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			<-service.begun
		},
	} {
		cfg := *negotiated
		if name == "the default timeout" {
			cfg.Timeout = 100 * time.Millisecond
		}
		for _, hooks := range []protocol.Hooks{{}, newWatcher("s").hooks()} {
			for _, method := range []string{"wait", "wait_below"} {
				cfg.Hooks, service = hooks, newMetaService()
				c := metaPair(t, service, nil, &cfg)
				_, err := netref.Call[string](t.Context(), c.Root(), "what")
				require.NoError(t, err)
				giveUp(c, method)
				err = service.wait(t)
				if name == "the default timeout" { // whichever comes first
					require.True(t, errors.Is(err, context.DeadlineExceeded) || errors.Is(err, protocol.ErrGivenUp), "%v", err)
				} else {
					require.ErrorIs(t, err, context.Canceled, name)
					require.ErrorIs(t, err, protocol.ErrGivenUp, name)
				}
			}
		}
	}
}

// TestCancelsAreReadAtOnce has a handler wait that keeps the only goroutine that has read. The clock of the bubble
// advances only if the watch has to find that.
func TestCancelsAreReadAtOnce(t *testing.T) {
	for method, limit := range map[string]time.Duration{"wait": 0, "poll": time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			service := newMetaService()
			a, b, err := protocol.Pair(context.Background(), service, nil, negotiated)
			require.NoError(t, err)
			_, err = netref.Call[string](t.Context(), b.Root(), "what")
			require.NoError(t, err)
			time.Sleep(time.Minute) // until nothing is watched
			ctx, cancel := context.WithCancel(t.Context())
			var given time.Time
			go func() {
				<-service.begun
				time.Sleep(10 * time.Millisecond)
				given = time.Now()
				cancel()
			}()
			_, err = b.Root().CallMethod(ctx, method)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, <-service.ended, context.Canceled)
			require.LessOrEqual(t, time.Since(given), limit, method)
			_ = b.Close()
			<-a.Done()
			<-b.Done()
		})
	}
}

// TestDeadlinesShrink calls through three connections, in a bubble whose clock stands still otherwise.
func TestDeadlinesShrink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns []*protocol.Conn
		var next *netref.Object
		for range 3 {
			a, b, err := protocol.Pair(context.Background(), &metaService{next: next}, nil, negotiated)
			require.NoError(t, err)
			_, err = netref.Call[string](t.Context(), b.Root(), "what")
			require.NoError(t, err)
			next = b.Root()
			conns = append(conns, b, a)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		left, err := netref.Call[[]int64](ctx, next, "chain_ns")
		require.NoError(t, err)
		require.Equal(t, []int64{int64(9 * time.Second), int64(8 * time.Second), int64(7 * time.Second)}, left)

		ctx, cancel = context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		_, err = netref.Call[[]int64](ctx, next, "chain_ns")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for i := len(conns) - 2; i >= 0; i -= 2 {
			_ = conns[i].Close()
			<-conns[i].Done()
			<-conns[i+1].Done()
		}
	})
}

// TestRequestsThatAreGivenUpBeforeTheyBegin are answered and not carried out.
func TestRequestsThatAreGivenUpBeforeTheyBegin(t *testing.T) {
	service := newMetaService()
	_, p := scripted(t, service, negotiated)
	p.send(wire.Request, 0, brine.Tuple{int64(wire.HandleGetRoot), tup()})
	root := p.expect("REPLY 0 +protocol_test.metaService#1").refs[0]
	v, err := brine.Unmarshal([]byte(root.raw))
	require.NoError(t, err)
	call := func(seq int, trailer wire.Trailer) {
		m := payloadOf(t, p.encode(wire.Request, seq, brine.Tuple{int64(wire.HandleCallAttr),
			tup(yours(v), val("wait"), val(brine.Tuple{}), val(brine.Tuple{}))}))
		m, err := wire.AppendTrailer(m, &trailer)
		require.NoError(t, err)
		_, err = p.rw.Write(frameOf(m))
		require.NoError(t, err)
	}
	call(1, wire.Trailer{})
	<-service.begun
	call(2, wire.Trailer{Bounded: true})
	call(3, wire.Trailer{})
	call(4, wire.Trailer{Cancels: []int64{3, 99, -1, 2, 3}})
	call(5, wire.Trailer{Cancels: []int64{4, 1}})
	var got []string
	for range 4 {
		got = append(got, strings.SplitN(p.next().text, "(", 2)[0])
	}
	require.Equal(t, []string{"EXCEPTION 1 concurrent.futures._base.CancelledError", "EXCEPTION 2 builtins.TimeoutError",
		"EXCEPTION 3 concurrent.futures._base.CancelledError", "EXCEPTION 4 concurrent.futures._base.CancelledError"}, got)
	<-service.begun // 5
	require.Empty(t, service.begun)
	call(6, wire.Trailer{Cancels: []int64{5}})
	<-service.begun
	call(7, wire.Trailer{Cancels: []int64{1, 6, 7}})
	<-service.begun
}

// TestCancelsInVain gives up what is not there, a hundred thousand times.
func TestCancelsInVain(t *testing.T) {
	_, p := scripted(t, newMetaService(), negotiated)
	var flood wire.Trailer
	for n := range int64(700) {
		flood.Cancels = append(flood.Cancels, n-3)
	}
	for seq := range 150 {
		m := payloadOf(t, p.encode(wire.Request, seq, brine.Tuple{int64(wire.HandlePing), tup(val("x"))}))
		m, err := wire.AppendTrailer(m, &flood)
		require.NoError(t, err)
		_, err = p.rw.Write(frameOf(m))
		require.NoError(t, err)
		require.Equal(t, wire.Reply, p.next().kind)
	}
}

// TestContextsAfterTheAnswer keep to the connection: one that nobody has waited on has no deadline any more.
func TestContextsAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := &contextKeeper{}
		a, b, err := protocol.Pair(context.Background(), keeper, nil, negotiated)
		require.NoError(t, err)
		for range 2 { // the first call tells that the peer reads metadata
			_, err = b.Root().CallMethod(t.Context(), "keep")
			require.NoError(t, err)
		}
		synctest.Wait() // the request ends behind its answer
		_, ok := keeper.ctx.Deadline()
		require.False(t, ok)
		require.Equal(t, 30*time.Second, keeper.left)
		time.Sleep(time.Hour)
		require.NoError(t, keeper.ctx.Err())
		_ = b.Close()
		<-a.Done()
		<-b.Done()
		<-keeper.ctx.Done()
		require.ErrorIs(t, context.Cause(keeper.ctx), protocol.ErrClosed)
	})
}

// contextKeeper keeps the context of its last call.
type contextKeeper struct {
	ctx  context.Context
	left time.Duration
}

func (k *contextKeeper) Keep(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	k.ctx, k.left = ctx, time.Until(deadline)
}
