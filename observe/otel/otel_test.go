package otel

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/servers"
)

// recorded is a Telemetry whose spans and metrics are in memory.
type recorded struct {
	*Telemetry
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	tp     *sdktrace.TracerProvider
}

func newRecorded(t *testing.T, all bool) *recorded {
	t.Helper()
	r := &recorded{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	r.tp = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	var err error
	r.Telemetry, err = New(&Config{TracerProvider: r.tp, All: all,
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))})
	require.NoError(t, err)
	return r
}

func (r *recorded) config() *protocol.Config {
	return &protocol.Config{Metadata: protocol.MetadataNegotiated, Hooks: r.Hooks()}
}

// ended are the spans by their names, of which each is to be there once.
func (r *recorded) ended(t *testing.T) map[string]tracetest.SpanStub {
	t.Helper()
	spans := map[string]tracetest.SpanStub{}
	for _, s := range r.spans.GetSpans() {
		key := s.SpanKind.String() + " " + s.Name
		require.NotContains(t, spans, key)
		spans[key] = s
	}
	return spans
}

func attrsOf(s []attribute.KeyValue) map[string]any {
	m := map[string]any{}
	for _, kv := range s {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	return m
}

type service struct{}

func (service) Add(a, b int) int { return a + b }

func (service) Fail() error { return vinegar.ValueError.New("x") }

var _ = exposed.Register[service](exposed.ClassOptions{Name: "tests.Service"})

// TestSpansAndMetrics looks at what a few calls between Go peers leave.
func TestSpansAndMetrics(t *testing.T) {
	server, client := newRecorded(t, false), newRecorded(t, false)
	addr := serve(t, service{}, server.config())
	ctx, parent := client.tp.Tracer("test").Start(t.Context(), "parent")
	c, err := protocol.Dial(ctx, "tcp", addr, client.config())
	require.NoError(t, err)
	_, err = netref.Call[int](ctx, c.Root(), "add", 1, 2)
	require.NoError(t, err)
	_, err = c.Root().CallMethod(ctx, "fail")
	require.Error(t, err)
	_, err = c.Root().CallMethod(ctx, "made_up")
	require.Error(t, err)
	_, err = c.Root().Get(ctx, "add")
	require.NoError(t, err)
	require.NoError(t, c.Close())
	<-c.Done()

	made, served := client.ended(t), server.ended(t)
	require.Len(t, made, 3, "reading an attribute is no call")
	require.Len(t, served, 3)
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	for method, class := range map[string]string{"add": "", "fail": "ValueError", "made_up": "AttributeError"} {
		out, in := made["client tests.Service/"+method], served["server tests.Service/"+method]
		require.Equal(t, parent.SpanContext().SpanID(), out.Parent.SpanID())
		require.Equal(t, out.SpanContext.SpanID(), in.Parent.SpanID(), "%s: the span has travelled", method)
		require.True(t, in.Parent.IsRemote())
		require.Equal(t, parent.SpanContext().TraceID(), in.SpanContext.TraceID())
		want := map[string]any{"rpc.system": "rpyc", "rpc.service": "tests.Service", "rpc.method": method,
			"server.address": host, "server.port": int64(n)}
		status := codes.Unset
		if class != "" {
			want["error.type"], status = class, codes.Error
		}
		require.Equal(t, want, attrsOf(out.Attributes))
		require.Equal(t, status, in.Status.Code)
		got := attrsOf(in.Attributes)
		require.Equal(t, "127.0.0.1", got["client.address"])
		require.Positive(t, got["client.port"])
		require.Equal(t, want["error.type"], got["error.type"])
		require.False(t, in.EndTime.Before(in.StartTime))
	}
	require.Equal(t, map[string]uint64{"tests.Service add ": 1, "tests.Service fail ValueError": 1,
		"_OTHER _OTHER AttributeError": 1}, counts(t, server.reader, "rpc.server.call.duration"))
	require.Equal(t, map[string]uint64{" add ": 1, " fail ValueError": 1, " made_up AttributeError": 1},
		counts(t, client.reader, "rpc.client.call.duration"))
}

// TestLongNames has a peer make up a name that an exporter would keep with the span.
func TestLongNames(t *testing.T) {
	server := newRecorded(t, false)
	c, err := protocol.Dial(t.Context(), "tcp", serve(t, service{}, server.config()), nil)
	require.NoError(t, err)
	_, err = c.Root().CallMethod(t.Context(), strings.Repeat("é", 1<<20))
	require.Error(t, err)
	require.NoError(t, c.Close())
	<-c.Done()
	spans := server.spans.GetSpans()
	require.Len(t, spans, 1)
	for _, text := range append(strings.Split(spans[0].Name, "/"), spans[0].Status.Description,
		attrsOf(spans[0].Attributes)["rpc.method"].(string)) {
		require.LessOrEqual(t, len(text), 300)
		require.NotEmpty(t, text)
	}
	require.Equal(t, strings.Repeat("é", 100)+"…", attrsOf(spans[0].Attributes)["rpc.method"])
}

// counts are the numbers of a histogram's measurements, by service, method and error.
func counts(t *testing.T, reader *sdkmetric.ManualReader, name string) map[string]uint64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &all))
	got := map[string]uint64{}
	for _, sm := range all.ScopeMetrics {
		for _, m := range sm.Metrics {
			require.Equal(t, name, m.Name)
			require.Equal(t, "s", m.Unit)
			for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
				a := attrsOf(p.Attributes.ToSlice())
				require.Equal(t, "rpyc", a["rpc.system"])
				text := func(key string) string { s, _ := a[key].(string); return s }
				got[text("rpc.service")+" "+text("rpc.method")+" "+text("error.type")] = p.Count
			}
		}
	}
	return got
}

// TestAll tells of what calls nothing, too.
func TestAll(t *testing.T) {
	r := newRecorded(t, true)
	a, b, err := protocol.Pair(t.Context(), service{}, nil, &protocol.Config{Hooks: r.Hooks()})
	require.NoError(t, err)
	_, err = b.Root().Get(t.Context(), "add")
	require.NoError(t, err)
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
	got := r.ended(t)
	require.Contains(t, got, "server tests.Service/GETATTR add")
	require.Contains(t, got, "client GETROOT")
	own := errorOf(&protocol.RequestInfo{Err: vinegar.NewClass("tests.Own").New()})
	require.Equal(t, "tests.Own", own[0].Value.AsString())
	theirs, err := New(nil)
	require.NoError(t, err)
	require.Len(t, theirs.Hooks().Serve, 1)
}

// serve serves root on a port of its own, and returns the address.
func serve(t *testing.T, root any, cfg *protocol.Config) string {
	t.Helper()
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &servers.Server{Service: root, Config: cfg}
	go func() { _ = s.Serve(context.Background(), l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// firstHop is the first Go program of the chain.
type firstHop struct {
	cfg          *protocol.Config
	middle, last string
}

func (f firstHop) First(ctx context.Context) (string, error) {
	c, err := protocol.Dial(ctx, "tcp", f.middle, f.cfg)
	if err != nil {
		return "", err
	}
	defer c.CloseNow()
	_, port, _ := net.SplitHostPort(f.last)
	n, _ := strconv.Atoi(port)
	return netref.Call[string](ctx, c.Root(), "forward", n)
}

// lastHop is the last one.
type lastHop struct{}

func (lastHop) Last() string { return "the end" }

var (
	_ = exposed.Register[firstHop](exposed.ClassOptions{Name: "chain.First"})
	_ = exposed.Register[lastHop](exposed.ClassOptions{Name: "chain.Last"})
)

// TestChain has CPython call Go, which calls CPython, which calls Go: one trace if the Python programs have the file
// that reads metadata, and otherwise one of each Go program.
func TestChain(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	file, err := filepath.Abs("../../protocol/python")
	require.NoError(t, err)
	for _, with := range []string{"gorpyc_meta", "plain"} {
		first, last := newRecorded(t, false), newRecorded(t, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		program := func(args ...string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, python, append([]string{"testdata/chain.py"}, append(args, with)...)...)
			cmd.Env = append(os.Environ(), "PYTHONPATH="+file, "PYTHONDONTWRITEBYTECODE=1")
			cmd.Stderr = os.Stderr
			return cmd
		}
		middle := program("serve")
		in, err := middle.StdinPipe()
		require.NoError(t, err)
		out, err := middle.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, middle.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		addr := serve(t, firstHop{cfg: first.config(), middle: "127.0.0.1:" + strings.TrimSpace(line),
			last: serve(t, lastHop{}, last.config())}, first.config())
		_, port, _ := net.SplitHostPort(addr)
		printed, err := program("call", port).Output()
		require.NoError(t, err)
		_ = in.Close()
		_ = middle.Wait()

		spans := first.ended(t)
		served := spans["server chain.First/first"]
		var called tracetest.SpanStub
		for _, s := range spans {
			if s.SpanKind == trace.SpanKindClient {
				called = s
			}
		}
		require.Len(t, spans, 2, "%s: %v", with, spans)
		require.Equal(t, served.SpanContext.SpanID(), called.Parent.SpanID())
		require.Len(t, last.ended(t), 1)
		end := last.ended(t)["server chain.Last/last"]
		if with == "plain" {
			require.False(t, served.Parent.IsValid())
			require.False(t, end.Parent.IsValid())
			require.NotEqual(t, served.SpanContext.TraceID(), end.SpanContext.TraceID())
			continue
		}
		require.Equal(t, strings.TrimSpace(string(printed)),
			fmt.Sprintf("00-%s-%s-01", served.Parent.TraceID(), served.Parent.SpanID()))
		require.Equal(t, called.SpanContext.SpanID(), end.Parent.SpanID(), "the Python program has passed it on")
		require.Equal(t, served.SpanContext.TraceID(), called.SpanContext.TraceID())
		require.Equal(t, served.SpanContext.TraceID(), end.SpanContext.TraceID())
	}
}
