// Command behaviour serves everything a client can observe of an RPyC server: the Go form of the behaviour service,
// whose CPython form is compat_tests/reference/behaviour_service.py. The compatibility tests run the same Python
// programs against both and compare what they see.
//
//	behaviour [--host H] [--port P] [--no-stdin]
//
// It prints "READY host port" and serves until stdin ends. The port is that of the endpoint "default"; the service
// tells the others, which differ in configuration only.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

// endpoints are the configurations the service is served with; that named greeting has another service.
var endpoints = []struct {
	name   string
	config protocol.Config
}{
	{"default", protocol.Config{}},
	{"rw", protocol.Config{Access: exposed.Policy{AllowSet: true, AllowDel: true}}},
	{"public", protocol.Config{Access: exposed.Policy{AllowPublic: true}}},
	{"all", protocol.Config{Access: exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}}},
	{"pickle", protocol.Config{AllowPickle: true}},
	{"quiet", protocol.Config{HideTraceback: true, HideVersion: true}},
	{"greeting", protocol.Config{}},
	{"codecs", protocol.Config{Codecs: quantities()}},
}

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 0, "port of the default endpoint, 0 for any that is free")
	noStdin := flag.Bool("no-stdin", false, "do not stop at the end of stdin")
	flag.Parse()
	if err := run(*host, *port, *noStdin); err != nil {
		log.Fatal(err)
	}
}

func run(host string, port int, noStdin bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	world := &world{ports: map[string]int{}}
	var listeners []net.Listener
	for _, e := range endpoints {
		if e.name != "default" {
			port = 0
		}
		l, err := transport.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
		world.ports[e.name] = l.Addr().(*net.TCPAddr).Port
	}
	for i, e := range endpoints {
		srv := &servers.Server{Config: &e.config, NewService: func() any {
			if e.name == "greeting" {
				return &greeter{Service: newService(world)}
			}
			return newService(world)
		}}
		go func() { _ = srv.Serve(ctx, listeners[i]) }() // ends with the program
	}
	fmt.Println("READY", host, world.ports["default"])
	if !noStdin {
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	<-ctx.Done()
	return nil
}
