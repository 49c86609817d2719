package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/transport/auth"
	"github.com/gorpyc/gorpyc/protocol/transport/ssh"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/registry"
)

const (
	groupConnection = "Connection"
	groupOutput     = "Output"
)

// connectionFlags are those of every command that connects.
func connectionFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{Category: groupConnection, Name: "unix", TakesFile: true,
			Usage: "connect to the Unix socket at `PATH`"},
		&cli.StringFlag{Category: groupConnection, Name: "service", Usage: "connect to whoever offers the service `NAME`, " +
			"as a registry knows it"},
		registryFlag(),
		&cli.BoolFlag{Category: groupConnection, Name: "tls", Usage: "connect over TLS; implied by --ca, --cert, --key and " +
			"--insecure"},
		&cli.StringFlag{Category: groupConnection, Name: "ca", TakesFile: true,
			Usage: "trust the authorities in `FILE`, not the system's"},
		&cli.StringFlag{Category: groupConnection, Name: "cert", TakesFile: true, Usage: "show the certificate in `FILE`"},
		&cli.StringFlag{Category: groupConnection, Name: "key", TakesFile: true,
			Usage: "the certificate's private key is in `FILE`, not beside it"},
		&cli.BoolFlag{Category: groupConnection, Name: "insecure", Usage: "accept any certificate, from anybody"},
		&cli.StringFlag{Category: groupConnection, Name: "token-file", TakesFile: true,
			Usage: "say the token in `FILE` to a server that asks for one"},
		&cli.StringFlag{Category: groupConnection, Name: "key-file", TakesFile: true,
			Usage: "prove to a server that asks for it that this is who has the key in `FILE`"},
		&cli.StringFlag{Category: groupConnection, Name: "key-name", Usage: "that key is `NAME`'s"},
		&cli.StringFlag{Category: groupConnection, Name: "ssh", Usage: "go through the SSH server `[USER@]HOST[:PORT]`; " +
			"the address, or the Unix socket, is as seen from there"},
		&cli.StringSliceFlag{Category: groupConnection, Name: "ssh-key", TakesFile: true,
			Usage: "log in with the private key in `FILE` (default: the agent's and those in ~/.ssh)"},
		&cli.StringFlag{Category: groupConnection, Name: "ssh-known-hosts", TakesFile: true,
			Usage: "the SSH server's key has to be in `FILE` (default: ~/.ssh/known_hosts)"},
		timeoutFlag(),
	)
}

func registryFlag() cli.Flag {
	return &cli.StringFlag{Category: groupConnection, Name: "registry", Usage: "ask the registry at " +
		"`[tcp://]HOST[:PORT]` (default: whichever answers a broadcast)"}
}

func timeoutFlag() cli.Flag {
	return &cli.DurationFlag{Category: groupConnection, Name: "timeout", Value: 30 * time.Second,
		Usage: "`DURATION`, such as 2s, 500ms or, in seconds, 0.5, that connecting, and each request, may take; 0 is without end"}
}

func outputFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.BoolFlag{Category: groupOutput, Name: "json", Usage: "print JSON"},
		&cli.BoolFlag{Category: groupOutput, Name: "traceback", Usage: "print the other end's traceback of an exception"},
	)
}

func itemsFlag() cli.Flag {
	return &cli.BoolFlag{Category: groupOutput, Name: "items",
		Usage: "print the items of a list, a generator or whatever can be iterated, one a line as they come"}
}

func classicFlag() cli.Flag {
	return &cli.BoolFlag{Name: "classic", Usage: "the server is a classic one; names begin with a module"}
}

// target is where to connect to, and how.
type target struct {
	network, addr string
	service       string
	registrar     registry.Registrar
	dialer        protocol.Dialer
	metadata      *protocol.Metadata // beside calls; nil if there is none
	timeout       time.Duration
	ssh           string
	sshConfig     *ssh.Config
}

// targetOf reads the options and the address, which is the first argument if no option has it, and returns the other
// arguments.
func targetOf(c *cli.Context) (*target, []string, error) { return targetFrom(c, c.Args().Slice()) }

func targetFrom(c *cli.Context, args []string) (*target, []string, error) {
	t := &target{network: "tcp", service: c.String("service"), timeout: c.Duration("timeout"), ssh: c.String("ssh")}
	secure := c.Bool("tls") || c.Bool("insecure") || c.String("ca")+c.String("cert")+c.String("key") != ""
	switch path := c.String("unix"); {
	case t.service != "" && path != "":
		return nil, nil, usage("--service and --unix exclude each other")
	case t.service != "" && t.ssh != "":
		return nil, nil, usage("--service and --ssh exclude each other")
	case path != "":
		t.network, t.addr = "unix", path
	case t.service == "":
		if len(args) == 0 {
			return nil, nil, usage("an address is missing: HOST[:PORT], --unix or --service (try --help)")
		}
		var err error
		if t.addr, err = address(args[0], secure); err != nil {
			return nil, nil, err
		}
		args = args[1:]
	}
	if c.String("registry") != "" && t.service == "" {
		return nil, nil, usage("--registry needs --service, the name to ask it for")
	}
	var err error
	if t.registrar, err = registrarOf(c); err != nil {
		return nil, nil, err
	}
	if t.timeout <= 0 {
		t.timeout = -1
	}
	t.dialer.Config = &protocol.Config{Timeout: t.timeout, SendKeyboardInterrupt: true}
	metadata, on, err := metadataOf(c)
	if err != nil {
		return nil, nil, err
	}
	if on {
		t.metadata, t.dialer.Config.Metadata = &metadata, protocol.MetadataNegotiated
	}
	if t.ssh != "" {
		t.sshConfig = &ssh.Config{KeyFiles: c.StringSlice("ssh-key")}
		if f := c.String("ssh-known-hosts"); f != "" {
			t.sshConfig.KnownHosts = []string{f}
		}
		t.dialer.Dialer = ssh.Dialer(t.ssh, t.sshConfig)
	}
	if t.dialer.Handshake, err = handshakeOf(c); err != nil {
		return nil, nil, err
	}
	if !secure {
		return t, args, nil
	}
	files := &transport.TLSFiles{CA: c.String("ca"), Cert: c.String("cert"), Key: c.String("key")}
	if files.Key != "" && files.Cert == "" {
		return nil, nil, usage("--key needs --cert")
	}
	if c.Bool("insecure") {
		files.Verify = transport.VerifyNone
	}
	if t.dialer.TLS, err = files.Client(); err != nil {
		return nil, nil, coded{err, exitFailed}
	}
	if t.network == "unix" && !c.Bool("insecure") && t.dialer.TLS.ServerName == "" {
		t.dialer.TLS.ServerName = "localhost"
	}
	return t, args, nil
}

// handshakeOf is how the server is told who this is; nil if it is not.
func handshakeOf(c *cli.Context) (func(context.Context, net.Conn) (net.Conn, error), error) {
	token, key, name := c.String("token-file"), c.String("key-file"), c.String("key-name")
	switch {
	case token != "" && key != "":
		return nil, usage("--token-file and --key-file exclude each other")
	case (key == "") != (name == ""):
		return nil, usage("--key-file and --key-name belong together")
	case token+key == "":
		return nil, nil
	}
	data, err := os.ReadFile(token + key)
	if err != nil {
		return nil, coded{err, exitFailed}
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if token != "" {
		return auth.Token(secret), nil
	}
	return auth.HMAC(name, []byte(secret)), nil
}

// address completes what is written for an address.
func address(text string, secure bool) (string, error) {
	port := classic.DefaultPort
	if secure {
		port = classic.DefaultTLSPort
	}
	host := text
	if h, p, err := net.SplitHostPort(text); err == nil {
		host, port = h, p
	} else if strings.HasPrefix(text, "[") {
		host = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	} else if _, err := netip.ParseAddr(text); err != nil && strings.Contains(text, ":") {
		return "", usage("address %q: neither HOST:PORT nor an IPv6 address", text)
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return "", usage("address %q: %q is no port", text, port)
	}
	if host == "" {
		host = "localhost"
	}
	if strings.ContainsAny(host, " /,()'\"") {
		return "", usage("%q is no address, which has to come first", text)
	}
	return net.JoinHostPort(host, port), nil
}

func registrarOf(c *cli.Context) (registry.Registrar, error) {
	addr := c.String("registry")
	kind, rest, found := strings.Cut(addr, "://")
	switch {
	case !found:
		return &registry.UDPClient{Addr: addr}, nil
	case kind == "udp":
		return &registry.UDPClient{Addr: rest}, nil
	case kind == "tcp":
		return &registry.TCPClient{Addr: rest}, nil
	}
	return nil, usage("--registry: %q is neither udp:// nor tcp://", kind+"://")
}

// dial connects. The error has exit code 3 or 4.
func (t *target) dial(ctx context.Context) (*protocol.Conn, error) {
	conn, err := t.connect(ctx)
	if err == nil || ctx.Err() != nil {
		return conn, err
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, registry.ErrNoAnswer) {
		return nil, coded{err, exitTimeout}
	}
	return nil, coded{err, exitConnection}
}

func (t *target) connect(ctx context.Context) (*protocol.Conn, error) {
	if t.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.timeout, &protocol.TimeoutError{After: t.timeout})
		defer cancel()
	}
	if t.service != "" {
		return protocol.DialByService(ctx, t.service, &protocol.Discovery{Registrar: t.registrar, Dialer: &t.dialer})
	}
	return t.dialer.Dial(ctx, t.network, t.addr)
}

// String names the target for a person.
func (t *target) String() string {
	if t.service != "" {
		return t.service
	}
	return t.addr
}

// session is a connection for one command.
type session struct {
	*protocol.Conn
	classic *classic.Conn // nil unless it is said to be one
	out     *printer
}

// connected runs f with a connection to the target of a command and its other arguments.
func connected(c *cli.Context, least, most int, what string,
	f func(ctx context.Context, s *session, args []string) error) error {
	t, args, err := targetOf(c)
	if err != nil {
		return err
	}
	if err := want(args, least, most, what); err != nil {
		return err
	}
	conn, err := t.dial(c.Context)
	if err != nil {
		return err
	}
	s := &session{Conn: conn, out: printerOf(c)}
	if c.Bool("classic") {
		s.classic = classic.New(conn)
	}
	err = f(t.withMetadata(c.Context), s, args)
	if errors.Is(err, vinegar.AttributeError) && (s.classic != nil || c.Command.Category == groupClassic) {
		if _, missing := conn.Root().Get(c.Context, "getmodule"); errors.Is(missing, vinegar.AttributeError) {
			err = hinted{err, "it is no classic server"}
		}
	}
	if c.Context.Err() != nil {
		_ = conn.CloseNow()
		return c.Context.Err()
	}
	_ = conn.Close()
	if err == nil {
		err = s.out.err
	}
	return err
}
