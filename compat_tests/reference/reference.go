// Package reference carries the reference service's Python files, so that a program can hand them out.
package reference

import (
	_ "embed" // the files
	"strings"
)

//go:embed behaviour_service.py
var service string

//go:embed ref_server.py
var server string

// Program is the reference service and its server in one Python file. Whatever that is called, clients see the module
// behaviour_service.
func Program() string {
	const begin = `#!/usr/bin/env python3
import sys as _sys

_MAIN, __name__ = __name__ == "__main__", "behaviour_service"
if _MAIN:
    _sys.modules[__name__] = _sys.modules["__main__"]

`
	tail := strings.TrimPrefix(server, "#!/usr/bin/env python3\n")
	return begin + service + "\n\n" + strings.Replace(tail, `if __name__ == "__main__":`, "if _MAIN:", 1)
}
