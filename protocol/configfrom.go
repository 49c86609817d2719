package protocol

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/internal/similar"
)

// ConfigFrom makes a Config of a configuration with RPyC's keys, those of rpyc.core.protocol.DEFAULT_CONFIG of any
// release, as a JSON or YAML file may have them. Keys that are not there, and nil in place of what RPyC has None for,
// are RPyC's defaults; bind_threads is False then, whatever RPYC_BIND_THREADS says.
//
//	allow_*, include_*, propagate_KeyboardInterrupt_locally, bind_threads  a bool
//	exposed_prefix, connid                                                 a string
//	safe_attrs                                                             a []string, or a list, tuple or set of names
//	sync_request_timeout                                                   a number of seconds, a time.Duration, or nil for none
//	logger                                                                 a *slog.Logger
//	credentials                                                            any value
//
// The other keys of RPyC have no meaning here, and are accepted with their default only: import_custom_exceptions and
// both instantiate_ keys, since exceptions of any class come as what they are; propagate_SystemExit_locally; endpoints;
// log_exceptions, which the logger's level decides; before_closed and close_catchall. The error joins a *[ConfigError]
// for each key that something is wrong with.
func ConfigFrom(keys map[string]any) (*Config, error) {
	cfg := &Config{}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		set := configKeys[key]
		var err error
		if set == nil {
			err = unknownKey(key)
		} else {
			err = set(cfg, keys[key])
		}
		if err != nil {
			errs = append(errs, &ConfigError{Key: key, Err: err})
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return cfg, nil
}

// ConfigError says what is wrong with a key of RPyC's configuration, for [ConfigFrom].
type ConfigError struct {
	Key string
	Err error
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("rpyc: configuration key %q: %v", e.Key, e.Err)
}

// Unwrap returns what is wrong.
func (e *ConfigError) Unwrap() error { return e.Err }

// ErrNoMeaning is what is wrong with a key of RPyC's that has no meaning here, and is not as by default.
var ErrNoMeaning = errors.New("has no meaning in Go")

func unknownKey(key string) error {
	if near := similar.Nearest(key, maps.Keys(configKeys)); near != "" {
		return fmt.Errorf("RPyC has no such key. Did you mean: %q?", near)
	}
	return errors.New("RPyC has no such key")
}

// configKeys are the keys of RPyC 3 to 6 and rpyc-ng 7, and what they set.
var configKeys = map[string]func(c *Config, v any) error{
	"allow_safe_attrs":        off(func(c *Config) *bool { return &c.Access.DenySafe }),
	"allow_exposed_attrs":     off(func(c *Config) *bool { return &c.Access.DenyExposed }),
	"allow_public_attrs":      on(func(c *Config) *bool { return &c.Access.AllowPublic }),
	"allow_all_attrs":         on(func(c *Config) *bool { return &c.Access.AllowAll }),
	"allow_getattr":           off(func(c *Config) *bool { return &c.Access.DenyGet }),
	"allow_setattr":           on(func(c *Config) *bool { return &c.Access.AllowSet }),
	"allow_delattr":           on(func(c *Config) *bool { return &c.Access.AllowDel }),
	"allow_pickle":            on(func(c *Config) *bool { return &c.AllowPickle }),
	"include_local_traceback": off(func(c *Config) *bool { return &c.HideTraceback }),
	"include_local_version":   off(func(c *Config) *bool { return &c.HideVersion }),
	"bind_threads":            on(func(c *Config) *bool { return &c.BindThreads }),

	"propagate_KeyboardInterrupt_locally": off(func(c *Config) *bool { return &c.SendKeyboardInterrupt }),

	"safe_attrs": setSafe, "exposed_prefix": setPrefix, "sync_request_timeout": setTimeout,
	"connid":      orNone(func(c *Config, name string) { c.Name = name }),
	"logger":      orNone(func(c *Config, l *slog.Logger) { c.Logger = l }),
	"credentials": func(c *Config, v any) error { c.Credentials = v; return nil },

	"import_custom_exceptions":        always(false, "nothing is imported; exceptions of any class come as what they are"),
	"instantiate_custom_exceptions":   always(false, "exceptions of any class come as what they are"),
	"instantiate_oldstyle_exceptions": always(false, "exceptions of any class come as what they are"),
	"propagate_SystemExit_locally":    always(false, "a peer that raises SystemExit does not end this program"),
	"log_exceptions":                  always(true, "the level of the logger decides"),
	"endpoints":                       always(nil, "see Conn.LocalAddr and Conn.RemoteAddr"),
	"before_closed":                   always(nil, "what comes before Conn.Close is the caller's code"),
	"close_catchall":                  always(false, "Conn.Close returns its error"),
}

func want(what string, v any) error { return fmt.Errorf("want %s, got %v of type %T", what, v, v) }

// on makes a setter for a field that is named as the key, off for one that is named for the contrary.
func on(field func(*Config) *bool) func(*Config, any) error {
	return func(c *Config, v any) error {
		b, ok := v.(bool)
		if !ok {
			return want("a bool", v)
		}
		*field(c) = b
		return nil
	}
}

func off(field func(*Config) *bool) func(*Config, any) error {
	return func(c *Config, v any) error {
		err := on(field)(c, v)
		*field(c) = v == false
		return err
	}
}

// orNone makes a setter for what is None by default.
func orNone[T any](set func(*Config, T)) func(*Config, any) error {
	return func(c *Config, v any) error {
		t, ok := v.(T)
		if !ok && v != nil {
			return want(fmt.Sprintf("a %T or nil", t), v)
		}
		set(c, t)
		return nil
	}
}

// always makes a setter for a key without a meaning, which takes RPyC's default.
func always(value any, why string) func(*Config, any) error {
	return func(_ *Config, v any) error {
		if eq, ok := v.(bool); v == nil && value == nil || ok && eq == value {
			return nil
		}
		return fmt.Errorf("%w: %s. Leave it out, or at %v", ErrNoMeaning, why, pyvalue.Repr(value))
	}
}

func setPrefix(c *Config, v any) error {
	prefix, ok := v.(string)
	if !ok {
		return want("a string", v)
	}
	c.Access.NoPrefix = prefix == ""
	if prefix != exposed.DefaultPrefix {
		c.Access.Prefix = prefix
	}
	return nil
}

func setTimeout(c *Config, v any) error {
	var seconds float64
	switch n := v.(type) {
	case nil:
		c.Timeout = -1
		return nil
	case time.Duration:
		seconds = n.Seconds()
	case int:
		seconds = float64(n)
	case int64:
		seconds = float64(n)
	case float64:
		seconds = n
	default:
		return want("a number of seconds, a time.Duration or nil", v)
	}
	const most = math.MaxInt64 / float64(time.Second)
	if !(seconds > 0 && seconds < most) {
		return want("a number of seconds above 0", v)
	}
	c.Timeout = time.Duration(seconds * float64(time.Second))
	return nil
}

func setSafe(c *Config, v any) error {
	names, err := nameSet(v)
	if err != nil {
		return err
	}
	standard := exposed.SafeNames()
	extra := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(standard, n) })
	if len(names)-len(extra) == len(standard) {
		c.Access.ExtraSafe = extra
	} else {
		c.Access.Safe = names
	}
	return nil
}

// nameSet returns the names in a list or set, sorted and each once.
func nameSet(v any) ([]string, error) {
	names := []string{}
	var items []any
	switch v := v.(type) {
	case []string:
		names = append(names, v...)
	case map[string]bool:
		for name, in := range v {
			if in {
				names = append(names, name)
			}
		}
	case map[string]struct{}:
		names = slices.Collect(maps.Keys(v))
	case []any:
		items = v
	case brine.Tuple:
		items = v
	case brine.FrozenSet:
		items = v
	default:
		return nil, want("a list of names", v)
	}
	for _, item := range items {
		name, ok := item.(string)
		if !ok {
			return nil, want("names", item)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
