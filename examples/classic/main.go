// Command classic is a prompt of a remote Python: it connects to a classic server, such as RPyC's rpyc_classic, says
// what machine that is on, and hands the terminal over.
//
//	classic [--file FILE] HOST[:PORT]
//
// With --file it prints a file of the server's instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/terminal"
)

func main() {
	file := flag.String("file", "", "print this file of the server's")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *file); err != nil {
		log.Fatal(err)
	}
}

func run(addr, file string) (err error) {
	ctx := context.Background()
	dialing, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := classic.Dial(dialing, addr, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if file != "" {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
		defer stop()
		return conn.DownloadTo(ctx, file, os.Stdout, nil)
	}
	host, err := classic.Call[string](ctx, conn, "platform.node")
	if err != nil {
		return err
	}
	version, err := conn.Python(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s, Python %d.%d\n", host, version[0], version[1])

	t := terminal.New()
	defer t.Close()
	return conn.Interact(ctx, t.Stdio(), map[string]any{"here": hostname})
}

// hostname is what the remote prompt knows as here().
func hostname() (string, error) { return os.Hostname() }
