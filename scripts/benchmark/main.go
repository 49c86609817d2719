// Command benchmark measures gorpyc beside its alternatives: a raw TCP ping-pong of frames of the same size, net/rpc,
// CPython's rpyc, and minimal peers with prepared answers or requests, which show what the other side allows at most.
// scripts/bench sets up what it needs and runs it.
//
//	benchmark run    measures and prints a report
//	benchmark serve  is one server; it prints a JSON line {"host", "port", "pid"} and ends when its stdin does
//	benchmark load   is one client; it reads jobs from stdin and prints a sample for each, as JSON lines
//	benchmark plot   draws a chart (SVG, to stdout) of what run --json has written: docs/speed.svg, and with --targets
//	                 docs/performance.svg
//
// Servers and clients are processes of their own. "same" pins both to one CPU, which shows what the software costs and
// repeats well; "free" leaves them to the kernel, which shows concurrency and what waking another CPU costs. Every
// round goes through all stacks in an order of its own, ratios are taken between neighbours in time, and medians are
// reported.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	var err error
	switch args := os.Args[2:]; os.Args[1] {
	case "run":
		err = run(args)
	case "serve":
		err = serve(args)
	case "load":
		err = load(args)
	case "plot":
		err = plot(args)
	default:
		usage()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: benchmark run|serve|load|plot [flags]")
	os.Exit(2)
}

// profile starts a CPU profile if path is not empty, and returns what ends it.
func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

func newFlags(name string) *flag.FlagSet { return flag.NewFlagSet("benchmark "+name, flag.ExitOnError) }
