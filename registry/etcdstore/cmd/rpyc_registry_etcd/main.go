// Command rpyc_registry_etcd is RPyC's registry server with its registrations in etcd, so that several of them answer
// alike. It has the switches of rpyc_registry that concern requests, and those that say where etcd is.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/registry/etcdstore"
	"github.com/gorpyc/gorpyc/registry/fleet"
)

const (
	startTime    = 5 * time.Second // how long to wait for a first copy
	shutdownTime = 5 * time.Second // how long answers under way may take after a signal
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newApp().RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "rpyc_registry_etcd:", err)
		os.Exit(1)
	}
}

func newApp() *cli.App {
	return &cli.App{
		Name:           "rpyc_registry_etcd",
		Usage:          "the service registry of RPyC, with its registrations in etcd",
		HideVersion:    true,
		ExitErrHandler: func(*cli.Context, error) {},
		Action:         serve,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "etcd", Required: true, Usage: "`ADDRESSES` of etcd, host:port or URLs, separated by " +
				"commas"},
			&cli.StringFlag{Name: "etcd-prefix", Value: etcdstore.DefaultPrefix, Usage: "begin keys with `TEXT`"},
			&cli.StringFlag{Name: "etcd-ca", Usage: "trust the certificates of `FILE`, and use TLS"},
			&cli.StringFlag{Name: "etcd-cert", Usage: "show the certificate of `FILE` to etcd"},
			&cli.StringFlag{Name: "etcd-key", Usage: "the certificate's key is in `FILE`"},
			&cli.StringFlag{Name: "etcd-user", Usage: "log on to etcd as `NAME`"},
			&cli.StringFlag{Name: "etcd-password", EnvVars: []string{"ETCD_PASSWORD"},
				Usage: "with `PASSWORD`; better given by the environment"},
			&cli.StringFlag{Name: "mode", Aliases: []string{"m"}, Value: "UDP", Usage: "serving `MODE`: UDP, TCP, or BOTH"},
			&cli.BoolFlag{Name: "ipv6", Aliases: []string{"6"},
				Usage: "listen on IPv6 (and IPv4 with it) instead of IPv4 alone"},
			&cli.StringFlag{Name: "host", Usage: "listen on this `ADDRESS` instead of all"},
			&cli.IntFlag{Name: "port", Aliases: []string{"p"}, Value: registry.Port,
				Usage: "the UDP/TCP listener `PORT`; 0 chooses one for each"},
			&cli.IntFlag{Name: "timeout", Aliases: []string{"t"}, Value: int(registry.DefaultTimeout.Seconds()),
				Usage: "forget servers that have not renewed their registration for so many `SECONDS`, at least 15"},
			&cli.BoolFlag{Name: "listing", Aliases: []string{"l"}, Usage: "clients may list all services"},
			&cli.StringFlag{Name: "http", Usage: "show the services on a page at `ADDRESS:PORT`"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "log errors only"},
			&cli.StringFlag{Name: "log-format", Value: "text", Usage: "`FORMAT` of the log: text or json"},
			&cli.BoolFlag{Name: "ready", Usage: "print 'READY host port' for each socket on stdout when serving"},
		},
	}
}

func serve(c *cli.Context) (err error) {
	if c.Args().Present() {
		return fmt.Errorf("no arguments are expected, got %q", c.Args().Slice())
	}
	log, err := logger(c)
	if err != nil {
		return err
	}
	if c.Int("timeout") < int(etcdstore.MinTimeout.Seconds()) {
		return fmt.Errorf("timeout %d is less than %v", c.Int("timeout"), etcdstore.MinTimeout)
	}
	var networks []string
	switch mode := strings.ToLower(c.String("mode")); mode {
	case "udp", "tcp":
		networks = []string{mode}
	case "both":
		networks = []string{"udp", "tcp"}
	default:
		return fmt.Errorf("mode %q is none of UDP, TCP, BOTH", c.String("mode"))
	}
	host, family := c.String("host"), "4"
	if c.Bool("ipv6") || strings.Contains(host, ":") {
		family = ""
	} else if host == "" {
		host = "0.0.0.0"
	}
	if p := c.Int("port"); p < 0 || p > 65535 {
		return fmt.Errorf("port %d is not between 0 and 65535", p)
	}

	client, err := newClient(c)
	if err != nil {
		return err
	}
	defer client.Close()
	store, err := etcdstore.New(client, &etcdstore.Options{
		Prefix: c.String("etcd-prefix"), Timeout: time.Duration(c.Int("timeout")) * time.Second, Logger: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	server := &registry.Server{Store: store, AllowListing: c.Bool("listing"), Logger: log}
	ended := make(chan error, 3)
	addr := net.JoinHostPort(host, strconv.Itoa(c.Int("port")))
	var addrs []net.Addr
	var begin []func()
	for _, network := range networks {
		if network == "udp" {
			u, err := registry.ListenUDP(c.Context, network+family, addr)
			if err != nil {
				return err
			}
			defer u.Close()
			addrs = append(addrs, u.LocalAddr())
			begin = append(begin, func() { ended <- server.ServeUDP(context.Background(), u) })
			continue
		}
		l, err := new(net.ListenConfig).Listen(c.Context, network+family, addr)
		if err != nil {
			return err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr())
		begin = append(begin, func() { ended <- server.ServeTCP(context.Background(), l) })
	}
	page, err := newPage(c, server, store)
	if err != nil {
		return err
	}
	if page != nil {
		defer page.close()
		addrs = append(addrs, page.listener.Addr())
		begin = append(begin, func() { ended <- page.Serve(page.listener) })
	}

	first, cancel := context.WithTimeout(c.Context, startTime)
	if err := store.Synced(first); err != nil && c.Context.Err() == nil {
		log.Error("beginning without what is in etcd", "error", err)
	}
	cancel()
	for _, f := range begin {
		go f()
	}
	if c.Bool("ready") {
		for _, a := range addrs {
			host, port, _ := net.SplitHostPort(a.String())
			fmt.Fprintln(c.App.Writer, "READY", host, port)
		}
	}
	select {
	case err = <-ended:
		log.Error("serving has ended", "error", err)
	case <-c.Context.Done():
		log.Info("server closed", "cause", context.Cause(c.Context).Error())
	}
	last, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(last))
}

func logger(c *cli.Context) (*slog.Logger, error) {
	opt := &slog.HandlerOptions{}
	if c.Bool("quiet") {
		opt.Level = slog.LevelError
	}
	switch format := c.String("log-format"); format {
	case "text":
		return slog.New(slog.NewTextHandler(c.App.ErrWriter, opt)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(c.App.ErrWriter, opt)), nil
	default:
		return nil, fmt.Errorf("log format %q is neither text nor json", format)
	}
}

// newClient makes the client of etcd. A node that is lost without a word is noticed within 8 s.
func newClient(c *cli.Context) (*clientv3.Client, error) {
	cfg := clientv3.Config{
		Endpoints: c.StringSlice("etcd"), DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
		Username: c.String("etcd-user"), Password: c.String("etcd-password"), DialTimeout: startTime, Logger: zap.NewNop(),
	}
	ca, cert, key := c.String("etcd-ca"), c.String("etcd-cert"), c.String("etcd-key")
	if (cert == "") != (key == "") {
		return nil, errors.New("etcd-cert and etcd-key belong together")
	}
	if ca != "" || cert != "" {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		cfg.TLS.RootCAs = x509.NewCertPool()
		if !cfg.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificates", ca)
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		cfg.TLS.Certificates = []tls.Certificate{pair}
	}
	return clientv3.New(cfg)
}

// page is the website, with what the store says of etcd at /healthz/etcd.
type page struct {
	http.Server
	listener net.Listener
	fleet    io.Closer
}

func newPage(c *cli.Context, server *registry.Server, store *etcdstore.Store) (*page, error) {
	if c.String("http") == "" {
		return nil, nil
	}
	l, err := new(net.ListenConfig).Listen(c.Context, "tcp", c.String("http"))
	if err != nil {
		return nil, err
	}
	shown := fleet.New(server, nil)
	mux := http.NewServeMux()
	mux.Handle("/", shown)
	mux.HandleFunc("/healthz/etcd", func(w http.ResponseWriter, _ *http.Request) {
		if err := store.Err(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	p := &page{listener: l, fleet: shown}
	p.Handler = mux
	p.ReadHeaderTimeout, p.WriteTimeout, p.IdleTimeout, p.MaxHeaderBytes = 5*time.Second, 30*time.Second, time.Minute,
		1<<14
	return p, nil
}

func (p *page) close() {
	_ = p.Close()
	_ = p.listener.Close()
	_ = p.fleet.Close()
}
