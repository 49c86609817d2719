//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/classic/worker"
	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
)

const (
	defaultPort    = 18812
	defaultSSLPort = 18821
	patience       = 10 * time.Second // for requests that run when a signal comes
)

// serve does what the switches say, until a signal or the last client ends it.
func serve(s switches) error {
	mode := strings.ToLower(s["mode"])
	host := bindAddress(s["host"])
	if host == "" {
		host = "127.0.0.1"
		if s.on("ipv6") {
			host = "::1"
		}
	}
	registrar, err := registrarOf(s)
	if err != nil {
		return err
	}
	out, err := program.OpenLog(s["logfile"])
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if s.on("quiet") {
		level = slog.LevelError
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	srv := &servers.Server{Name: "SLAVE", Aliases: []string{"SLAVE"}, Logger: log, MaxConns: s.number("max-connections")}
	if s.on("register") && mode != "stdio" {
		srv.Registrar = registrar
	}
	switch mode {
	case "forking":
		srv.Mode = servers.Forking
	case "oneshot":
		srv.Mode = servers.OneShot
	}
	port := defaultPort
	if s["ssl-keyfile"] != "" {
		port = defaultSSLPort
		files := &transport.TLSFiles{Cert: s["ssl-certfile"], Key: s["ssl-keyfile"], CA: s["ssl-cafile"],
			OnError: func(err error) { log.Error("certificates cannot be read again", "error", err) }}
		cfg, err := files.Server()
		if err != nil {
			return err
		}
		srv.Authenticator = servers.TLS(cfg)
	}
	if s["port"] != "" {
		port = s.number("port")
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	end, err := engine(ctx, s, srv, log)
	if err != nil {
		return err
	}
	defer end()
	finished := signals(srv, out, log, stop)
	if mode == "stdio" {
		if ls, err := transport.Activated(); err == nil { // of a socket unit with Accept=yes: the connection, once more
			closeAll(ls)
		}
		return srv.ServeStdio(ctx)
	}
	network := "tcp4"
	if s.on("ipv6") {
		network = "tcp6"
	}
	if servers.Forked() {
		return ended(srv.Serve(ctx, nil), finished)
	}
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	if path := s["socket"]; path != "" {
		network, addr = "unix", path
	}
	listeners, err := listen(ctx, network, addr)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		if s["ssl-cafile"] == "" && !local(l.Addr()) {
			log.Warn("everybody who reaches this address can do on this machine what its user can: demand certificates "+
				"(--ssl-keyfile, --ssl-certfile, --ssl-cafile)", "addr", l.Addr())
		}
		at := strings.Join(hostPort(l.Addr()), "\t")
		switch {
		case mode == "oneshot":
			fmt.Printf("rpyc-oneshot\n%s\n", at)
		case s.on("ready"):
			fmt.Printf("READY %s\n", strings.ReplaceAll(at, "\t", " "))
		}
	}
	program.Notify("READY=1")
	ends := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ends <- srv.Serve(ctx, l) }()
	}
	err = <-ends // one-shot servers end with a client, others with a signal or a listener's failure
	if !errors.Is(err, servers.ErrServerClosed) {
		closeAll(listeners)
	}
	for range len(listeners) - 1 {
		<-ends
	}
	program.Notify("STOPPING=1")
	return ended(err, finished)
}

// listen gives what to listen on: the sockets that systemd has passed, or else one of the address.
func listen(ctx context.Context, network, addr string) ([]net.Listener, error) {
	listeners, err := transport.Activated()
	if !errors.Is(err, transport.ErrNotActivated) {
		return listeners, err
	}
	l, err := transport.Listen(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// local reports whether an address is for this host alone.
func local(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

func hostPort(addr net.Addr) []string {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return []string{tcp.IP.String(), strconv.Itoa(tcp.Port)}
	}
	return []string{addr.String()}
}

// ended waits for the last requests after an orderly end.
func ended(err error, finished *sync.WaitGroup) error {
	if !errors.Is(err, servers.ErrServerClosed) {
		return err
	}
	finished.Wait()
	return nil
}

// signals has SIGTERM and SIGINT end the server, and SIGHUP open the log file anew.
func signals(srv *servers.Server, out *program.LogFile, log *slog.Logger, stop func()) *sync.WaitGroup {
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	finished := new(sync.WaitGroup)
	go func() {
		ending := false
		for sig := range ch {
			switch {
			case sig == syscall.SIGHUP:
				if err := out.Reopen(); err != nil {
					log.Error("the log file cannot be opened", "error", err)
				}
			case ending:
				_ = srv.Close()
				stop()
			default:
				ending = true
				log.Info("ending", "signal", sig.String())
				finished.Go(func() {
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					defer cancel()
					_ = srv.Shutdown(ctx)
				})
			}
		}
	}()
	return finished
}

// registrarOf is what the server registers with; the switches are checked whether it does or not.
func registrarOf(s switches) (registry.Registrar, error) {
	host, port := s["registry-host"], s["registry-port"]
	if strings.EqualFold(s["registry-type"], "UDP") {
		if host == "" {
			host = "255.255.255.255"
		}
		return &registry.UDPClient{Addr: net.JoinHostPort(host, port)}, nil
	}
	if host == "" {
		return nil, errors.New("With TCP registry, you must specify --registry-host")
	}
	return &registry.TCPClient{Addr: net.JoinHostPort(host, port)}, nil
}

// engine sets what serves the clients. end is to be called when they have gone.
func engine(ctx context.Context, s switches, srv *servers.Server, log *slog.Logger) (end func(), err error) {
	end = func() {}
	if e := s["engine"]; e != "go" {
		if s["allow"] != "" || s.on("no-eval") {
			return end, usageError{errors.New("--allow and --no-eval are for the engine go: a Python cannot be confined to modules")}
		}
		if _, set := os.LookupEnv("PATH"); !set && !strings.Contains(e, "/") { // under inetd
			_ = os.Setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
		}
		if s.on("metadata") {
			return end, usageError{errors.New("--metadata is for the engine go: a Python reads it if --preload has it install " +
				"gorpyc_meta.py")}
		}
		if s.on("shared") && !strings.EqualFold(s["mode"], "threaded") {
			return end, usageError{errors.New("--shared is for the mode threaded: other modes have one client to a process")}
		}
		python := &worker.Engine{Python: e, ScriptDir: ownDir(), Grace: patience, Logger: log, Preload: s["preload"],
			Shared: s.on("shared")}
		if !servers.Forked() { // whose parent has
			checking, cancel := context.WithTimeout(ctx, 30*time.Second)
			defer cancel()
			release, err := python.Check(checking)
			if err != nil {
				return end, err
			}
			log.Info("engine", "python", e, "rpyc", release)
		}
		srv.Handle = func(ctx context.Context, stream io.ReadWriteCloser, _ any) error { return python.Serve(ctx, stream) }
		return func() { _ = python.Close() }, nil
	}
	if s.on("shared") || s["preload"] != "" {
		return end, usageError{errors.New("--shared and --preload are for a Python as engine")}
	}
	o := &slave.Options{DenyScript: s.on("no-eval")}
	if s["allow"] != "" {
		names := strings.FieldsFunc(s["allow"], func(r rune) bool { return r == ',' || r == ' ' })
		known := slave.NewService(nil).Interpreter().Names()
		for _, n := range names {
			if !slices.Contains(known, n) {
				return end, usageError{fmt.Errorf("--allow: there is no module '%s'; there are %s", n, strings.Join(known, ", "))}
			}
		}
		o.Modules.Allow = func(name string) bool { return slices.Contains(names, name) }
	}
	o.Modules.Argv = []string{"rpyc_classic"}
	if s["mode"] != "stdio" {
		o.Modules.Stdin, o.Modules.Stdout, o.Modules.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	srv.NewService = slave.New(o)
	srv.Config = slave.Config(nil)
	if s.on("metadata") {
		srv.Config.Metadata = protocol.MetadataNegotiated
	}
	return end, nil
}

// ownDir is the directory of this program, which stands in the place of a Python script's; "" if that cannot be found
// out.
func ownDir() string {
	path, err := os.Executable()
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return ""
	}
	return filepath.Dir(path)
}
