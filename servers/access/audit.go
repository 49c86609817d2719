package access

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol"
)

// Audit is a hook that logs a line for each request that is served: who has asked, for what, how it ended and how long
// it took; never arguments, results or texts of exceptions. It works with and without an [Enforcer]:
//
//	config.Hooks = protocol.JoinHooks(config.Hooks, access.Audit{Logger: slog.Default()}.Hooks())
//
// The lines have the message "rpyc: audit" and the attributes conn, peer, identity and release, as far as they are
// known, and op, class, method, outcome, error (the class of an exception) and duration. The outcome is "ok", "error",
// "denied" or "limited"; the last two are at level Warn, the others at Info. Names that a peer has made up are cut
// after 100 bytes.
type Audit struct {
	// Logger gets the lines; nil is slog.Default, as it is when the line is logged.
	Logger *slog.Logger
	// DeniedOnly leaves out what was not denied or limited.
	DeniedOnly bool
}

// Hooks are what goes into protocol.Config.Hooks.
func (a Audit) Hooks() protocol.Hooks {
	return protocol.Hooks{Serve: []protocol.ServeHook{auditHook(a)}}
}

type auditHook Audit

// ServeBegin implements protocol.ServeHook.
func (auditHook) ServeBegin(context.Context, *protocol.RequestInfo) context.Context { return nil }

// ServeEnd implements protocol.ServeHook.
func (a auditHook) ServeEnd(ctx context.Context, r *protocol.RequestInfo) {
	level, outcome := slog.LevelInfo, "ok"
	var denied *DeniedError
	var limited *LimitError
	switch {
	case errors.As(r.Err, &denied):
		level, outcome = slog.LevelWarn, "denied"
	case errors.As(r.Err, &limited):
		level, outcome = slog.LevelWarn, "limited"
	case a.DeniedOnly:
		return
	case r.Failed():
		outcome = "error"
	}
	logger := a.Logger
	if logger == nil {
		logger = slog.Default()
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	p := r.Conn.Peer()
	p.Identity = protocol.IdentityFromContext(ctx)
	attrs := append([]slog.Attr{slog.String("conn", r.Conn.Name())}, p.LogAttrs()...)
	attrs = append(attrs, slog.String("op", r.Op.String()), slog.String("class", pyvalue.Shorten(r.Class, maxName)),
		slog.String("method", pyvalue.Shorten(r.Method, maxName)), slog.String("outcome", outcome))
	if outcome != "ok" {
		attrs = append(attrs, slog.String("error", pyvalue.Shorten(r.ErrorClass(), maxName)))
	}
	attrs = append(attrs, slog.Duration("duration", r.Duration.Round(time.Microsecond)))
	logger.LogAttrs(ctx, level, "rpyc: audit", attrs...)
}

const maxName = 100
