package registry

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// A message is ("RPYC", COMMAND, arguments). Python 2 sends bytes where Python 3 sends text.

const magic = "RPYC"

type command string

const (
	query      command = "QUERY"
	register   command = "REGISTER"
	unregister command = "UNREGISTER"
	listing    command = "LIST"
)

// A form is how a peer writes text.
type form bool

const (
	textForm  form = false
	bytesForm form = true // Python 2's
)

// append appends text in this form. What is no valid UTF-8 can only be sent as bytes; names and hosts are always valid.
func (f form) append(b []byte, s string) []byte {
	if f == textForm {
		if out, err := brine.AppendString(b, s); err == nil {
			return out
		}
	}
	return brine.AppendBytes(b, []byte(s))
}

func (f form) appendEndpoint(b []byte, e Endpoint) []byte {
	b = brine.AppendTupleHeader(b, 2)
	return f.appendPort(f.append(b, e.Host), e)
}

func (f form) appendPort(b []byte, e Endpoint) []byte {
	if e.Path != "" {
		return f.append(b, e.Path)
	}
	return brine.AppendInt(b, int64(e.Port))
}

// appendRequest appends a request whose n arguments args appends.
func (f form) appendRequest(b []byte, c command, n int, args func([]byte) []byte) []byte {
	b = brine.AppendTupleHeader(b, 3)
	b = f.append(b, magic)
	b = f.append(b, string(c))
	return args(brine.AppendTupleHeader(b, n))
}

// request is a message as it came, checked as far as all commands have it in common.
type request struct {
	form    form
	command command
	args    []any
}

var (
	errMagic   = errors.New("invalid magic")
	errCommand = errors.New("unknown command")
)

// parseRequest decodes a message. Text arguments are unpacked into characters as Python's * does.
func parseRequest(data []byte) (request, error) {
	v, err := brine.Unmarshal(data)
	if err != nil {
		return request{}, err
	}
	t, ok := v.(brine.Tuple)
	if !ok || len(t) != 3 {
		return request{}, errors.New("not a message of three parts")
	}
	var r request
	switch m := t[0].(type) {
	case string:
		ok = m == magic
	case []byte:
		ok, r.form = string(m) == magic, bytesForm
	default:
		ok = false
	}
	if !ok {
		return request{}, fmt.Errorf("%w: %.40q", errMagic, fmt.Sprint(t[0]))
	}
	name, ok := r.form.text(t[1])
	if !ok {
		return request{}, fmt.Errorf("%w: a %T", errCommand, t[1])
	}
	switch r.command = command(strings.ToUpper(name)); r.command {
	case query, register, unregister, listing:
	default:
		return request{}, fmt.Errorf("%w: %.40q", errCommand, name)
	}
	if r.args, ok = r.form.items(t[2]); !ok {
		return request{}, fmt.Errorf("arguments are a %T", t[2])
	}
	return r, nil
}

// text returns v as text. Python 3's text and bytes are different things; in Python 2 they are much the same.
func (f form) text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), f == bytesForm && utf8.Valid(v)
	}
	return "", false
}

// items returns what a loop over v yields in Python.
func (f form) items(v any) ([]any, bool) {
	if s, ok := f.text(v); ok {
		v = s
	} else if _, ok := v.([]byte); ok {
		return nil, false
	}
	return pyvalue.Items(v)
}

// port reads the port of a request into an endpoint.
func (f form) port(v any, host string) (Endpoint, error) {
	if n, ok := v.(int64); ok {
		if n < 0 || n > 65535 {
			return Endpoint{}, fmt.Errorf("port %d", n)
		}
		return Endpoint{Host: host, Port: int(n)}, nil
	}
	if path, ok := f.text(v); ok && path != "" {
		return Endpoint{Host: host, Path: path}, nil
	}
	return Endpoint{}, fmt.Errorf("port is a %T", v)
}

// parseEndpoints reads the answer to a query. Upstream's registries keep whatever a server calls its port; what nobody
// can connect to is left out.
func parseEndpoints(v any) ([]Endpoint, error) {
	t, ok := v.(brine.Tuple)
	if !ok {
		return nil, fmt.Errorf("answer is a %T", v)
	}
	eps := make([]Endpoint, 0, len(t))
	for _, item := range t {
		pair, ok := item.(brine.Tuple)
		if !ok || len(pair) != 2 {
			return nil, fmt.Errorf("answer has a %T", item)
		}
		// An answer shows by itself which form it has.
		if host, ok := bytesForm.text(pair[0]); ok {
			if ep, err := bytesForm.port(pair[1], host); err == nil {
				eps = append(eps, ep)
			}
		}
	}
	return eps, nil
}

// parseNames reads the answer to LIST; nil and no error means that listing is disabled.
func parseNames(v any) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	t, ok := v.(brine.Tuple)
	if !ok {
		return nil, fmt.Errorf("answer is a %T", v)
	}
	names := make([]string, 0, len(t))
	for _, item := range t {
		name, ok := bytesForm.text(item)
		if !ok {
			return nil, fmt.Errorf("name is a %T", item)
		}
		names = append(names, name)
	}
	return names, nil
}
