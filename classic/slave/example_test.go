//go:build unix

package slave_test

import (
	"context"
	"fmt"

	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// A program that serves classic mode adds a module of its own, which clients find as conn.modules.pumps and programs by
// import.
func Example_module() {
	ctx := context.Background()
	options := &slave.Options{Modules: modules.Options{Modules: map[string]any{
		"pumps": func() any { // made anew for each connection
			return modules.New("pumps", "The pumps of the plant.").
				Const("count", 4).
				Def("start", func(number int, speed float64) string {
					return fmt.Sprintf("pump %d at %g", number, speed)
				}, "number", "speed=0.5")
		},
	}}}
	// a server has NewService: slave.New(options)
	client, server, err := protocol.Pair(ctx, nil, slave.NewService(options), slave.Config(nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close(); <-server.Done() }()
	if _, err := client.Root().CallMethod(ctx, "execute", "import pumps\nstarted = [pumps.start(n) for n in range(1, "+
		"pumps.count, 2)]"); err != nil {
		fmt.Println(err)
		return
	}
	text, err := netref.Call[string](ctx, client.Root(), "eval", "'; '.join(started)")
	fmt.Println(text, err)
	// Output: pump 1 at 0.5; pump 3 at 0.5 <nil>
}
