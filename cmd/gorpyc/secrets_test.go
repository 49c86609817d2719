package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/servers"
)

// TestSecrets says tokens and proves keys to servers that ask for them.
func TestSecrets(t *testing.T) {
	const key = "a key of 16 bytes or more"
	secrets := servers.FixedSecrets{{Name: "ann", Keys: []string{key, "a-token-of-16-bytes-or-more"}}}
	asking := func(a servers.Authenticator) string {
		return serve(t, &calculator{}, "tcp", "127.0.0.1:0", func(s *servers.Server) { s.Authenticator = a })
	}
	byToken, byKey := asking(servers.Token(secrets)), asking(servers.HMAC(secrets))
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	token, wrong, annsKey := file("a-token-of-16-bytes-or-more\n"), file("another"), file(key+"\r\n")
	for _, tt := range []struct {
		addr, want string
		args       []string
		code       int
	}{
		{byToken, "3\n", []string{"--token-file", token}, 0},
		{byToken, `the server refused this client: "unknown token"`, []string{"--token-file", wrong}, exitConnection},
		{byToken, "asks for a token or a key", nil, exitConnection},
		{byKey, "3\n", []string{"--key-file", annsKey, "--key-name", "ann"}, 0},
		{byKey, "unknown name or wrong key", []string{"--key-file", annsKey, "--key-name", "bob"}, exitConnection},
		{byKey, "belong together", []string{"--key-file", annsKey}, exitUsage},
		{byKey, "belong together", []string{"--key-name", "ann"}, exitUsage},
		{byKey, "exclude each other", []string{"--key-file", annsKey, "--key-name", "ann", "--token-file", token}, exitUsage},
		{byKey, "no such file", []string{"--token-file", token + "x"}, exitFailed},
	} {
		out, errs, code := gorpyc(t, "", append([]string{"call", tt.addr, "add", "1", "2"}, tt.args...)...)
		require.Equal(t, tt.code, code, "%v: %s", tt.args, errs)
		require.Contains(t, out+errs, tt.want)
		require.NotContains(t, errs, "16-bytes")
	}
}
