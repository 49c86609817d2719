package fleet_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/registry/fleet"
)

// The page of a registry, here without a socket.
func Example() {
	srv := &registry.Server{}
	defer srv.Close()
	page := fleet.New(srv, nil) // http.ListenAndServe("127.0.0.1:18880", page)
	defer page.Close()
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	fmt.Print(answer.Body)
	// Output: ok
}
