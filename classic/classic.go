package classic

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The ports that rpyc_classic listens on (DEFAULT_SERVER_PORT, DEFAULT_SERVER_SSL_PORT).
const (
	DefaultPort    = "18812"
	DefaultTLSPort = "18821"
)

// Conn is a connection to a classic server. It is safe for concurrent use. The embedded connection does everything else
// that connections do, closing among it.
type Conn struct {
	*protocol.Conn

	mu      sync.Mutex
	modules map[string]*netref.Object
	python  []int
}

// New makes a Conn of a connection, however it was made. It asks nothing of the peer: whether that is a classic server
// shows with the first use. Set Config.SendKeyboardInterrupt, as the functions of this package do that connect, if a
// person uses Interact.
func New(c *protocol.Conn) *Conn { return &Conn{Conn: c, modules: map[string]*netref.Object{}} }

// config is cfg for a connection whose other end may have a person type Ctrl-C here.
func config(cfg *protocol.Config) *protocol.Config {
	var own protocol.Config
	if cfg != nil {
		own = *cfg
	}
	own.SendKeyboardInterrupt = true
	return &own
}

func wrap(c *protocol.Conn, err error) (*Conn, error) {
	if err != nil {
		return nil, err
	}
	c.Root().Peer().SetPickles(true) // as classic servers do; one that does not says so when it is asked
	return New(c), nil
}

// withPort adds the port if the address has none.
func withPort(addr, port string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), port)
}

// Dial connects to a classic server over TCP (rpyc.classic.connect). addr is a host, or host:port; the default port is
// [DefaultPort]. ctx bounds the connecting only. A nil cfg is RPyC's default.
func Dial(ctx context.Context, addr string, cfg *protocol.Config) (*Conn, error) {
	return wrap(protocol.DialService(ctx, "tcp", withPort(addr, DefaultPort), newGuest(), config(cfg)))
}

// DialTLS is [Dial] over TLS (rpyc.classic.ssl_connect), with [DefaultTLSPort] as the default. See protocol.DialTLS for
// the configuration. The rpyc_classic of releases before RPyC 5 offers TLS 1.0 only, which tlsConfig has to allow.
func DialTLS(ctx context.Context, addr string, tlsConfig *tls.Config, cfg *protocol.Config) (*Conn, error) {
	if tlsConfig == nil {
		tlsConfig = &tls.Config{}
	}
	d := &protocol.Dialer{Config: cfg, Options: transport.Options{TLS: tlsConfig}}
	return DialWith(ctx, d, "tcp", withPort(addr, DefaultTLSPort))
}

// DialWith connects as d says: through an SSH tunnel or a proxy, with keepalive or other options. If d has no Root, the
// server gets a root with nothing in it, as it does from [Dial]. addr is complete.
func DialWith(ctx context.Context, d *protocol.Dialer, network, addr string) (*Conn, error) {
	own := *d
	if own.Root == nil {
		own.Root = newGuest()
	}
	own.Config = config(d.Config)
	return wrap(own.Dial(ctx, network, addr))
}

// DialUnix connects to a classic server at a Unix socket (rpyc.classic.unix_connect).
func DialUnix(ctx context.Context, path string, cfg *protocol.Config) (*Conn, error) {
	return wrap(protocol.DialService(ctx, "unix", path, newGuest(), config(cfg)))
}

// DialStream makes a connection of a stream at whose other end is a classic server (rpyc.classic.connect_stream). A
// stream cannot be tried twice: for a server before RPyC 6.0, Config.Dialect has to be set.
func DialStream(ctx context.Context, stream io.ReadWriteCloser, cfg *protocol.Config) (*Conn, error) {
	return wrap(protocol.DialStream(ctx, stream, newGuest(), config(cfg)))
}

// DialSubprocess starts a program that serves classic mode on its standard input and output, and connects to it
// (rpyc.classic.connect_subproc): rpyc_classic -m stdio. See protocol.DialSubprocess for what becomes of the process.
func DialSubprocess(ctx context.Context, cmd *exec.Cmd, cfg *protocol.Config) (*Conn, error) {
	return wrap(protocol.DialSubprocess(ctx, cmd, newGuest(), config(cfg)))
}

// Module imports a module of the server's and returns a handle on it (conn.modules). The name may have dots. It is
// asked for once per connection. A module that is not there is an error of class ImportError.
func (c *Conn) Module(ctx context.Context, name string) (*netref.Object, error) {
	c.mu.Lock()
	m := c.modules[name]
	c.mu.Unlock()
	if m != nil && !m.Released() {
		return m, nil
	}
	m, err := netref.Call[*netref.Object](ctx, c.Root(), "getmodule", name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.modules[name] = m
	c.mu.Unlock()
	return m, nil
}

// HasModule reports whether the server can find a module, which need not mean that it can be imported (name in
// conn.modules). The packages that it is in are imported.
func (c *Conn) HasModule(ctx context.Context, name string) (bool, error) {
	finder, err := c.Module(ctx, "importlib.util")
	if err == nil {
		var spec any
		spec, err = finder.CallMethod(ctx, "find_spec", name)
		if err == nil {
			return spec != nil, nil
		}
		// of a package on the way; of a module without a spec
		if errors.Is(err, vinegar.ImportError) || errors.Is(err, vinegar.ValueError) {
			_, err = c.Module(ctx, name)
			return found(err)
		}
	}
	if !errors.Is(err, vinegar.ImportError) && !errors.Is(err, vinegar.AttributeError) {
		return false, err
	}
	_, err = c.Module(ctx, name) // Python 2 cannot tell without trying
	return found(err)
}

func found(err error) (bool, error) {
	if errors.Is(err, vinegar.ImportError) {
		return false, nil
	}
	return err == nil, err
}

// Builtins returns a handle on the module of Python's builtins (conn.builtins).
func (c *Conn) Builtins(ctx context.Context) (*netref.Object, error) {
	m, err := c.Module(ctx, "builtins")
	if errors.Is(err, vinegar.ImportError) { // Python 2
		m, err = c.Module(ctx, "__builtin__")
	}
	return m, err
}

// Namespace returns a handle on the dict in which Execute and Eval run (conn.namespace). It belongs to this connection.
func (c *Conn) Namespace(ctx context.Context) (*netref.Object, error) {
	return netref.Get[*netref.Object](ctx, c.Root(), "namespace")
}

// Execute runs statements in the connection's namespace (conn.execute).
func (c *Conn) Execute(ctx context.Context, statements string) error {
	return c.Root().CallMethodInto(ctx, nil, "execute", statements)
}

// Eval evaluates an expression in the connection's namespace (conn.eval) and returns the value as received: by value,
// or as a handle. See the function of the same name for one of a Go type.
func (c *Conn) Eval(ctx context.Context, expression string) (any, error) {
	return c.Root().CallMethod(ctx, "eval", expression)
}

// Eval evaluates an expression in the connection's namespace and converts its value as netref.Assign does.
func Eval[T any](ctx context.Context, c *Conn, expression string) (T, error) {
	return netref.Call[T](ctx, c.Root(), "eval", expression)
}

// Call calls a function of a module by its full name, such as "os.path.join" or "builtins.sorted", and converts the
// result as netref.Assign does. What comes before the last dot is the module.
func Call[T any](ctx context.Context, c *Conn, function string, args ...any) (T, error) {
	module, name, err := c.split(ctx, function)
	if err != nil {
		var none T
		return none, err
	}
	return netref.Call[T](ctx, module, name, args...)
}

// split finds the module of a function's full name.
func (c *Conn) split(ctx context.Context, function string) (*netref.Object, string, error) {
	dot := strings.LastIndexByte(function, '.')
	if dot < 0 {
		m, err := c.Builtins(ctx)
		return m, function, err
	}
	if function[:dot] == "builtins" {
		m, err := c.Builtins(ctx)
		return m, function[dot+1:], err
	}
	m, err := c.Module(ctx, function[:dot])
	return m, function[dot+1:], err
}

// Remote returns a handle on the server's own end of the connection (conn.root.getconn()), which knows things like
// _last_traceback.
func (c *Conn) Remote(ctx context.Context) (*netref.Object, error) {
	return netref.Call[*netref.Object](ctx, c.Root(), "getconn")
}

// SetCompression says whether the server compresses messages of more than 3000 bytes, as RPyC does unless it is told
// otherwise. A CPython compresses some 40 MB a second, so that without it downloads are several times as fast on all
// but slow networks. It is for this connection alone. Servers that are no RPyC have no such switch: an AttributeError.
func (c *Conn) SetCompression(ctx context.Context, on bool) error {
	remote, err := c.Remote(ctx)
	if err != nil {
		return err
	}
	channel, err := netref.Get[*netref.Object](ctx, remote, "_channel")
	if err != nil {
		return err
	}
	return channel.Set(ctx, "compress", on)
}

// Python returns the version of the Python that serves, such as [3 11 7]. It is asked for once.
func (c *Conn) Python(ctx context.Context) ([]int, error) {
	c.mu.Lock()
	v := c.python
	c.mu.Unlock()
	if v != nil {
		return v, nil
	}
	sys, err := c.Module(ctx, "sys")
	if err != nil {
		return nil, err
	}
	info, err := sys.Get(ctx, "version_info")
	if err != nil {
		return nil, err
	}
	var parts []any
	switch info := info.(type) {
	case *netref.Object:
		for i := range 3 {
			part, err := info.Item(ctx, i)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
		}
	case brine.Tuple:
		parts = info[:min(3, len(info))]
	}
	for _, p := range parts {
		n, err := netref.As[int](ctx, p)
		if err != nil {
			return nil, err
		}
		v = append(v, n)
	}
	if len(v) != 3 {
		return nil, fmt.Errorf("classic: sys.version_info is %v", info)
	}
	c.mu.Lock()
	c.python = v
	c.mu.Unlock()
	return v, nil
}

// needsPython explains why a server lacks a module of Python's library that its modules written in Go do not stand in
// for.
func needsPython(err error) error {
	if errors.Is(err, vinegar.ModuleNotFoundError) {
		return fmt.Errorf("classic: this takes a server with a Python, such as RPyC's or rpyc_classic --engine python3: %w",
			err)
	}
	return err
}
