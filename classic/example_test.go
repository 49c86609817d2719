package classic_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// exampleServer is a classic server in this process, one that needs no Python. Programs use Dial.
func exampleServer(ctx context.Context) *classic.Conn {
	server, client, err := protocol.Pair(ctx, slave.NewService(nil), nil, slave.Config(nil))
	if err != nil {
		log.Fatal(err)
	}
	client.AfterDone(func() { server.CloseNow() })
	return classic.New(client)
}

func Example() {
	ctx := context.Background()
	conn := exampleServer(ctx) // classic.Dial(ctx, "host", nil)
	defer conn.Close()

	if err := conn.Execute(ctx, "def area(w, h):\n    return w * h\n"); err != nil {
		log.Fatal(err)
	}
	n, err := classic.Eval[int](ctx, conn, "area(6, 7)")
	if err != nil {
		log.Fatal(err)
	}
	path, err := classic.Call[string](ctx, conn, "os.path.join", "etc", "hosts")
	if err != nil {
		log.Fatal(err)
	}
	os, err := conn.Module(ctx, "os")
	if err != nil {
		log.Fatal(err)
	}
	sep, err := netref.Get[string](ctx, os, "sep")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, strings.ReplaceAll(path, sep, "|"))
	// Output: 42 etc|hosts
}

func ExampleConn_UploadFrom() {
	ctx := context.Background()
	conn := exampleServer(ctx)
	defer conn.Close()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "greeting.txt")

	if err := conn.UploadFrom(ctx, strings.NewReader("hello there"), file, nil); err != nil {
		log.Fatal(err)
	}
	var back bytes.Buffer
	progress := func(p classic.Progress) {
		if p.Done > 0 {
			fmt.Printf("%d of %d bytes\n", p.Done, p.Size)
		}
	}
	if err := conn.DownloadTo(ctx, file, &back, &classic.TransferOptions{Progress: progress}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(back.String())
	// Output:
	// 11 of 11 bytes
	// hello there
}

func ExampleObtain() {
	ctx := context.Background()
	type disk struct {
		Name string
		Free []int
	}
	disks := map[string]*disk{"a": {"alpha", []int{1, 2}}}
	server, client, err := protocol.Pair(ctx, struct{ Disks map[string]*disk }{disks}, nil,
		&protocol.Config{AllowPickle: true})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	defer client.Close()

	remote, err := netref.Get[*netref.Object](ctx, client.Root(), "disks")
	if err != nil {
		log.Fatal(err)
	}
	mine, err := classic.Obtain[map[string]disk](ctx, remote) // one round trip
	fmt.Println(mine, err)
	// Output: map[a:{alpha [1 2]}] <nil>
}
