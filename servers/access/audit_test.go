package access_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/servers/access"
)

// TestAudit has a line for each request, or for those that were denied, and no values.
func TestAudit(t *testing.T) {
	run := func(deniedOnly bool) string {
		var log bytes.Buffer
		handler := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "conn" || a.Key == "duration" {
				return slog.Attr{}
			}
			return a
		}})
		c, _ := enforced(t, &access.Policy{Rules: []access.Rule{{Who: []string{"*"}, Deny: []string{"numbers"},
			Methods: []access.MethodLimit{{Method: "add_user", Limit: access.Limit{Rate: 1e-3, Wait: -1}}}}}}, ann,
			&protocol.Config{Hooks: access.Audit{Logger: slog.New(handler), DeniedOnly: deniedOnly}.Hooks()})
		for _, name := range []string{"add", "fail", "numbers", "add_user", "add_user", strings.Repeat("x", 200)} {
			args := []any{}
			if name == "add" {
				args = []any{4711, 1}
			}
			_, _ = netref.Call[any](t.Context(), c.Root(), name, args...)
		}
		require.NoError(t, c.Close())
		<-c.Done()
		return strings.ReplaceAll(log.String(), "msg=\"rpyc: audit\" "+
			"identity=token:ann release=gorpyc op=CALLATTR class=access_test.shop ", "")
	}
	const denied = "level=WARN method=numbers outcome=denied error=AttributeError\n" +
		"level=WARN method=add_user outcome=limited error=BlockingIOError\n"
	require.Equal(t, denied, run(true))
	require.Equal(t, "level=INFO method=add outcome=ok\nlevel=INFO method=fail outcome=error error=ValueError\n"+
		"level=WARN method=numbers outcome=denied error=AttributeError\nlevel=INFO method=add_user outcome=ok\n"+
		"level=WARN method=add_user outcome=limited error=BlockingIOError\n"+
		"level=INFO method="+strings.Repeat("x", 100)+"… outcome=error error=AttributeError\n", run(false))
}

// TestAuditWithoutLogger writes where the program writes its log.
func TestAuditWithoutLogger(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	c, _ := enforced(t, &access.Policy{Rules: []access.Rule{{Who: []string{"*"}}}}, ann,
		&protocol.Config{Hooks: access.Audit{}.Hooks()})
	_, err := netref.Call[int](t.Context(), c.Root(), "add", 1, 2)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	<-c.Done()
	require.Contains(t, log.String(), "method=add outcome=ok")
}
