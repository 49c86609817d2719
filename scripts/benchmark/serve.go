package main

import (
	"fmt"
	"net"
	"os"

	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
)

// serverStacks are the servers there are: each serves the connections of a listener until it is closed.
var serverStacks = map[string]func(net.Listener) error{
	"raw":    eachConn(serveRaw),
	"canned": eachConn(serveCanned),
	"netrpc": serveNetRPC,
	"gorpyc": serveGorpyc,

	"parallel":  serveParallel,
	"largeheap": serveLargeHeap,
}

// eachConn serves every connection by a goroutine of its own.
func eachConn(handle func(net.Conn) error) func(net.Listener) error {
	return func(l net.Listener) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer c.Close()
				if err := handle(c); err != nil {
					fmt.Fprintln(os.Stderr, "benchmark serve:", err)
				}
			}()
		}
	}
}

// serve is the command of that name.
func serve(args []string) error {
	fs := newFlags("serve")
	stack := fs.String("stack", "gorpyc", "what serves: gorpyc, parallel (gorpyc with Concurrency), largeheap (gorpyc "+
		"with much live memory), canned (prepared answers to a CPython client), netrpc or raw")
	host := fs.String("host", "127.0.0.1", "address to listen on")
	port := fs.Int("port", 0, "port to listen on, 0 for any that is free")
	cpuprofile := fs.String("cpuprofile", "", "write a CPU profile to `file`")
	_ = fs.Parse(args)
	handle, ok := serverStacks[*stack]
	if !ok {
		return fmt.Errorf("unknown stack %q", *stack)
	}
	stop, err := profile(*cpuprofile)
	if err != nil {
		return err
	}
	defer stop()
	return measure.Serve(*host, *port, handle)
}
