package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
)

// checkFiles returns what is wrong with the files of p: package doc, doc comments of exported names. Tests and
// generated files are free of all of it.
func checkFiles(p pkg) ([]string, error) {
	var found []string
	documented := len(p.GoFiles)+len(p.CgoFiles) == 0
	fset := token.NewFileSet()
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		path := filepath.Join(p.Dir, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		shown := filepath.Join(p.room(), name)
		file, err := parser.ParseFile(fset, path, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		documented = documented || file.Doc != nil
		if ast.IsGenerated(file) {
			continue
		}
		if p.Name == "main" {
			continue // nobody imports it
		}
		for _, d := range undocumented(file) {
			found = append(found, fmt.Sprintf("%s:%d: exported %s has no doc comment", shown, fset.Position(d.pos).Line, d.name))
		}
	}
	if !documented {
		found = append(found, fmt.Sprintf("%s: no package comment", p.room()))
	}
	return found, nil
}

// wellKnown are methods that say the same on every type; golangci-lint's revive makes the same exception.
var wellKnown = map[string]bool{"Error": true, "String": true, "Unwrap": true, "Read": true, "Write": true}

type nameAt struct {
	name string
	pos  token.Pos
}

// undocumented returns the exported declarations of a file without a doc comment. One comment is enough for a const or
// var block.
func undocumented(file *ast.File) []nameAt {
	var found []nameAt
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && !(d.Recv != nil && wellKnown[d.Name.Name]) {
				found = append(found, nameAt{d.Name.Name, d.Pos()})
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						found = append(found, nameAt{s.Name.Name, s.Pos()})
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
							found = append(found, nameAt{name.Name, name.Pos()})
						}
					}
				}
			}
		}
	}
	return found
}

// exportedReceiver reports whether d is a function or a method of an exported type. Methods of unexported types are
// seen through interfaces, which carry the promise.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}
