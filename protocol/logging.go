package protocol

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync/atomic"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// undeclared matches the exceptions of calls that fail for want of declared parameters. The hint at it is logged once
// in a process.
var (
	undeclared = regexp.MustCompile(`takes no keyword arguments$|positional arguments?: 'arg\d+'`)
	hinted     atomic.Bool
)

// errorLevel is the level at which an exception is logged: for debugging, as in RPyC, but for calls of objects. What is
// called so is mostly a func that this side has given away as a callback, and a peer that calls it by rpyc.async_ may
// look at no result: nobody else would tell.
func (in *incoming) errorLevel() slog.Level {
	if in.h == wire.HandleCall {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// logError logs the error that a handler ended with: a panic, which somebody has to mend, as an error, and an exception
// at errorLevel, unless it is the end of an iteration.
func (in *incoming) logError(err error) {
	cfg := &in.c.cfg
	e, _ := err.(*vinegar.Error) // as panics are; anything else costs more to look at than a disabled log is worth
	switch {
	case e.Panicked():
		in.c.log().ErrorContext(in, "rpyc: panic", "in", in.h.String(),
			"panic", fmt.Sprint(e.PanicValue()), "traceback", e.FormatTraceback())
	case cfg.Logger.Enabled(in, slog.LevelWarn) && e != nil && e.Class == vinegar.TypeError &&
		undeclared.MatchString(e.Message()) && hinted.CompareAndSwap(false, true):
		in.c.log().WarnContext(in, "rpyc: a peer's call needs names of parameters, which Go does not keep: "+
			"declare them by exposed.Func, ClassOptions.Params or the program rpyc_stubs", "exception", e.Message())
	case !cfg.Logger.Enabled(in, in.errorLevel()) || errors.Is(err, vinegar.StopIteration):
	default:
		e = vinegar.FromError(err)
		in.c.log().Log(in, in.errorLevel(), "rpyc: exception", "in", in.h.String(),
			"exception", e.Error(), "traceback", e.FormatTraceback())
	}
}

// noteUnknown logs the first request for an operation that no release has, but for 0: that is a way to ask which
// release this side is, since the answer tells it.
func (c *Conn) noteUnknown(operation any) {
	if c.oddForm || operation == any(int64(0)) {
		return
	}
	c.oddForm = true
	c.log().Warn("rpyc: a request is for an operation that no known release has; the peer may be a fork", "operation",
		operation)
}
