package main

import (
	"errors"
	"net"
	"net/rpc"

	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
)

// NetRPC is the service that net/rpc's clients ask.
type NetRPC struct{}

// Pair is the argument of Add.
type Pair struct{ A, B int }

// Add adds two numbers.
func (NetRPC) Add(p Pair, sum *int) error {
	*sum = p.A + p.B
	return nil
}

// Echo returns what it gets.
func (NetRPC) Echo(x []byte, y *[]byte) error {
	*y = x
	return nil
}

func serveNetRPC(l net.Listener) error {
	srv := rpc.NewServer()
	if err := srv.RegisterName("Bench", NetRPC{}); err != nil {
		return err
	}
	srv.Accept(l)
	return nil
}

var errWrong = errors.New("wrong result")

func loadNetRPC(j job) (sample, error) {
	n, loops := 1, 1
	switch j.Mode {
	case "conns":
		n, loops = manyConns, manyConns
	case "conc64":
		loops = inFlight
	}
	conns, closeAll, err := dialMany(n, func() (*rpc.Client, error) { return rpc.Dial("tcp", j.Addr()) })
	if err != nil {
		return sample{}, err
	}
	defer closeAll()
	switch j.Mode {
	case "sync", "conns", "conc64":
		var steps []step
		for i := range loops {
			c := conns[i%n]
			steps = append(steps, measure.Once(func() error {
				var sum int
				err := c.Call("Bench.Add", Pair{1, 2}, &sum)
				if err == nil && sum != 3 {
					err = errWrong
				}
				return err
			}))
		}
		return j.Measure(steps...)
	case "echo":
		data := payload(j.Size)
		return j.Measure(measure.Once(func() error {
			var back []byte
			err := conns[0].Call("Bench.Echo", data, &back)
			if err == nil && len(back) != len(data) {
				err = errWrong
			}
			return err
		}))
	}
	return sample{}, j.Unknown()
}
