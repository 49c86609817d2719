package fleet

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page's parts
	"encoding/base64"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strconv"
	"time"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed page.js
	scriptText string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"age": age, "addr": addr, "stale": stale, "recently": recently, "reach": reach,
	}).Parse(pageText))

	// The page runs and shows what is in it and nothing else, whatever a service's name may be.
	policy = fmt.Sprintf("default-src 'none'; connect-src 'self'; img-src data:; style-src '%s'; script-src '%s'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
		hash(styleText), hash(scriptText))
)

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// What one page shows at most: it is read by people.
const (
	pageServers = 500
	pageChanges = 30
)

func (h *Handler) page(w http.ResponseWriter, r *http.Request) {
	only := wanted(r)
	f := h.fleet(only, pageServers)
	f.Recent = f.Recent[:min(len(f.Recent), pageChanges)]
	var requests uint64
	for _, n := range f.Requests {
		requests += n
	}
	var rejects uint64
	for _, n := range f.Rejects {
		rejects += n
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, map[string]any{
		"Title": h.opts.Title, "Refresh": max(1, int(h.opts.Refresh/time.Second)), "Fleet": f, "Only": only,
		"Ping":     h.opts.Ping,
		"Requests": requests, "Rejects": rejects, "Up": time.Since(f.Started).Seconds(),
		"Style": template.CSS(styleText), "Script": template.JS(scriptText),
	})
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	_, _ = w.Write(b.Bytes())
}

// age is a number of seconds for people: "now", "12 s", "3 min", "5 h", "2 d".
func age(seconds float64) string {
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

func addr(s Server) string {
	if s.Path != "" {
		return s.Host + " " + s.Path
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// stale says that a keep-alive is overdue: servers renew every 60 seconds.
func stale(s Server) bool { return s.Age > 90 }

// recently says that a server has come not long ago.
func recently(s Server) bool { return s.Up < 60 }

// reach says whether a server can be reached, "" if that is not known.
func reach(s Server) string {
	switch {
	case s.Reachable == nil:
		return ""
	case *s.Reachable:
		return "yes"
	}
	return "no"
}
