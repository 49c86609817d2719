package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
	"github.com/gorpyc/gorpyc/servers/access"
)

// settings is what the command line and the file say, checked.
type settings struct {
	bridges []*bridge
	http    string
	ready   bool
	drain   time.Duration
	logFile string
	log     program.LogForm
}

// route is a bridge as the file of --config describes it; a switch of the command line has the same name.
type route struct {
	Listen         string   `json:"listen"`
	To             []string `json:"to"`
	Family         string   `json:"family"`
	BindThreads    bool     `json:"bind-threads"`
	TLSCert        string   `json:"tls-cert"`
	TLSKey         string   `json:"tls-key"`
	TLSCA          string   `json:"tls-ca"`
	ToTLS          bool     `json:"to-tls"`
	ToTLSCA        string   `json:"to-tls-ca"`
	ToTLSCert      string   `json:"to-tls-cert"`
	ToTLSKey       string   `json:"to-tls-key"`
	ToTLSAnyName   bool     `json:"to-tls-any-name"`
	Register       bool     `json:"register"`
	Names          []string `json:"name"`
	Registry       string   `json:"registry"`
	Allow          []string `json:"allow"`
	ReadOnly       bool     `json:"read-only"`
	AllowPickle    bool     `json:"allow-pickle"`
	DenyClassic    bool     `json:"deny-classic"`
	Metadata       bool     `json:"metadata"`
	Tokens         string   `json:"tokens"`
	Keys           string   `json:"keys"`
	Policy         string   `json:"policy"`
	Audit          string   `json:"audit"`
	MaxConnections int      `json:"max-connections"`
	IdleTimeout    string   `json:"idle-timeout"`
}

func parseSettings(c *cli.Context) (*settings, error) {
	s := &settings{ready: c.Bool("ready"), drain: c.Duration("drain"), logFile: c.String("logfile")}
	var err error
	if s.log, err = program.ReadLogForm(c); err != nil {
		return nil, err
	}
	if s.http, err = httpAddr(c.String("http")); err != nil {
		return nil, err
	}
	routes := []route{routeOf(c)}
	if file := c.String("config"); file != "" {
		if routes, err = readRoutes(file); err != nil {
			return nil, err
		}
	}
	for i, r := range routes {
		b, err := r.bridge()
		if err != nil {
			if len(routes) > 1 {
				err = fmt.Errorf("bridge %d: %w", i+1, err)
			}
			return nil, err
		}
		s.bridges = append(s.bridges, b)
	}
	return s, nil
}

func routeOf(c *cli.Context) route {
	return route{
		Listen: c.String("listen"), To: c.StringSlice("to"), Family: c.String("family"),
		BindThreads: c.Bool("bind-threads"),
		TLSCert:     c.String("tls-cert"), TLSKey: c.String("tls-key"), TLSCA: c.String("tls-ca"),
		ToTLS: c.Bool("to-tls"), ToTLSCA: c.String("to-tls-ca"), ToTLSCert: c.String("to-tls-cert"),
		ToTLSKey: c.String("to-tls-key"), ToTLSAnyName: c.Bool("to-tls-any-name"),
		Register: c.Bool("register"), Names: c.StringSlice("name"), Registry: c.String("registry"),
		Allow: c.StringSlice("allow"), ReadOnly: c.Bool("read-only"), AllowPickle: c.Bool("allow-pickle"),
		DenyClassic: c.Bool("deny-classic"), Metadata: c.Bool("metadata"), Tokens: c.String("tokens"), Keys: c.String("keys"),
		Policy: c.String("policy"), Audit: c.String("audit"), MaxConnections: c.Int("max-connections"),
		IdleTimeout: c.Duration("idle-timeout").String(),
	}
}

// readRoutes reads the file of --config: {"bridges": [{"listen": …, "to": […]}, …]}.
func readRoutes(file string) ([]route, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all struct {
		Bridges []route `json:"bridges"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: something stands behind the object", file)
	}
	if len(all.Bridges) == 0 {
		return nil, fmt.Errorf(`%s has no "bridges"`, file)
	}
	return all.Bridges, nil
}

// bridge checks a route and makes the bridge that it describes.
func (r *route) bridge() (*bridge, error) {
	b := &bridge{
		names: r.Names, register: r.Register, readOnly: r.ReadOnly, allow: r.Allow, allowPickle: r.AllowPickle,
		denyClassic: r.DenyClassic, metadata: r.Metadata, maxConns: r.MaxConnections, bindThreads: r.BindThreads,
	}
	var err error
	if b.listen, err = parseAddress(r.Listen); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if b.listen.network == byName {
		return nil, errors.New("listen: a name is no place to listen at")
	}
	if len(r.To) == 0 {
		return nil, errors.New("nothing says where the service is: --to is missing")
	}
	for _, text := range r.To {
		a, err := parseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("to: %w", err)
		}
		b.to = append(b.to, a)
	}
	if b.dialect, err = dialect(r.Family); err != nil {
		return nil, err
	}
	for _, pattern := range r.Allow {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("allow: %q is no pattern: %w", pattern, err)
		}
	}
	if r.IdleTimeout != "" {
		if b.idleTimeout, err = time.ParseDuration(r.IdleTimeout); err != nil {
			return nil, fmt.Errorf("idle-timeout: %w", err)
		}
	}
	if b.registrar, err = registrar(r.Registry); err != nil {
		return nil, err
	}
	if err := r.secure(b); err != nil {
		return nil, err
	}
	return b, r.govern(b)
}

// govern reads who the clients are, and what they may do.
func (r *route) govern(b *bridge) error {
	for _, by := range []struct {
		file string
		ask  func(servers.Secrets) servers.Authenticator
	}{{r.Tokens, servers.Token}, {r.Keys, servers.HMAC}} {
		if by.file == "" {
			continue
		}
		secrets := &servers.SecretsFile{Path: by.file, OnError: func(err error) { b.log.Error("secrets", "error", err) }}
		if _, err := secrets.Secrets(); err != nil {
			return err
		}
		if b.secret != nil {
			return errors.New("tokens and keys exclude each other")
		}
		b.secret = by.ask(secrets)
	}
	switch r.Audit {
	case "", "denied", "all":
		b.audit = r.Audit
	default:
		return fmt.Errorf("audit is denied or all, not %q", r.Audit)
	}
	if r.Policy == "" {
		return nil
	}
	policy, err := access.Load(r.Policy)
	if err != nil {
		return err
	}
	b.policyFile = r.Policy
	b.policy, err = access.New(policy)
	return err
}

// secure reads the certificates.
func (r *route) secure(b *bridge) (err error) {
	switch {
	case r.TLSCert != "":
		files := &transport.TLSFiles{Cert: r.TLSCert, Key: r.TLSKey, CA: r.TLSCA}
		if b.tls, err = files.Server(); err != nil {
			return err
		}
	case r.TLSKey != "" || r.TLSCA != "":
		return errors.New("tls-cert is missing")
	}
	if r.ToTLS || r.ToTLSCA != "" || r.ToTLSCert != "" || r.ToTLSAnyName {
		files := &transport.TLSFiles{Cert: r.ToTLSCert, Key: r.ToTLSKey, CA: r.ToTLSCA, SkipHostname: r.ToTLSAnyName}
		b.toTLS, err = files.Client()
	}
	return err
}

var families = []*wire.Dialect{
	wire.FamilyA, wire.FamilyB, wire.FamilyC, wire.FamilyD, wire.FamilyE, wire.FamilyA2, wire.FamilyB2, wire.FamilyC2,
}

// auto has the bridge find the service's family out.
const auto = "auto"

func dialect(name string) (*wire.Dialect, error) {
	if name == "" || name == auto {
		return nil, nil
	}
	for _, d := range families {
		if strings.EqualFold(d.String(), name) {
			return d, nil
		}
	}
	return nil, fmt.Errorf("family %q is none of the protocol's", name)
}

// byName is the network of addresses that a registry knows.
const byName = "service"

// address is where something listens.
type address struct{ network, addr string }

func (a address) String() string {
	if a.network == "tcp" {
		return a.addr
	}
	return a.network + ":" + a.addr
}

// parseAddress reads [HOST:]PORT, unix:PATH and service:NAME.
func parseAddress(text string) (address, error) {
	for _, network := range []string{"unix", byName} {
		if rest, ok := strings.CutPrefix(text, network+":"); ok && rest != "" {
			return address{network, rest}, nil
		}
	}
	if !strings.Contains(text, ":") {
		text = "127.0.0.1:" + text
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return address{}, fmt.Errorf("%q is none of HOST:PORT, unix:PATH, service:NAME", text)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return address{}, fmt.Errorf("%q is no port", port)
	}
	return address{"tcp", net.JoinHostPort(host, port)}, nil
}

// registrar is what asks the registry at [tcp:]HOST[:PORT].
func registrar(text string) (registry.Registrar, error) {
	if addr, ok := strings.CutPrefix(text, "tcp:"); ok {
		if addr == "" {
			return nil, errors.New("registry: tcp: needs a host")
		}
		return &registry.TCPClient{Addr: addr}, nil
	}
	return &registry.UDPClient{Addr: text}, nil
}

// httpAddr completes [ADDRESS:]PORT. What is told there is for the machine itself unless ADDRESS says otherwise.
func httpAddr(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	a, err := parseAddress(strings.TrimPrefix(text, ":"))
	if err != nil || a.network != "tcp" {
		return "", fmt.Errorf("http %q is not [ADDRESS:]PORT", text)
	}
	return a.addr, nil
}
