package protocol

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

// Dial connects to a peer (rpyc.connect, rpyc.utils.factory.unix_connect). network is "tcp", "tcp4", "tcp6" or "unix".
// The local root is void; [DialService] exposes one, and a [Dialer] has all other choices.
//
// ctx bounds the connecting, not the life of the connection. As in RPyC, an attempt to connect may take 3 s, and there
// are six.
//
// A peer does not say which protocol family it speaks. Unless Config.Dialect tells, Dial asks for the peer's root in
// the newest form; a peer that does not understand hangs up, and Dial connects again and asks in the older one. What an
// address has understood is remembered for an hour after its last use, for all connections of the process, and tried
// first. So a peer of RPyC 5 or older sees one failed attempt, which it logs as a traceback, and none if it is told by
// Config.Dialect. Our own root object hears of the connection that succeeds only.
//
// If the other end turns out to be something else than an RPyC peer, the error is a *[NotRPyCError] where that shows in
// what it sends.
func Dial(ctx context.Context, network, addr string, cfg *Config) (*Conn, error) {
	return DialService(ctx, network, addr, nil, cfg)
}

// DialService is [Dial] with a local root object that the peer gets as our service (rpyc.connect's service argument).
func DialService(ctx context.Context, network, addr string, root any, cfg *Config) (*Conn, error) {
	return (&Dialer{Root: root, Config: cfg}).Dial(ctx, network, addr)
}

// DialTLS is [Dial] over TLS (rpyc.ssl_connect). Unlike RPyC, which by default verifies nothing, the peer's certificate
// has to be good for the host in addr by what tlsConfig, or the system, trusts. transport.TLSFiles makes a
// configuration of the files that ssl_connect is given.
func DialTLS(ctx context.Context, network, addr string, tlsConfig *tls.Config, cfg *Config) (*Conn, error) {
	if tlsConfig == nil {
		tlsConfig = &tls.Config{}
	}
	return (&Dialer{Config: cfg, Options: transport.Options{TLS: tlsConfig}}).Dial(ctx, network, addr)
}

// DialPipes connects over a pipe to read and one to write (rpyc.utils.factory.connect_pipes). It takes them over: they
// are closed when the connection ends, or cannot be made. See [DialStream] for the dialect.
func DialPipes(ctx context.Context, r io.ReadCloser, w io.WriteCloser, root any, cfg *Config) (*Conn, error) {
	return DialStream(ctx, transport.Join(r, w), root, cfg)
}

// DialStdio connects to the peer at the other end of the standard input and output
// (rpyc.utils.factory.connect_stdpipes), which it takes over as transport.Stdio says. It is for programs that ask
// first; a service that is asked is served by servers.Server.ServeStdio or [NewConn]. See [DialStream] for the dialect.
func DialStdio(ctx context.Context, root any, cfg *Config) (*Conn, error) {
	stream, err := transport.Stdio()
	if err != nil {
		return nil, fmt.Errorf("rpyc: dial: %w", err)
	}
	return DialStream(ctx, stream, root, cfg)
}

// DialStream connects over a stream there is already, and asks the peer for its root
// (rpyc.utils.factory.connect_stream). It closes the stream if that fails. Other than with Dial there is one attempt
// only, so a peer of RPyC 5 or older needs Config.Dialect.
func DialStream(ctx context.Context, stream io.ReadWriteCloser, root any, cfg *Config) (*Conn, error) {
	used := false
	return Negotiate(ctx, func(context.Context) (io.ReadWriteCloser, error) {
		if used {
			return nil, errors.New("a stream cannot be tried twice; the peer may need another Config.Dialect")
		}
		used = true
		return stream, nil
	}, root, cfg)
}

// DialSubprocess starts a program and connects to it over its standard input and output
// (rpyc.utils.factory.connect_subproc). The command must not have been started; it is started a second time, as a copy,
// if the program turns out to speak the older family and Config.Dialect did not tell. The program is given time to end
// by itself when the connection ends, and is killed otherwise: see transport.Process, which is the connection's Stream.
func DialSubprocess(ctx context.Context, cmd *exec.Cmd, root any, cfg *Config) (*Conn, error) {
	return Negotiate(ctx, func(context.Context) (io.ReadWriteCloser, error) {
		return transport.Start(&exec.Cmd{
			Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir, Stderr: cmd.Stderr, ExtraFiles: cmd.ExtraFiles,
			SysProcAttr: cmd.SysProcAttr, WaitDelay: cmd.WaitDelay, Err: cmd.Err,
		})
	}, root, cfg)
}

// Dialer says how to connect. Its zero value connects as [Dial] does. It can be used any number of times and by several
// goroutines at once.
type Dialer struct {
	// Root is the object the peer gets as our service; nil is void.
	Root any
	// Config is the configuration of the connections; nil means RPyC's defaults.
	Config *Config
	// Options are those of the stream: TLS, a handshake before RPyC begins, timeouts, keepalive, a proxy.
	transport.Options
}

// Dial connects to a peer: see the function of the same name.
func (d *Dialer) Dial(ctx context.Context, network, addr string) (*Conn, error) {
	return negotiate(ctx, func(ctx context.Context) (io.ReadWriteCloser, error) {
		return transport.Dial(ctx, network, addr, &d.Options)
	}, d.Root, d.Config, network+" "+addr)
}
