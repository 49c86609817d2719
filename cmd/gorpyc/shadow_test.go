package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/cmd/internal/shadow"
)

// TestShadowPageTakesNoOrdersOfOtherSites: a page elsewhere can have a browser send them.
func TestShadowPageTakesNoOrdersOfOtherSites(t *testing.T) {
	p := shadow.New(shadow.Options{}, 0)
	order := func(site string) int {
		r := httptest.NewRequest(http.MethodPost, "/percent?n=50", nil)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		shadowPage(p).ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusForbidden, order("cross-site"))
	require.Zero(t, p.Percent())
	require.Equal(t, http.StatusOK, order("")) // curl
	require.Equal(t, 50, p.Percent())
}
