//go:build unix

package modules

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var gaierror = vinegar.NewClass("socket.gaierror", vinegar.OSError)

// unresolved is the gaierror for a name that has no address.
func unresolved(err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsTemporary && !dns.IsNotFound {
		return gaierror.New(int64(-3), "Temporary failure in name resolution")
	}
	return gaierror.New(int64(-2), "Name or service not known")
}

// newSocket has what asks for names; sockets themselves are not there.
func newSocket(*Interpreter) *Module {
	m := New("socket", "Names of hosts. This server has no sockets.")
	m.Const("error", vinegar.OSError, "gaierror", gaierror, "timeout", vinegar.TimeoutError)
	m.Def("gethostname", os.Hostname)
	m.Def("gethostbyname", func(ctx context.Context, name string) (string, error) {
		if name == "" {
			return "0.0.0.0", nil
		}
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
		if err != nil || len(ips) == 0 {
			return "", unresolved(err)
		}
		return ips[0].Unmap().String(), nil
	}, "host", "/")
	m.Def("getfqdn", func(ctx context.Context, name string) (string, error) {
		name = strings.TrimSpace(name)
		if name == "" || name == "0.0.0.0" || name == "::" {
			var err error
			if name, err = os.Hostname(); err != nil {
				return "", err
			}
		}
		ips, err := net.DefaultResolver.LookupHost(ctx, name)
		if err != nil || len(ips) == 0 {
			return name, nil
		}
		names, err := net.DefaultResolver.LookupAddr(ctx, ips[0])
		if err != nil {
			return name, nil
		}
		for _, n := range names {
			if n = strings.TrimSuffix(n, "."); strings.Contains(n, ".") {
				return n, nil
			}
		}
		if len(names) > 0 {
			return strings.TrimSuffix(names[0], "."), nil
		}
		return name, nil
	}, "name=''")
	m.Def("gethostbyaddr", func(ctx context.Context, name string) (brine.Tuple, error) {
		ips, err := net.DefaultResolver.LookupHost(ctx, name)
		if err != nil || len(ips) == 0 {
			return nil, unresolved(err)
		}
		names, err := net.DefaultResolver.LookupAddr(ctx, ips[0])
		if err != nil || len(names) == 0 {
			return nil, vinegar.NewClass("socket.herror", vinegar.OSError).New(int64(1), "Unknown host")
		}
		aliases := exposed.NewList()
		for _, n := range names[1:] {
			aliases.Append(strings.TrimSuffix(n, "."))
		}
		return brine.Tuple{strings.TrimSuffix(names[0], "."), aliases, exposed.NewList(ips[0])}, nil
	}, "host", "/")
	return m
}

type platformUname struct{ record }

var _ = exposed.Register[platformUname](recordOptions("platform.uname_result"))

// newPlatform makes platform. The implementation is not CPython, and says so.
func newPlatform(*Interpreter) *Module {
	m := New("platform", "This module tries to retrieve as much platform-identifying data as possible.")
	for i, name := range []string{"system", "node", "release", "version", "machine"} {
		m.Def(name, func() (string, error) { u, err := uname(); return u[i], bare(err) })
	}
	m.Def("processor", func() string { return "" })
	m.Def("uname", func() (any, error) {
		u, err := uname()
		r := new(platformUname)
		r.set("uname_result", []string{"system", "node", "release", "version", "machine"},
			brine.Tuple{u[0], u[1], u[2], u[3], u[4]}, "processor", "")
		r.items = append(r.items, "")
		return r, bare(err)
	})
	m.Def("platform", func(aliased, terse bool) (string, error) {
		u, err := uname()
		if terse {
			return u[0] + "-" + u[2], bare(err)
		}
		return u[0] + "-" + u[2] + "-" + u[4], bare(err)
	}, "aliased=False", "terse=False")
	m.Def("architecture", func(any, any, any) brine.Tuple {
		bits := "64bit"
		if ^uint(0)>>32 == 0 {
			bits = "32bit"
		}
		format := "ELF"
		if runtime.GOOS == "darwin" {
			format = ""
		}
		return brine.Tuple{bits, format}
	}, "executable=None", "bits=''", "linkage=''")
	m.Def("python_version", func() string { return "3.11.0" })
	m.Def("python_version_tuple", func() brine.Tuple { return brine.Tuple{"3", "11", "0"} })
	m.Def("python_implementation", func() string { return "gorpyc" })
	return m
}
