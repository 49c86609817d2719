// Command shop serves a small shop whose Go source tells Python everything: names and defaults of parameters,
// documentation, classes. The generated files beside it come from cmd/rpyc_stubs:
//
//	rpyc_stubs.go   registers what the source says, so that keyword arguments, help() and TypeErrors are Python's
//	shop.pyi        is a stub for mypy and IDEs; client.py shows how it is used
//
//	go run ./examples/shop --port 18861
//
// It prints "READY host port" when it listens.
package main

//go:generate go run github.com/gorpyc/gorpyc/cmd/rpyc_stubs go
//go:generate go run github.com/gorpyc/gorpyc/cmd/rpyc_stubs pyi

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/servers"
)

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 18861, "port to listen on, 0 for any that is free")
	untilEOF := flag.Bool("until-eof", false, "stop at the end of stdin")
	allAttrs := flag.Bool("all-attrs", false, "let clients read all attributes, which help() and inspect need")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *untilEOF {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	l, err := net.Listen("tcp", net.JoinHostPort(*host, strconv.Itoa(*port)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("READY", *host, l.Addr().(*net.TCPAddr).Port)
	srv := &servers.Server{Config: &protocol.Config{Access: exposed.Policy{AllowAll: *allAttrs}}, NewService: func() any {
		return newShop()
	}}
	if err := srv.Serve(ctx, l); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}
