package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxColumns is the width of a line of a document. Rows of tables may be longer, since a row cannot be wrapped.
const maxColumns = 120

var markdownLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// checkDocs returns what is wrong with the Markdown files: lines that are too wide, links to files or headings of this
// repository that do not exist.
func checkDocs(root string) ([]string, error) {
	names, err := markdownFiles(root)
	if err != nil {
		return nil, err
	}
	var found []string
	docs := documents{root: root, read: map[string]document{}}
	for _, name := range names {
		doc, err := docs.get(name)
		if err != nil {
			return nil, err
		}
		for _, p := range doc.problems {
			found = append(found, name+":"+p)
		}
		for _, l := range doc.links {
			if problem := docs.follow(name, l.target); problem != "" {
				found = append(found, fmt.Sprintf("%s:%d: link to %s: %s", name, l.line, l.target, problem))
			}
		}
	}
	return found, nil
}

// markdownFiles are the documents of the repository.
func markdownFiles(root string) (names []string, err error) {
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	return names, err
}

// documents are the Markdown files read so far, by their paths in the repository.
type documents struct {
	root string
	read map[string]document
}

// document is what the checks need of a Markdown file.
type document struct {
	anchors  map[string]bool // of its headings
	links    []link
	problems []string // "line: what", which need no other file to be seen
}

type link struct {
	line   int
	target string
}

func (d documents) get(name string) (document, error) {
	if doc, ok := d.read[name]; ok {
		return doc, nil
	}
	text, err := os.ReadFile(filepath.Join(d.root, filepath.FromSlash(name)))
	if err != nil {
		return document{}, err
	}
	doc := parseMarkdown(string(text))
	d.read[name] = doc
	return doc, nil
}

// follow says what is wrong with a link in the document called from, or "".
func (d documents) follow(from, target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return err.Error()
	}
	if u.Scheme != "" {
		return "" // another site
	}
	to := from
	if u.Path != "" {
		to = filepath.ToSlash(filepath.Join(filepath.Dir(from), u.Path))
		if _, err := os.Stat(filepath.Join(d.root, filepath.FromSlash(to))); err != nil {
			return "no such file"
		}
	}
	if u.Fragment == "" {
		return ""
	}
	doc, err := d.get(to)
	if err != nil {
		return err.Error()
	}
	if !doc.anchors[u.Fragment] {
		return "no such heading"
	}
	return ""
}

// parseMarkdown finds headings, links and wide lines. Text between fences is code, whose lines have to fit as well.
func parseMarkdown(text string) document {
	doc := document{anchors: map[string]bool{}}
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > maxColumns && !strings.HasPrefix(line, "|") {
			doc.problems = append(doc.problems, fmt.Sprintf("%d: %d columns, more than %d", i+1, n, maxColumns))
		}
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if fenced {
			continue
		}
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			doc.addAnchor(anchor(title))
		}
		for _, m := range markdownLink.FindAllStringSubmatch(withoutCode(line), -1) {
			doc.links = append(doc.links, link{i + 1, m[1]})
		}
	}
	return doc
}

// addAnchor enters a heading's anchor; further headings of the same text are numbered.
func (d *document) addAnchor(name string) {
	unique := name
	for i := 1; d.anchors[unique]; i++ {
		unique = fmt.Sprintf("%s-%d", name, i)
	}
	d.anchors[unique] = true
}

// anchor is what a heading's link is called on GitHub: lower case, blanks as hyphens, punctuation left out.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.TrimSpace(title))
}

// withoutCode blanks code spans, in which brackets are no links.
func withoutCode(line string) string {
	parts := strings.Split(line, "`")
	for i := 1; i < len(parts); i += 2 {
		parts[i] = ""
	}
	return strings.Join(parts, "`")
}
