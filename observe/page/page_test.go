package page_test

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/observe/page"
)

func TestAge(t *testing.T) {
	for seconds, want := range map[float64]string{0.4: "now", 1: "1 s", 119.9: "119 s", 120: "2 min", 7199: "119 min",
		7200: "2 h", 172800: "2 d"} {
		require.Equal(t, want, page.Age(seconds))
	}
}

// TestPage: what a page shows is escaped, and it may run and load only what it says; one that cannot be made is an
// error.
func TestPage(t *testing.T) {
	text := `{{define "heading"}}{{.}}{{end}}{{define "filter"}}{{end}}{{define "shown"}}{{shout .}}{{end}}`
	p := page.Must(text, template.FuncMap{"shout": strings.ToUpper}, "<lost>")
	w := httptest.NewRecorder()
	page.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.Write(w, "<title>", 1500*time.Millisecond, "<script>x</script>")
	}), w, httptest.NewRequest(http.MethodGet, "/", nil))
	for _, want := range []string{`<title>&lt;title&gt;</title>`, `data-refresh="1"`, `&lt;lost&gt;`,
		`<h1>&lt;script&gt;x&lt;/script&gt;</h1>`, "&lt;SCRIPT&gt;X&lt;/SCRIPT&gt;"} {
		require.Contains(t, w.Body.String(), want)
	}
	require.Equal(t, 1, strings.Count(w.Body.String(), "<script>"))
	require.Regexp(t, `^default-src 'none'; .*script-src 'sha256-\S+'; `, w.Header().Get("Content-Security-Policy"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	w = httptest.NewRecorder()
	p.Write(w, "", time.Second, "a\u202eb\x1b[31m\né\u200f")
	require.Contains(t, w.Body.String(), `<h1>a\u202eb\u001b[31m`+"\n"+`é\u200f</h1>`, "and nothing else looks different")
	w = httptest.NewRecorder()
	p.Write(w, "", time.Second, 1)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	w = httptest.NewRecorder()
	page.WriteJSON(w, map[string]int{"a": 1})
	require.JSONEq(t, `{"a": 1}`, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
}
