// Command lint checks the house rules that the compiler cannot: which room may import which, and that DESIGN.md agrees;
// how long files and lines may be; that every package and every exported name says what it promises; that the
// documents' links lead somewhere; and that the tests named in the protocol's ledger and in SECURITY.md exist. It needs
// nothing but the go command.
//
//	go run ./scripts/lint
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

func main() {
	packages, err := list()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lint:", err)
		os.Exit(2)
	}
	var found []string
	for _, p := range packages {
		found = append(found, checkImports(p)...)
		problems, err := checkFiles(p)
		if err != nil {
			fmt.Fprintln(os.Stderr, "lint:", err)
			os.Exit(2)
		}
		found = append(found, problems...)
	}
	rooms := func(root string) ([]string, error) { return checkRooms(root, packages) }
	for _, check := range []func(string) ([]string, error){rooms, checkLedger, checkSecurity, checkDocs, checkLines} {
		problems, err := check(".")
		if err != nil {
			fmt.Fprintln(os.Stderr, "lint:", err)
			os.Exit(2)
		}
		found = append(found, problems...)
	}
	if len(found) == 0 {
		fmt.Printf("lint: %d packages, nothing to say\n", len(packages))
		return
	}
	sort.Strings(found)
	fmt.Println(strings.Join(found, "\n"))
	os.Exit(1)
}
