package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	roomsTable = regexp.MustCompile(`(?s)\n## Rooms\n(.*?)\n## `)
	roomsRow   = regexp.MustCompile("(?m)^\\| (`.*?) \\|")
)

// checkRooms returns what is wrong with DESIGN.md's table of rooms: a package that is in none, a room without a
// package, and an import of something that stands in a later row.
func checkRooms(root string, packages []pkg) ([]string, error) {
	design, err := os.ReadFile(filepath.Join(root, "DESIGN.md"))
	if err != nil {
		return nil, err
	}
	table := roomsTable.FindSubmatch(design)
	if table == nil {
		return nil, fmt.Errorf("DESIGN.md has no chapter of rooms")
	}
	row, empty := map[string]int{}, map[string]bool{} // by the rooms' names, as arrows have them
	for i, m := range roomsRow.FindAllSubmatch(table[1], -1) {
		for _, name := range provedBy.FindAllStringSubmatch(string(m[1]), -1) {
			pattern := strings.Replace(name[1], "/…", "/...", 1)
			row[pattern], empty[pattern] = i, true
		}
	}
	// at returns the row of a package: that of its own name, or that of the nearest room that it is in.
	at := func(room string) (int, bool) {
		if i, ok := row[room]; ok {
			delete(empty, room)
			return i, true
		}
		for part := room; ; part = part[:strings.LastIndexByte(part, '/')] {
			if i, ok := row[part+"/..."]; ok {
				delete(empty, part+"/...")
				return i, true
			}
			if !strings.Contains(part, "/") {
				return 0, false
			}
		}
	}
	var found []string
	for _, p := range packages {
		own, ok := at(p.room())
		if !ok {
			found = append(found, fmt.Sprintf("%s: DESIGN.md has no room for it", p.room()))
			continue
		}
		for _, path := range p.Imports {
			if target := inside(p.Module.Path, path); target != "" {
				if i, ok := at(target); ok && i > own {
					found = append(found, fmt.Sprintf("%s: imports %s, which stands below it in DESIGN.md", p.room(), target))
				}
			}
		}
	}
	for pattern := range empty {
		found = append(found, fmt.Sprintf("DESIGN.md: there is no package %s", pattern))
	}
	return found, nil
}
