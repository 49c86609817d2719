// Package otel makes spans and metrics of the calls of RPyC connections, by OpenTelemetry's conventions for RPC.
//
//	t, err := otel.New(nil) // with the providers that the program has set globally
//	config := &protocol.Config{Metadata: protocol.MetadataNegotiated, Hooks: t.Hooks()}
//
// A call that is served is a span of kind server, one that is made a span of kind client. With protocol.Config.Metadata
// the span of a call travels to peers that read metadata, which are Go programs with it and Python programs with
// protocol/python/gorpyc_meta.py, and the spans of all of them are one trace. Without, each Go program's are a trace of
// their own.
//
//	attribute                         of spans      of metrics
//	rpc.system                        yes           yes         "rpyc"
//	rpc.service                       yes           server      the class, such as "main.Calculator"
//	rpc.method                        yes           yes         the method; operations that call none in capitals
//	error.type                        yes           yes         the class of the exception; absent if there is none
//	server.address, server.port       client        client      the peer
//	client.address, client.port       server        no          the peer
//
// The metrics are the histograms rpc.server.call.duration and rpc.client.call.duration, in seconds. Peers cannot make
// series of them without bound: names that this program did not give, and classes of exceptions that it does not know,
// are "_OTHER". The texts of exceptions are in spans only; arguments are nowhere. Names and texts in spans are cut
// after 200 bytes.
//
// It is a module of its own, so that gorpyc needs no tracing library. It needs OpenTelemetry's API, and programs bring
// the SDK.
package otel

import (
	"context"
	"net"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol"
)

const (
	scope = "github.com/gorpyc/gorpyc/observe/otel"
	other = "_OTHER"
)

// buckets are those that the conventions advise, in seconds.
var buckets = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

// Config says where spans and metrics go. The zero value is the program's global providers.
type Config struct {
	// TracerProvider makes the spans; nil is otel.GetTracerProvider.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the metrics; nil is otel.GetMeterProvider.
	MeterProvider metric.MeterProvider
	// All also tells of requests that call nothing, such as attributes read and comparisons. By default they are no spans
	// and not counted.
	All bool
}

// Telemetry makes spans and metrics. [New] makes one. It can be shared by any number of connections, and is safe for
// concurrent use.
type Telemetry struct {
	all            bool
	tracer         trace.Tracer
	served, called metric.Float64Histogram
}

// New makes a Telemetry; nil is the zero Config. It fails if the provider does not make its metrics.
func New(cfg *Config) (*Telemetry, error) {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	t := &Telemetry{all: c.All, tracer: c.TracerProvider.Tracer(scope)}
	meter := c.MeterProvider.Meter(scope)
	var err error
	if t.served, err = meter.Float64Histogram("rpc.server.call.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a request's turn to its answer."),
		metric.WithExplicitBucketBoundaries(buckets...)); err != nil {
		return nil, err
	}
	t.called, err = meter.Float64Histogram("rpc.client.call.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a call to its answer."), metric.WithExplicitBucketBoundaries(buckets...))
	return t, err
}

// Hooks are what goes into protocol.Config.Hooks, alone or with others (protocol.JoinHooks).
func (t *Telemetry) Hooks() protocol.Hooks {
	return protocol.Hooks{Serve: []protocol.ServeHook{hook{t}}, Call: []protocol.CallHook{hook{t}}}
}

// hook is a Telemetry as connections see it.
type hook struct{ *Telemetry }

var (
	_ protocol.ServeHook = hook{}
	_ protocol.CallHook  = hook{}
)

// The names of the headers of W3C Trace Context, which is what metadata has.
const (
	traceParent = "traceparent"
	traceState  = "tracestate"
)

// ServeBegin implements protocol.ServeHook.
func (h hook) ServeBegin(ctx context.Context, r *protocol.RequestInfo) context.Context {
	if m, ok := protocol.MetadataFrom(ctx); ok {
		ctx = propagation.TraceContext{}.Extract(ctx,
			propagation.MapCarrier{traceParent: m.TraceParent, traceState: m.TraceState})
	}
	if !h.tells(r) {
		return ctx
	}
	attrs := []attribute.KeyValue{system, attribute.String("rpc.service", pyvalue.Shorten(r.Class, maxText)),
		attribute.String("rpc.method", pyvalue.Shorten(r.Operation(), maxText))}
	ctx, _ = h.tracer.Start(ctx, nameOf(r.Class, r), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithTimestamp(r.Start), trace.WithAttributes(append(attrs, peerOf(r.Conn, "client")...)...))
	return ctx
}

// ServeEnd implements protocol.ServeHook.
func (h hook) ServeEnd(ctx context.Context, r *protocol.RequestInfo) {
	if !h.tells(r) {
		return
	}
	end(ctx, r)
	attrs := []attribute.KeyValue{system, attribute.String("rpc.service", other), attribute.String("rpc.method", other)}
	if r.Known {
		attrs = []attribute.KeyValue{system, attribute.String("rpc.service", r.Class),
			attribute.String("rpc.method", r.Operation())}
	}
	h.served.Record(ctx, r.Duration.Seconds(), metric.WithAttributes(append(attrs, errorOf(r)...)...))
}

// CallBegin implements protocol.CallHook.
func (h hook) CallBegin(ctx context.Context, r *protocol.RequestInfo) context.Context {
	if h.tells(r) {
		attrs := []attribute.KeyValue{system, attribute.String("rpc.method", pyvalue.Shorten(r.Operation(), maxText))}
		if r.Class != "" {
			attrs = append(attrs, attribute.String("rpc.service", pyvalue.Shorten(r.Class, maxText)))
		}
		ctx, _ = h.tracer.Start(ctx, nameOf(r.Class, r), trace.WithSpanKind(trace.SpanKindClient),
			trace.WithTimestamp(r.Start), trace.WithAttributes(append(attrs, peerOf(r.Conn, "server")...)...))
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	if carrier[traceParent] == "" {
		return ctx
	}
	return protocol.WithMetadata(ctx,
		protocol.Metadata{TraceParent: carrier[traceParent], TraceState: carrier[traceState]})
}

// CallEnd implements protocol.CallHook.
func (h hook) CallEnd(ctx context.Context, r *protocol.RequestInfo) {
	if !h.tells(r) {
		return
	}
	end(ctx, r)
	attrs := append([]attribute.KeyValue{system, attribute.String("rpc.method", r.Operation())},
		peerOf(r.Conn, "server")...)
	h.called.Record(ctx, r.Duration.Seconds(), metric.WithAttributes(append(attrs, errorOf(r)...)...))
}

var system = attribute.String("rpc.system", "rpyc")

// tells reports whether a request is a span and counted.
func (h hook) tells(r *protocol.RequestInfo) bool {
	return h.all || r.IsCall()
}

// end ends the span of a request, which is that of the context.
func end(ctx context.Context, r *protocol.RequestInfo) {
	span := trace.SpanFromContext(ctx)
	if r.Failed() {
		span.SetAttributes(attribute.String("error.type", pyvalue.Shorten(r.ErrorClass(), maxText)))
		span.SetStatus(codes.Error, pyvalue.Shorten(r.Err.Error(), maxText))
	}
	span.End(trace.WithTimestamp(r.Start.Add(r.Duration)))
}

func nameOf(class string, r *protocol.RequestInfo) string {
	if class == "" {
		return pyvalue.Shorten(r.Operation(), maxText)
	}
	return pyvalue.Shorten(class, maxText) + "/" + pyvalue.Shorten(r.Operation(), maxText)
}

// maxText is how long names and texts in spans are, which peers may have made up: exporters keep many spans.
const maxText = 200

// errorOf is the attribute of what a request has failed with, if it has, of a bounded number of values.
func errorOf(r *protocol.RequestInfo) []attribute.KeyValue {
	if !r.Failed() {
		return nil
	}
	name := r.ErrorClass()
	if !r.ErrorKnown() {
		name = other
	}
	return []attribute.KeyValue{attribute.String("error.type", name)}
}

// peerOf are the attributes of a connection's peer, whose role is "client" or "server".
func peerOf(c *protocol.Conn, role string) []attribute.KeyValue {
	addr := c.RemoteAddr()
	if addr == nil {
		return nil
	}
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return []attribute.KeyValue{attribute.String(role+".address", tcp.IP.String()),
			attribute.Int(role+".port", tcp.Port)}
	}
	if addr.String() == "" {
		return nil
	}
	return []attribute.KeyValue{attribute.String(role+".address", addr.String())}
}
