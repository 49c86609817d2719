// Package calllog logs a line for each call of RPyC connections.
//
//	config := &protocol.Config{Hooks: calllog.Log{}.Hooks()} // to slog.Default()
//
// The line for a call that is served has the message "rpyc: call served", that for one that is made "rpyc: call made".
// The level says how it has ended:
//
//	Info   it has its answer
//	Warn   it has failed with an exception, or has taken longer than Log.Slow
//	Error  the handler has panicked; or of a call that is made, there was no answer: the connection ended, or it took
//	       too long
//
// The attributes are named as in OpenTelemetry's conventions:
//
//	rpc.system                    "rpyc"
//	rpc.service                   the class; absent if it is not known
//	rpc.method                    the method; operations that call none in capitals, as "GETATTR name"
//	error.type                    the class of the exception, if there is one; not its text, which may have values in it
//	client.address, client.port   the peer of a call that is served
//	server.address, server.port   the peer of one that is made
//	duration                      a time.Duration
//	bytes.in, bytes.out           the lengths of the messages, before compression
//	rpyc.conn                     protocol.Conn.Name
//	trace_id                      of a call that is served with trace context, see protocol.Metadata
//
// There are no arguments and no results. Names that peers have made up are cut after 100 bytes. The context of each
// line is that of the call, so that a handler of slog can take from it what hooks have put there, such as a span.
package calllog

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Log says what is logged and where.
type Log struct {
	// Logger gets the lines; nil is slog.Default, as it is when the line is logged.
	Logger *slog.Logger
	// Slow is a time above which a call that has its answer is at level Warn; 0 is none.
	Slow time.Duration
	// All also logs requests that call nothing, such as attributes read and comparisons.
	All bool
}

// Hooks are what goes into protocol.Config.Hooks, alone or with others (protocol.JoinHooks).
func (l Log) Hooks() protocol.Hooks {
	return protocol.Hooks{Serve: []protocol.ServeHook{hook(l)}, Call: []protocol.CallHook{hook(l)}}
}

// hook is a Log as connections see it.
type hook Log

var (
	_ protocol.ServeHook = hook{}
	_ protocol.CallHook  = hook{}
)

// ServeBegin implements protocol.ServeHook.
func (hook) ServeBegin(context.Context, *protocol.RequestInfo) context.Context { return nil }

// ServeEnd implements protocol.ServeHook.
func (h hook) ServeEnd(ctx context.Context, r *protocol.RequestInfo) {
	e, _ := r.Err.(*vinegar.Error)
	h.log(ctx, r, "rpyc: call served", "client", e.Panicked())
}

// CallBegin implements protocol.CallHook.
func (hook) CallBegin(context.Context, *protocol.RequestInfo) context.Context { return nil }

// CallEnd implements protocol.CallHook.
func (h hook) CallEnd(ctx context.Context, r *protocol.RequestInfo) {
	var answer *vinegar.Error
	unanswered := errors.Is(r.Err, protocol.ErrClosed) ||
		errors.Is(r.Err, context.DeadlineExceeded) && !errors.As(r.Err, &answer)
	h.log(ctx, r, "rpyc: call made", "server", unanswered)
}

// log logs one line. role is the peer's, and grave says that a failure is an Error.
func (h hook) log(ctx context.Context, r *protocol.RequestInfo, msg, role string, grave bool) {
	if !h.All && !r.IsCall() {
		return
	}
	level := slog.LevelInfo
	switch {
	case r.Failed() && grave:
		level = slog.LevelError
	case r.Failed(), h.Slow > 0 && r.Duration > h.Slow:
		level = slog.LevelWarn
	}
	logger := h.Logger
	if logger == nil {
		logger = slog.Default()
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs, slog.String("rpc.system", "rpyc"))
	if r.Class != "" {
		attrs = append(attrs, slog.String("rpc.service", pyvalue.Shorten(r.Class, maxName)))
	}
	attrs = append(attrs, slog.String("rpc.method", pyvalue.Shorten(r.Operation(), maxName)))
	if r.Failed() {
		attrs = append(attrs, slog.String("error.type", pyvalue.Shorten(r.ErrorClass(), maxName)))
	}
	if addr := r.Conn.RemoteAddr(); addr != nil && addr.String() != "" {
		if tcp, ok := addr.(*net.TCPAddr); ok {
			attrs = append(attrs, slog.String(role+".address", tcp.IP.String()), slog.Int(role+".port", tcp.Port))
		} else {
			attrs = append(attrs, slog.String(role+".address", addr.String()))
		}
	}
	attrs = append(attrs, slog.Duration("duration", r.Duration), slog.Int("bytes.in", r.BytesIn),
		slog.Int("bytes.out", r.BytesOut), slog.String("rpyc.conn", r.Conn.Name()))
	if role == "client" {
		if m, ok := protocol.MetadataFrom(ctx); ok {
			if parts := strings.Split(m.TraceParent, "-"); len(parts) >= 4 {
				attrs = append(attrs, slog.String("trace_id", pyvalue.Shorten(parts[1], maxName)))
			}
		}
	}
	logger.LogAttrs(ctx, level, msg, attrs...)
}

const maxName = 100
