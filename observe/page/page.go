// Package page has what the HTML pages of this module have in common: their look, how they update themselves, with
// JavaScript and without, and that they load and run nothing that is not part of them.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page's parts
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"
	"unicode"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed page.js
	scriptText string

	// The page runs and shows what is in it and nothing else, whatever a peer's name may be.
	policy = fmt.Sprintf("default-src 'none'; connect-src 'self'; img-src data:; style-src '%s'; script-src '%s'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'self'", hash(styleText), hash(scriptText))
)

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Page is a page. It is safe for concurrent use.
type Page struct {
	tmpl *template.Template
	lost string
}

// Must makes a page of the templates in text: "heading", "filter", which may be empty, and "shown", which is what is
// updated. lost is what it says when it cannot be updated. Must panics if text is not well-formed.
func Must(text string, funcs template.FuncMap, lost string) *Page {
	t := template.New("page").Funcs(template.FuncMap{"age": Age}).Funcs(funcs)
	return &Page{template.Must(template.Must(t.Parse(pageText)).Parse(text)), lost}
}

// Write answers a request with the page. body is what the templates get.
func (p *Page) Write(w http.ResponseWriter, title string, refresh time.Duration, body any) {
	var b bytes.Buffer
	err := p.tmpl.Execute(&b, map[string]any{
		"Title": title, "Refresh": max(1, int(refresh/time.Second)), "Lost": p.lost, "Body": body,
		"Style": template.CSS(styleText), "Script": template.JS(scriptText),
	})
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	_, _ = w.Write(visible(b.Bytes()))
}

// visible has characters that are not seen shown by their numbers. Of a peer's name that contains some that change the
// direction of text, what stands beside it would else look like another thing.
func visible(page []byte) []byte {
	if !bytes.ContainsFunc(page, unseen) {
		return page
	}
	var b bytes.Buffer
	for _, r := range string(page) {
		if unseen(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}

func unseen(r rune) bool {
	return r != '\n' && r != '\r' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf)
}

// WriteJSON answers a request with a document.
func WriteJSON(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(document)
}

// Serve answers a request with h, and has browsers neither keep the answer nor guess at its type.
func Serve(h http.Handler, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	h.ServeHTTP(w, r)
}

// Age is a number of seconds for people: "now", "12 s", "3 min", "5 h", "2 d".
func Age(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case d < time.Second:
		return "now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}
