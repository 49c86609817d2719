// Command goclient performs one scenario of the compatibility tests' client programs against a behaviour service:
//
//	goclient HOST PORT SCENARIO TAG
//
// It prints a JSON object for each step, as compat_tests/README.md says under "Client programs";
// reference/ref_client.py defines the steps. The order of the steps and their names are part of the definition.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

var scenarios = map[string]func(ctx context.Context, c *client) error{
	"calls":       calls,
	"kwargs":      kwargs,
	"values":      values,
	"big":         bigMessages,
	"callbacks":   callbacks,
	"exceptions":  exceptions,
	"iteration":   iteration,
	"references":  references,
	"containers":  containers,
	"ctx":         contextManagers,
	"async_calls": asyncCalls,
	"threads":     threads,
	"timeout":     timeout,
	"close":       closing,
	"ping":        ping,
	"operators":   operators,
	"attributes":  attributes,
	"greeting":    greeting,
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "goclient:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: goclient HOST PORT SCENARIO TAG")
	}
	perform, ok := scenarios[args[2]]
	if !ok {
		names := slices.Sorted(maps.Keys(scenarios))
		return fmt.Errorf("no scenario %q, only %s", args[2], strings.Join(names, ", "))
	}
	c := &client{host: args[0], tag: args[3], out: json.NewEncoder(out)}
	c.out.SetEscapeHTML(false)
	port, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("port: %w", err)
	}
	c.port = port
	if c.conn, err = c.connect(ctx); err != nil {
		return err
	}
	c.root = c.conn.Root()
	if err := perform(ctx, c); err != nil {
		return fmt.Errorf("%s: %w", args[2], err)
	}
	if err := errors.Join(c.conn.Close(), c.err); err != nil {
		return err
	}
	return c.out.Encode(doneLine{Step: "done"})
}

// client is one run: a connection to the service, and where the steps are written.
type client struct {
	host string
	port int
	tag  string
	out  *json.Encoder
	err  error // the first line that could not be written

	conn *protocol.Conn
	root *netref.Object
}

// connect opens one more connection to the service.
func (c *client) connect(ctx context.Context) (*protocol.Conn, error) {
	return c.dial(ctx, c.port, nil, protocol.Config{})
}

// dial opens a connection to a port of the service, whose peer gets root. What the first connection found out about the
// peer's dialect, later ones are told.
func (c *client) dial(ctx context.Context, port int, root any, cfg protocol.Config) (*protocol.Conn, error) {
	if c.conn != nil {
		cfg.Dialect = c.conn.Dialect()
	}
	cfg.BindThreads = os.Getenv("RPYC_BIND_THREADS") == "true" // as RPyC's own default
	d := &protocol.Dialer{Config: &cfg, Root: root}
	return d.Dial(ctx, "tcp", net.JoinHostPort(c.host, strconv.Itoa(port)))
}

// endpoint connects to the service under another configuration.
func (c *client) endpoint(ctx context.Context, name string) (*protocol.Conn, error) {
	port, err := netref.Call[int](ctx, c.root, "endpoint", name)
	if err != nil {
		return nil, err
	}
	return c.dial(ctx, port, nil, protocol.Config{})
}

// step performs one step and writes its line.
func step[T any](ctx context.Context, c *client, name string, perform func(context.Context) (T, error)) {
	v, err := perform(ctx)
	if err != nil {
		c.write(errorLine{Step: name, Error: encodeError(err)})
		return
	}
	form, err := encode(v)
	if err != nil {
		c.write(errorLine{Step: name, Error: encodeError(err)})
		return
	}
	c.write(valueLine{Step: name, Value: form})
}

// do performs a step that has no value.
func do(ctx context.Context, c *client, name string, perform func(context.Context) error) {
	step(ctx, c, name, func(ctx context.Context) (any, error) { return nil, perform(ctx) })
}

// call performs the step of calling a method of the root.
func (c *client) call(ctx context.Context, name, method string, args ...any) {
	step(ctx, c, name, func(ctx context.Context) (any, error) { return c.root.CallMethod(ctx, method, args...) })
}

func (c *client) write(line any) {
	if err := c.out.Encode(line); err != nil && c.err == nil {
		c.err = err
	}
}

// events is the service's event log.
func (c *client) events(ctx context.Context) ([]string, error) {
	return netref.Call[[]string](ctx, c.root, "events")
}

// logged waits for a line in the event log.
func (c *client) logged(ctx context.Context, text string) (bool, error) {
	return until(func() (bool, error) {
		lines, err := c.events(ctx)
		return slices.Contains(lines, text), err
	})
}

// until collects garbage until check holds, for ten seconds at most: what is checked here depends on handles and
// objects that were dropped.
func until(check func() (bool, error)) (bool, error) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		if ok, err := check(); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// pair is for steps that report several values as a tuple.
func pair(a, b any) brine.Tuple { return brine.Tuple{a, b} }
