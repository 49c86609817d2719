package protocol_test

import (
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// TestConfigFromRPyCsDefaults makes a Config of RPyC's own defaults, which is the zero Config.
func TestConfigFromRPyCsDefaults(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST RPyC: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	out, err := exec.Command(python, "-c", "import json; from rpyc.core.protocol import DEFAULT_CONFIG\n"+
		"print(json.dumps(DEFAULT_CONFIG, default=list))").Output()
	require.NoError(t, err)
	var keys map[string]any
	require.NoError(t, json.Unmarshal(out, &keys))
	keys["bind_threads"] = false // the only one that depends on the environment
	cfg, err := protocol.ConfigFrom(keys)
	require.NoError(t, err)
	require.Empty(t, cfg.Access.ExtraSafe)
	cfg.Access.ExtraSafe = nil
	require.Equal(t, &protocol.Config{Timeout: 30 * time.Second}, cfg)
	for key := range keys {
		if key == "credentials" {
			continue
		}
		_, err := protocol.ConfigFrom(map[string]any{key: struct{}{}})
		require.ErrorContains(t, err, key)
	}
}

// TestConfigFrom gives each key a value that is not RPyC's default.
func TestConfigFrom(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	keys := map[string]any{
		"allow_safe_attrs": false, "allow_exposed_attrs": false, "allow_public_attrs": true, "allow_all_attrs": true,
		"allow_getattr": false, "allow_setattr": true, "allow_delattr": true, "allow_pickle": true,
		"include_local_traceback": false, "include_local_version": false, "bind_threads": true,
		"propagate_KeyboardInterrupt_locally": false, "exposed_prefix": "open_", "connid": "mine", "logger": logger,
		"credentials": 7, "sync_request_timeout": 2.5, "safe_attrs": []any{"__len__", "__len__"},
	}
	cfg, err := protocol.ConfigFrom(keys)
	require.NoError(t, err)
	require.Equal(t, &protocol.Config{
		Access: exposed.Policy{DenySafe: true, DenyExposed: true, AllowPublic: true, AllowAll: true, DenyGet: true,
			AllowSet: true, AllowDel: true, Prefix: "open_", Safe: []string{"__len__"}},
		AllowPickle: true, HideTraceback: true, HideVersion: true, BindThreads: true, SendKeyboardInterrupt: true,
		Name: "mine", Logger: logger, Credentials: 7, Timeout: 2500 * time.Millisecond,
	}, cfg)

	for _, row := range []struct {
		keys map[string]any
		want protocol.Config
	}{
		{nil, protocol.Config{}},
		{map[string]any{"sync_request_timeout": nil, "logger": nil, "connid": nil}, protocol.Config{Timeout: -1}},
		{map[string]any{"sync_request_timeout": time.Minute}, protocol.Config{Timeout: time.Minute}},
		{map[string]any{"sync_request_timeout": int64(3)}, protocol.Config{Timeout: 3 * time.Second}},
		{map[string]any{"exposed_prefix": ""}, protocol.Config{Access: exposed.Policy{NoPrefix: true}}},
		{map[string]any{"exposed_prefix": "exposed_", "allow_safe_attrs": true}, protocol.Config{}},
		{map[string]any{"safe_attrs": brine.FrozenSet{}}, protocol.Config{Access: exposed.Policy{Safe: []string{}}}},
		{map[string]any{"safe_attrs": map[string]bool{"a": true, "b": false}},
			protocol.Config{Access: exposed.Policy{Safe: []string{"a"}}}},
		{map[string]any{"safe_attrs": append(exposed.SafeNames(), "__call__")},
			protocol.Config{Access: exposed.Policy{ExtraSafe: []string{"__call__"}}}},
		{map[string]any{"log_exceptions": true, "endpoints": nil, "close_catchall": false}, protocol.Config{}},
	} {
		cfg, err := protocol.ConfigFrom(row.keys)
		require.NoError(t, err)
		require.Equal(t, &row.want, cfg, "%v", row.keys)
	}
}

// TestConfigFromRefuses has a wrong key or value, and the words of the error.
func TestConfigFromRefuses(t *testing.T) {
	for text, keys := range map[string]map[string]any{
		`rpyc: configuration key "allow_pickel": RPyC has no such key. Did you mean: "allow_pickle"?`: {"allow_pickel": 1},
		`rpyc: configuration key "port": RPyC has no such key`:                                        {"port": 1},
		`rpyc: configuration key "allow_pickle": want a bool, got 1 of type int`:                      {"allow_pickle": 1},
		`rpyc: configuration key "allow_getattr": want a bool, got no of type string`:                 {"allow_getattr": "no"},
		`rpyc: configuration key "connid": want a string or nil, got 1 of type int`:                   {"connid": 1},
		`rpyc: configuration key "sync_request_timeout": want a number of seconds above 0, got 0 of type int`: {
			"sync_request_timeout": 0},
		`rpyc: configuration key "safe_attrs": want names, got 1 of type int`: {"safe_attrs": []any{1}},
		`rpyc: configuration key "import_custom_exceptions": has no meaning in Go: nothing is imported; exceptions of any ` +
			`class come as what they are. Leave it out, or at False`: {"import_custom_exceptions": true},
		`rpyc: configuration key "before_closed": has no meaning in Go: what comes before Conn.Close is the caller's ` +
			`code. Leave it out, or at None`: {"before_closed": func() {}},
	} {
		_, err := protocol.ConfigFrom(keys)
		require.EqualError(t, err, text)
		var e *protocol.ConfigError
		require.ErrorAs(t, err, &e)
		require.Contains(t, maps.Collect(maps.All(keys)), e.Key)
	}
	_, err := protocol.ConfigFrom(map[string]any{"port": 1, "log_exceptions": false})
	require.ErrorContains(t, err, "port")
	require.ErrorIs(t, err, protocol.ErrNoMeaning)
}
