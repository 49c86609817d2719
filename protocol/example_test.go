package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Greeter is an object to expose. Python would call conn.root.greet("Ann").
type Greeter struct{}

func (Greeter) Greet(name string) (string, error) {
	if name == "" {
		return "", vinegar.ValueError.New("nobody to greet")
	}
	return "Hello, " + name, nil
}

// Ask calls a function that the peer passes.
func (Greeter) Ask(ctx context.Context, question func(context.Context) (string, error)) (string, error) {
	name, err := question(ctx)
	return "Hello, " + name, err
}

func Example() {
	ctx := context.Background()
	client, server, err := protocol.Pair(ctx, nil, Greeter{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(netref.Call[string](ctx, client.Root(), "greet", "Ann"))
	_, err = client.Root().CallMethod(ctx, "greet", "")
	fmt.Println(err, errors.Is(err, vinegar.ValueError))
	fmt.Println(netref.Call[string](ctx, client.Root(), "ask", func() string { return "Bob" }))

	_ = client.Close()
	<-server.Done()
	_, err = client.Root().CallMethod(ctx, "greet", "Ann")
	fmt.Println(err)
	// Output:
	// Hello, Ann <nil>
	// ValueError: nobody to greet true
	// Hello, Bob <nil>
	// rpyc: connection closed
}

// A connection can be made of any stream.
func ExampleNewConn() {
	ctx := context.Background()
	near, far := transport.Pipe()
	server, err := protocol.NewConn(ctx, far, Greeter{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := protocol.Negotiate(ctx, func(context.Context) (io.ReadWriteCloser, error) {
		return near, nil
	}, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the peer speaks family", client.Dialect())
	fmt.Println(netref.Call[string](ctx, client.Root(), "greet", "Ann"))
	_ = client.Close()
	<-server.Done()
	// Output:
	// the peer speaks family D
	// Hello, Ann <nil>
}

// A context bounds a call, not the connection.
func ExampleConn_Request_timeout() {
	ctx := context.Background()
	client, server, err := protocol.Pair(ctx, nil, Greeter{}, &protocol.Config{Timeout: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	never := make(chan struct{})
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = client.Root().CallMethod(short, "ask", func() string { <-never; return "" })
	fmt.Println(errors.Is(err, context.DeadlineExceeded), client.Err())
	close(never)
	_ = client.Close()
	<-client.Done()
	<-server.Done()
	// Output: true <nil>
}

// Trace shows a conversation as it is.
func ExampleConfig_trace() {
	ctx := context.Background()
	near, far := transport.Pipe()
	server, err := protocol.NewConn(ctx, far, Greeter{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := protocol.Negotiate(ctx, func(context.Context) (io.ReadWriteCloser, error) {
		return near, nil
	}, nil, &protocol.Config{Trace: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	_, _ = client.Root().CallMethod(ctx, "greet", "Ann")
	_, _ = client.Root().CallMethod(ctx, "greet", "")
	_ = client.Close()
	<-server.Done()
	// Output:
	// > REQUEST 0 GETROOT ()
	// < REPLY 0 +protocol_test.Greeter#1
	// > REQUEST 1 CALLATTR (-protocol_test.Greeter#1, "greet", ("Ann"), ())
	// < REPLY 1 "Hello, Ann"
	// > REQUEST 2 CALLATTR (-protocol_test.Greeter#1, "greet", (""), ())
	// < EXCEPTION 2 builtins.ValueError("nobody to greet")
	// > REQUEST 3 CLOSE ()
}
