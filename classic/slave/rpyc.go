//go:build unix

package slave

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// The package rpyc, as clients use it on their server: to go on from there to another server, and to teleport
// functions.

// packages are the modules that a service has beside those of package modules. The program's own come first.
func (s *Service) packages(own map[string]any) map[string]any {
	all := map[string]any{
		"rpyc":                     s.newRpyc,
		"rpyc.version":             newVersion,
		"rpyc.lib":                 func() any { return s.parent("rpyc.lib", "compat") },
		"rpyc.utils":               func() any { return s.parent("rpyc.utils", "classic", "teleportation") },
		"rpyc.utils.classic":       s.newClassic,
		"rpyc.utils.teleportation": s.newTeleportation,
	}
	maps.Copy(all, own)
	return all
}

// parent makes a package of the modules in it.
func (s *Service) parent(name string, children ...string) *modules.Module {
	m := modules.New(name, "")
	for _, child := range children {
		if v, err := s.interp.Import(name + "." + child); err == nil { // or it is not allowed
			m.Set(child, v)
		}
	}
	return m
}

func newVersion() any {
	release := wire.FamilyD.Version()
	return modules.New("rpyc.version", "").Const("version", release3(release), "version_string", release,
		"__version__", release)
}

// release3 is a release as a tuple of numbers.
func release3(s string) any {
	var t [3]int
	for i, part := range strings.SplitN(s, ".", len(t)) {
		t[i], _ = strconv.Atoi(part)
	}
	return t
}

func (s *Service) newRpyc() any {
	m := s.parent("rpyc", "lib", "utils", "version")
	m.Const("__version__", wire.FamilyD.Version())
	if v, err := s.interp.Import("rpyc.utils.classic"); err == nil {
		m.Set("classic", v)
	}
	dial := func(ctx context.Context, network, addr string) (*connection, error) {
		c, err := protocol.Dial(ctx, network, addr, nil)
		if err != nil {
			return nil, err
		}
		s.opened.add(c)
		return &connection{conn: c}, nil
	}
	m.Def("connect", func(ctx context.Context, host any, port int, service, config, ipv6, _ any) (*connection, error) {
		if err := plain(ctx, service, config); err != nil {
			return nil, err
		}
		network, addr, err := address(ctx, host, port, ipv6)
		if err != nil {
			return nil, err
		}
		return dial(ctx, network, addr)
	}, "host", "port", "service=None", "config=None", "ipv6=False", "keepalive=False")
	m.Def("unix_connect", func(ctx context.Context, path string, service, config any) (*connection, error) {
		if err := plain(ctx, service, config); err != nil {
			return nil, err
		}
		return dial(ctx, "unix", path)
	}, "path", "service=None", "config=None")
	return m
}

func (s *Service) newClassic() any {
	m := modules.New("rpyc.utils.classic", "")
	port, _ := strconv.Atoi(classic.DefaultPort)
	m.Const("DEFAULT_SERVER_PORT", port)
	wrap := func(c *classic.Conn, err error) (*connection, error) {
		if err != nil {
			return nil, err
		}
		s.opened.add(c.Conn)
		return &connection{c.Conn, c}, nil
	}
	m.Def("connect", func(ctx context.Context, host any, port int, ipv6, _ any) (*connection, error) {
		network, addr, err := address(ctx, host, port, ipv6)
		if err != nil {
			return nil, err
		}
		return wrap(classic.DialWith(ctx, new(protocol.Dialer), network, addr))
	}, "host", "port="+classic.DefaultPort, "ipv6=False", "keepalive=False")
	m.Def("unix_connect", func(ctx context.Context, path string) (*connection, error) {
		return wrap(classic.DialUnix(ctx, path, nil))
	}, "path")
	return m
}

// plain refuses what a connection opened here cannot have: a service of its own, and other rights.
func plain(ctx context.Context, service, config any) error {
	given := service != nil
	if !given && config != nil {
		n, err := exposed.Len(ctx, config)
		if err != nil {
			return err
		}
		given = n > 0
	}
	if given {
		return vinegar.NotImplementedError.New("this server opens connections without a service and with RPyC's default " +
			"configuration only")
	}
	return nil
}

func address(ctx context.Context, host any, port int, ipv6 any) (network, addr string, err error) {
	name, ok := host.(string)
	if b, isBytes := host.([]byte); isBytes {
		name, ok = string(b), true
	}
	if !ok {
		return "", "", vinegar.TypeError.Errorf("getaddrinfo() argument 1 must be string or None")
	}
	if port < 0 || port > 65535 {
		return "", "", vinegar.OverflowError.New("getsockaddrarg: port must be 0-65535.")
	}
	six, err := exposed.Truth(ctx, ipv6)
	network = "tcp4"
	if six {
		network = "tcp6"
	}
	return network, net.JoinHostPort(name, strconv.Itoa(port)), err
}

// connections are those that a client has opened from here; they end with its own.
type connections struct {
	mu   sync.Mutex
	set  map[*protocol.Conn]struct{}
	over bool
}

func (s *connections) add(c *protocol.Conn) {
	s.mu.Lock()
	over := s.over
	if s.set == nil {
		s.set = map[*protocol.Conn]struct{}{}
	}
	s.set[c] = struct{}{}
	s.mu.Unlock()
	c.AfterDone(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.set, c)
	})
	if over {
		_ = c.CloseNow()
	}
}

func (s *connections) close() {
	s.mu.Lock()
	s.over = true
	open := slices.Collect(maps.Keys(s.set))
	s.mu.Unlock()
	for _, c := range open {
		_ = c.CloseNow()
	}
}

// connection is an end of a connection that is on this server, as far as clients use it: the one to the client itself,
// which getconn returns, or one that the client has opened from here.
type connection struct {
	conn    *protocol.Conn
	classic *classic.Conn // to a classic server; nil for others
}

var _ = exposed.Register[connection](exposed.ClassOptions{
	Name: "rpyc.core.protocol.Connection",
	Properties: map[string]exposed.Property{
		"root":            {Hidden: true, Get: func(c *connection) any { return c.conn.Root() }},
		"closed":          {Hidden: true, Get: func(c *connection) bool { return c.conn.Err() != nil }},
		"_last_traceback": {Hidden: true, Get: func(*connection) any { return nil }},
		"_local_root":     {Hidden: true, Get: func(c *connection) any { return c.conn.Local() }},
		"modules": classicProperty("modules", func(_ context.Context, c *classic.Conn) (any, error) {
			return &moduleNamespace{c}, nil
		}),
		"builtins": classicProperty("builtins", builtinsOf),
		"builtin":  classicProperty("builtin", builtinsOf),
		"namespace": classicProperty("namespace", func(ctx context.Context, c *classic.Conn) (any, error) {
			return c.Namespace(ctx)
		}),
		"eval":    classicProperty("eval", rootMethod("eval")),
		"execute": classicProperty("execute", rootMethod("execute")),
	},
	Hidden: map[string]any{
		"ping":      func(c *connection, ctx context.Context) error { _, err := c.conn.Ping(ctx); return err },
		"close":     func(c *connection) error { return c.conn.Close() },
		"__enter__": func(c *connection) *connection { return c },
		"__exit__":  exposed.Func(func(c *connection, _, _, _ any) error { return c.conn.Close() }, "t", "v", "tb"),
	},
})

// classicProperty is an attribute that connections to other than classic servers do not have.
func classicProperty(name string, get func(context.Context, *classic.Conn) (any, error)) exposed.Property {
	return exposed.Property{Hidden: true, Get: func(c *connection, ctx context.Context) (any, error) {
		if c.classic == nil {
			return nil, vinegar.AttributeError.Errorf("'Connection' object has no attribute '%s'", name)
		}
		return get(ctx, c.classic)
	}}
}

func builtinsOf(ctx context.Context, c *classic.Conn) (any, error) { return c.Module(ctx, "builtins") }

func rootMethod(name string) func(context.Context, *classic.Conn) (any, error) {
	return func(ctx context.Context, c *classic.Conn) (any, error) { return c.Root().Get(ctx, name) }
}

// moduleNamespace is conn.modules: attributes and items are the other server's modules.
type moduleNamespace struct{ conn *classic.Conn }

var _ = exposed.Register[moduleNamespace](exposed.ClassOptions{
	Name: "rpyc.core.service.ModuleNamespace",
	Omit: []string{"Module", "HasModule"},
	Hidden: map[string]any{
		"__getitem__":  exposed.Func((*moduleNamespace).Module, "name"),
		"__contains__": exposed.Func((*moduleNamespace).HasModule, "name"),
	},
})

// Module imports a module.
func (n *moduleNamespace) Module(ctx context.Context, name string) (any, error) {
	return n.conn.Module(ctx, name)
}

// HasModule is name in conn.modules.
func (n *moduleNamespace) HasModule(ctx context.Context, name string) (bool, error) {
	return n.conn.HasModule(ctx, name)
}

// PyGetAttr imports a module of that name; special methods are the class's.
func (n *moduleNamespace) PyGetAttr(ctx context.Context, name string) (any, error) {
	switch name {
	case "__getitem__":
		return exposed.Func(n.Module, "name"), nil
	case "__contains__":
		return exposed.Func(n.HasModule, "name"), nil
	}
	m, err := n.conn.Module(ctx, name)
	if errors.Is(err, vinegar.ImportError) {
		return nil, vinegar.AttributeError.New(name)
	}
	return m, err
}
