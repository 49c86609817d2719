//go:build unix

package slave

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Options configure a [Service]. The zero value and nil serve all modules of package modules, with the limits of
// package script.
type Options struct {
	// Modules says which modules clients find; its Evaluator is set by the service.
	Modules modules.Options
	// Script bounds what eval and execute may use.
	Script script.Limits
	// DenyScript makes eval and execute raise PermissionError.
	DenyScript bool
}

// Service is the root object of one connection of a classic server (rpyc.core.service.SlaveService). It has a namespace
// and modules of its own. It is safe for concurrent use; make one for each connection.
type Service struct {
	namespace *exposed.Dict
	interp    *modules.Interpreter
	eval      *script.Evaluator
	deny      bool
	conn      *protocol.Conn
	opened    connections
}

// New returns what servers.Server.NewService wants: a func that makes a Service for each connection. o is copied.
func New(o *Options) func() any {
	var own Options
	if o != nil {
		own = *o
	}
	return func() any { return NewService(&own) }
}

// NewService makes the root object of one connection. nil means the defaults.
func NewService(o *Options) *Service {
	if o == nil {
		o = new(Options)
	}
	s := &Service{deny: o.DenyScript}
	s.namespace = exposed.NewDict().ConvertKeys(s.key)
	s.eval = script.New(s.namespace, &o.Script)
	m := o.Modules
	m.Modules = s.packages(o.Modules.Modules)
	m.Evaluator = s.eval
	if s.deny {
		m.Evaluator = nil
	}
	s.interp = modules.NewInterpreter(&m)
	s.eval.Importer = s.interp.Import
	return s
}

// Config returns a copy of c with the rights that a slave gives its master: every attribute may be read, set and
// deleted, and the prefix "exposed_" means nothing, and objects may be copied by pickle. nil is RPyC's defaults.
func Config(c *protocol.Config) *protocol.Config {
	var own protocol.Config
	if c != nil {
		own = *c
	}
	own.Access = *exposed.Unrestricted()
	own.AllowPickle = true
	return &own
}

// OnConnect notes the connection, which getconn returns.
func (s *Service) OnConnect(c *protocol.Conn) error {
	s.conn = c
	return nil
}

// OnDisconnect closes what the client has left open.
func (s *Service) OnDisconnect(*protocol.Conn) {
	s.opened.close()
	_ = s.interp.Close()
}

// key makes text of the names that a client with Python 2 gives, whose str are bytes here.
func (s *Service) key(_ context.Context, key any) any {
	if b, ok := key.([]byte); ok && s.conn != nil && s.conn.Dialect().Python2() && utf8.Valid(b) {
		return string(b)
	}
	return key
}

// Namespace is the dictionary of the names that eval and execute use (conn.namespace).
func (s *Service) Namespace() *exposed.Dict { return s.namespace }

// Interpreter has the connection's modules.
func (s *Service) Interpreter() *modules.Interpreter { return s.interp }

var errDenied = vinegar.PermissionError.New(int64(13), "eval and execute are not allowed on this server")

// Eval returns the value of an expression (conn.eval).
func (s *Service) Eval(ctx context.Context, text any) (any, error) {
	source, err := s.source(text, "eval")
	if err != nil {
		return nil, err
	}
	return s.eval.Eval(ctx, source, nil)
}

// Execute carries out statements (conn.execute).
func (s *Service) Execute(ctx context.Context, text any) error {
	source, err := s.source(text, "exec")
	if err != nil {
		return err
	}
	return s.eval.Exec(ctx, source, nil)
}

func (s *Service) source(text any, what string) (string, error) {
	if s.deny {
		return "", errDenied
	}
	switch t := text.(type) {
	case string:
		return t, nil
	case []byte:
		return string(t), nil
	}
	return "", vinegar.TypeError.Errorf("%s() arg 1 must be a string, bytes or code object", what)
}

// GetModule imports a module by its name, or the parts of its name.
func (s *Service) GetModule(name any) (any, error) {
	// has names as bytes, and its own for builtins
	if b, ok := name.([]byte); ok && s.conn != nil && s.conn.Dialect().Python2() {
		name = string(b)
		if name == "__builtin__" {
			name = "builtins"
		}
	}
	switch n := name.(type) {
	case string:
		return s.interp.Import(n)
	case brine.Tuple:
		parts := make([]string, len(n))
		for i, p := range n {
			part, ok := p.(string)
			if !ok {
				return nil, vinegar.TypeError.Errorf("sequence item %d: expected str instance, %s found", i, exposed.TypeName(p))
			}
			parts[i] = part
		}
		return s.interp.Import(strings.Join(parts, "."))
	}
	return nil, vinegar.AttributeError.Errorf("'%s' object has no attribute 'startswith'", exposed.TypeName(name))
}

var _ = exposed.Register[Service](exposed.ClassOptions{
	Name: "rpyc.core.service.SlaveService",
	Omit: []string{"Namespace", "Interpreter", "Eval", "Execute", "GetModule"},
	Properties: map[string]exposed.Property{
		"namespace": {Hidden: true, Get: (*Service).Namespace},
	},
	Hidden: map[string]any{
		"execute":   exposed.Func((*Service).Execute, "text").Doc("execute arbitrary code (using exec)"),
		"eval":      exposed.Func((*Service).Eval, "text").Doc("evaluate arbitrary code (using eval)"),
		"getmodule": exposed.Func((*Service).GetModule, "name").Doc("imports an arbitrary module"),
		"getconn": exposed.Func(func(s *Service) any {
			return &connection{conn: s.conn}
		}).Doc("returns the local connection instance to the other side"),
	},
})
