// Package web asks HTTP servers for JSON, as the sources of addresses need it.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// MaxBody is how long an answer, or one event of a stream, may be.
const MaxBody = 16 << 20

// StatusError is an answer other than 200.
type StatusError struct {
	Code int
	// Text is the beginning of the answer's body.
	Text string
}

// Error implements error.
func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s: %s", e.Code, http.StatusText(e.Code), e.Text))
}

// Get asks for a URL. Redirects are not followed, since header has secrets. The error is a *[StatusError] unless the
// answer is 200. The caller closes the body.
func Get(ctx context.Context, client *http.Client, url string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	straight := *client
	straight.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := straight.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return nil, &StatusError{Code: resp.StatusCode, Text: string(text)}
	}
	return resp, nil
}

// Read reads a whole body, so that the connection can be used again.
func Read(body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, MaxBody+1))
	if err == nil && len(text) > MaxBody {
		err = fmt.Errorf("the answer is longer than %d bytes", MaxBody)
	}
	return text, err
}

// Each decodes the items of a JSON list one by one: all of them at a time could take a hundred times the memory of the
// text. item is another one's after f has returned. null, and no text at all, is an empty list.
func Each[T any](list []byte, f func(item *T) error) error {
	d := json.NewDecoder(bytes.NewReader(list))
	switch begin, err := d.Token(); {
	case len(list) == 0:
		return nil
	case err != nil:
		return err
	case begin == nil:
		return nil
	case begin != json.Delim('['):
		return fmt.Errorf("%v in place of a list", begin)
	}
	var item, none T
	for d.More() {
		item = none
		if err := d.Decode(&item); err != nil {
			return err
		}
		if err := f(&item); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
