package main

import (
	"context"
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

	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/registry/fleet"
)

// shutdownTime is how long answers under way may take after a signal.
const shutdownTime = 5 * time.Second

// serve runs the registry until ctx ends.
func (s *settings) serve(ctx context.Context, stdout io.Writer) error {
	out, err := program.OpenLog(s.logFile)
	if err != nil {
		return err
	}
	defer out.Close()
	log := s.log.Logger(out)
	s.server.Logger = log

	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	if err := s.server.Open(); err != nil {
		return err
	}
	sockets, err := s.listen(ctx)
	if err != nil {
		return errors.Join(err, s.server.Close())
	}
	ended := make(chan error, len(sockets)+1)
	for _, socket := range sockets {
		go func() { ended <- socket.serve(&s.server) }()
	}
	web, err := s.serveHTTP(ctx, log, ended)
	if err != nil {
		return errors.Join(err, s.server.Close())
	}
	defer web.close()
	if s.ready {
		for _, socket := range append(sockets, web.sockets()...) {
			host, port, _ := net.SplitHostPort(socket.addr.String())
			fmt.Fprintln(stdout, "READY", host, port)
		}
	}
	err = program.Wait(ctx, log, out, hangup, ended)
	last, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	return errors.Join(err, s.server.Shutdown(last))
}

// socket is something that listens.
type socket struct {
	addr  net.Addr
	serve func(*registry.Server) error
}

// listen opens all sockets. With port 0, UDP and TCP get the same one.
func (s *settings) listen(ctx context.Context) ([]socket, error) {
	var err error
	for range 10 {
		port := s.port
		var sockets []socket
		var opened []io.Closer
		for _, network := range s.networks {
			addr := net.JoinHostPort(s.host, strconv.Itoa(port))
			if strings.HasPrefix(network, "udp") {
				var c *net.UDPConn
				if c, err = registry.ListenUDP(ctx, network, addr); err != nil {
					break
				}
				port = c.LocalAddr().(*net.UDPAddr).Port
				opened = append(opened, c)
				sockets = append(sockets, socket{c.LocalAddr(), func(r *registry.Server) error {
					return r.ServeUDP(context.Background(), c)
				}})
				continue
			}
			var l net.Listener
			if l, err = new(net.ListenConfig).Listen(ctx, network, addr); err != nil {
				break
			}
			opened = append(opened, l)
			sockets = append(sockets, socket{l.Addr(), func(r *registry.Server) error {
				return r.ServeTCP(context.Background(), l)
			}})
		}
		if err == nil {
			return sockets, nil
		}
		for _, o := range opened {
			_ = o.Close()
		}
		if s.port != 0 {
			break
		}
	}
	return nil, err
}

// website is the page's listener, if there is one.
type website struct {
	server  *http.Server
	handler *fleet.Handler
	addr    net.Addr
}

func (s *settings) serveHTTP(ctx context.Context, log *slog.Logger, ended chan<- error) (*website, error) {
	if s.http == "" {
		return nil, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.http)
	if err != nil {
		return nil, err
	}
	w := &website{addr: l.Addr(), handler: fleet.New(&s.server, &fleet.Options{Ping: s.ping})}
	w.server = &http.Server{
		Handler:           w.handler,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    1 << 14,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	log.Info("page at http://" + l.Addr().String() + "/")
	go func() {
		if err := w.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			ended <- err
		}
	}()
	return w, nil
}

func (w *website) sockets() []socket {
	if w == nil {
		return nil
	}
	return []socket{{addr: w.addr}}
}

func (w *website) close() {
	if w != nil {
		_ = w.server.Close()
		_ = w.handler.Close()
	}
}
