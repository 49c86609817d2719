package classic

import "github.com/gorpyc/gorpyc/protocol/vinegar"

// guest is the root object that a classic server gets. The servers of RPyC 3, and later ones that serve ClassicService,
// expect to get the client's interpreter in return for theirs, and hang up if there is none. They get modules with
// nothing in them, and nothing is evaluated.
type guest struct {
	Namespace map[string]any
}

func newGuest() *guest { return &guest{Namespace: map[string]any{}} }

// emptyModule is any module of a guest.
type emptyModule struct{}

// Getmodule gives a module of any name.
func (*guest) Getmodule(any) *emptyModule { return &emptyModule{} }

// Getconn refuses.
func (*guest) Getconn() error { return refused() }

// Eval refuses.
func (*guest) Eval(string) error { return refused() }

// Execute refuses.
func (*guest) Execute(string) error { return refused() }

func refused() error { return vinegar.PermissionError.New("this client does not let servers use it") }
