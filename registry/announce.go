package registry

import (
	"context"
	"log/slog"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

// unregisterTimeout bounds the farewell when a server ends.
const unregisterTimeout = 2 * time.Second

// Announce keeps a server registered until ctx ends, and unregisters it then: it registers at once and every 60
// seconds, and each second while that fails (what RPyC's servers do with auto_register). log may be nil.
//
// The host of ep, if there is one, is the address to register from; see [EndpointOf].
func Announce(ctx context.Context, r Registrar, names []string, ep Endpoint, log *slog.Logger) {
	l := logger(log)
	l.Info("started background auto-register", "interval", RenewInterval.String(), "services", names)
	defer l.Info("background auto-register finished")
	for ctx.Err() == nil {
		begin := time.Now()
		next := RenewInterval
		if err := r.Register(ctx, names, ep); err != nil && ctx.Err() == nil {
			l.Info("registering services did not work - retry", "error", err)
			next = RetryInterval
		}
		_ = pause.For(ctx, next-time.Since(begin))
	}
	// Even if no registry has acknowledged: the answer may have been lost.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unregisterTimeout)
	defer cancel()
	if err := r.Unregister(ctx, ep); err != nil {
		l.Warn("error unregistering services", "error", err)
	}
}
