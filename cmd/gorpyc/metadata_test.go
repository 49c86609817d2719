package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/servers"
)

// besides is a service that says what came beside a call.
type besides struct{ gone chan error }

func (*besides) What(ctx context.Context) brine.Tuple {
	m, _ := protocol.MetadataFrom(ctx)
	deadline, _ := ctx.Deadline()
	return brine.Tuple{m.TraceParent, m.Token, m.Pairs["tenant"], time.Until(deadline) > 0}
}

func (b *besides) Wait(ctx context.Context) { <-ctx.Done(); b.gone <- context.Cause(ctx) }

// TestMetadata calls a server that reads metadata.
func TestMetadata(t *testing.T) {
	service := &besides{make(chan error, 1)}
	addr := serve(t, service, "tcp", "127.0.0.1:0", func(s *servers.Server) {
		s.Config = &protocol.Config{Metadata: protocol.MetadataNegotiated}
	})
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("s3cret\n"), 0o600))
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, tt := range []struct {
		args []string
		want string
		code int
	}{
		{nil, "('', '', '', False)\n", 0},
		{[]string{"--metadata"}, "('', '', '', True)\n", 0},
		{[]string{"--pair", "tenant=a", "--pair", "x=", "--call-token-file", token, "--trace", trace, "--timeout", "0"},
			"('" + trace + "', 's3cret', 'a', False)\n", 0},
		{[]string{"--pair", "tenant"}, `"tenant" is not NAME=VALUE`, exitUsage},
		{[]string{"--call-token-file", token + "x"}, "no such file", exitFailed},
	} {
		out, errs, code := gorpyc(t, "", append([]string{"call", addr, "what"}, tt.args...)...)
		require.Equal(t, tt.code, code, "%v: %s", tt.args, errs)
		require.Contains(t, out+errs, tt.want)
	}
	out, errs, _ := gorpyc(t, "", "call", addr, "what", "--trace", "new")
	header := regexp.MustCompile(`^traceparent: (00-[0-9a-f]{32}-[0-9a-f]{16}-01)\n$`).FindStringSubmatch(errs)
	require.NotNil(t, header, errs)
	require.Contains(t, out, header[1])
	_, _, _ = gorpyc(t, "", "call", addr, "wait", "--metadata", "--timeout", "100ms")
	cause := <-service.gone
	require.True(t, errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, protocol.ErrGivenUp), "%v", cause)
}
