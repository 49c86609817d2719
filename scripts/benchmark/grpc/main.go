// Command grpc is gRPC's client and server for the benchmark, in a module of its own, which scripts/bench builds if it
// can be downloaded: nothing else of gorpyc depends on gRPC.
//
//	grpc serve    is the server: see package measure
//	grpc load     is the client
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
)

func main() {
	err := errors.New("usage: grpc serve|load")
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			err = measure.Serve("127.0.0.1", 0, serve)
		case "load":
			err = measure.CarryOut(load)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark grpc:", err)
		os.Exit(1)
	}
}

// maxMessage is more than the longest echo.
const maxMessage = 128 << 20

// bench is the service. Its messages are such as come with the module, so that no code has to be generated: the two
// numbers of a Duration are those to be added.
type bench struct{}

func (bench) add(_ context.Context, p *durationpb.Duration) (*wrapperspb.Int64Value, error) {
	return wrapperspb.Int64(p.Seconds + int64(p.Nanos)), nil
}

func (bench) echo(_ context.Context, b *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
	return b, nil
}

// method describes one of them as generated code does.
func method[In, Out any](name string, do func(context.Context, *In) (*Out, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, decode func(any) error,
		_ grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		return do(ctx, in)
	}}
}

func serve(l net.Listener) error {
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{method("add", bench{}.add), method("echo", bench{}.echo)},
	}, bench{})
	return s.Serve(l)
}

func load(j measure.Job) (measure.Sample, error) {
	c, err := grpc.NewClient(j.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		return measure.Sample{}, err
	}
	defer c.Close()
	ctx := context.Background()
	add := measure.Once(func() error {
		var sum wrapperspb.Int64Value
		err := c.Invoke(ctx, "/bench/add", &durationpb.Duration{Seconds: 1, Nanos: 2}, &sum)
		if err == nil && sum.Value != 3 {
			err = errors.New("wrong result")
		}
		return err
	})
	switch j.Mode {
	case "sync":
		return j.Measure(add)
	case "conc64":
		steps := make([]measure.Step, 64)
		for i := range steps {
			steps[i] = add
		}
		return j.Measure(steps...)
	case "echo":
		data := &wrapperspb.BytesValue{Value: make([]byte, j.Size)}
		return j.Measure(measure.Once(func() error {
			var back wrapperspb.BytesValue
			err := c.Invoke(ctx, "/bench/echo", data, &back)
			if err == nil && len(back.Value) != j.Size {
				err = errors.New("wrong result")
			}
			return err
		}))
	}
	return measure.Sample{}, j.Unknown()
}
