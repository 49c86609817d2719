package main

import (
	"fmt"

	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
)

type (
	job    = measure.Job
	sample = measure.Sample
	step   = measure.Step
)

// clientStacks are the clients there are. Each carries out one job, on connections of its own.
var clientStacks = map[string]func(job) (sample, error){
	"raw":      loadRaw,
	"netrpc":   loadNetRPC,
	"prepared": loadPrepared,
	"gorpyc":   loadGorpyc,
}

// load is the command of that name.
func load(args []string) error {
	fs := newFlags("load")
	stack := fs.String("stack", "gorpyc", "what asks: gorpyc, prepared (prepared requests to an RPyC server), netrpc or "+
		"raw")
	cpuprofile := fs.String("cpuprofile", "", "write a CPU profile to `file`")
	_ = fs.Parse(args)
	do, ok := clientStacks[*stack]
	if !ok {
		return fmt.Errorf("unknown stack %q", *stack)
	}
	stop, err := profile(*cpuprofile)
	if err != nil {
		return err
	}
	defer stop()
	return measure.CarryOut(do)
}

// dialMany opens n connections by dial, and returns what closes them.
func dialMany[C interface{ Close() error }](n int, dial func() (C, error)) (conns []C, closeAll func(), err error) {
	closeAll = func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}
	for range n {
		c, err := dial()
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		conns = append(conns, c)
	}
	return conns, closeAll, nil
}

const (
	inFlight     = 64 // requests outstanding on one connection in the concurrent modes
	manyInFlight = 4096
	manyConns    = 50 // connections of the mode with many
)
