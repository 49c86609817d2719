package netref

import "unicode"

// PythonName turns a Go name into the Python name it answers to: AddUser becomes add_user, HTTPServer http_server,
// GetURL get_url, UserID2 user_id2. A run of capitals counts as one word, its last letter beginning the next word if a
// small letter follows.
func PythonName(goName string) string {
	in := []rune(goName)
	out := make([]rune, 0, len(in)+4)
	for i, r := range in {
		if unicode.IsUpper(r) && i > 0 && in[i-1] != '_' {
			prevUpper := unicode.IsUpper(in[i-1])
			nextLower := i+1 < len(in) && unicode.IsLower(in[i+1])
			if !prevUpper || nextLower {
				out = append(out, '_')
			}
		}
		out = append(out, unicode.ToLower(r))
	}
	return string(out)
}
